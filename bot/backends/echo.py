"""Compares a job's order with its echo in a provider's response."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.backends.responses.field_values import size_in

if TYPE_CHECKING:
    from bot.model import VideoRequest

# Models round to lengths that they support, and some servers echo the rounded lengths.
_SECONDS_TOLERANCE = 1.0
_PIXELS_TOLERANCE = 32
# Some servers echo only the beginning of a prompt. A beginning shorter than this may also be
# another prompt's.
_MIN_CUT_PROMPT = 20
# The difference that is tolerated between a provider's own times, because they are rounded.
_ROUNDING_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Echo:
    """The description of an order in a provider's response. Omitted values are None.

    `created_at` is the time of the remote job's creation, and `answered_at` the `Date` header: both
    are Unix seconds of the provider's clock.
    """

    prompt: str | None = None
    seconds: float | None = None
    size: tuple[int, int] | None = None
    created_at: float | None = None
    answered_at: float | None = None

    @property
    def made_at(self) -> float | None:
        """The time of the creation or, if it is not given, of the response."""
        return self.answered_at if self.created_at is None else self.created_at

    def contradicts(self, request: VideoRequest) -> bool:
        """Return whether the prompt, the length or the size differs from the request's."""
        return self.contradicts_format(request) or (
            self.prompt is not None and not _are_same(self.prompt, request.prompt)
        )

    def contradicts_format(self, request: VideoRequest) -> bool:
        """Return whether the length or the size differs from the request's."""
        return (
            self.seconds is not None and abs(self.seconds - request.seconds) > _SECONDS_TOLERANCE
        ) or _are_different(self.size, size_in(request.size))

    def is_made_after(self, moment: float | None) -> bool:
        """Return whether the remote job was created after `moment` by the provider's clock."""
        if moment is None or self.created_at is None:
            return False
        # Some servers report the time of each response as the creation time, which proves nothing.
        is_stamped_now = (
            self.answered_at is not None and abs(self.created_at - self.answered_at) <= 1
        )
        return not is_stamped_now and self.created_at > moment + _ROUNDING_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """The order to which a remote id was assigned, reduced to what an echo can contain.

    `made_at`: the remote job's `Echo.made_at` in the create response, or None if unknown.
    `is_echoed`: whether that response did not contradict the request.
    `has_prompt`: whether the prompt is still stored.
    """

    ref: str
    request: VideoRequest
    made_at: float | None = None
    is_echoed: bool = True
    has_prompt: bool = True

    def is_of(self, echo: Echo) -> bool:
        """Return False if the echo shows that the id belongs to another job."""
        if echo.is_made_after(self.made_at):
            return False
        if not self.is_echoed:
            return True
        if self.has_prompt:
            return not echo.contradicts(self.request)
        return not echo.contradicts_format(self.request)


def _are_same(echoed: str, asked: str) -> bool:
    ours, theirs = _normalised(asked), _normalised(echoed)
    if ours == theirs:
        return True
    beginning = theirs.removesuffix("...").rstrip()
    return len(beginning) >= _MIN_CUT_PROMPT and ours.startswith(beginning)


def _normalised(prompt: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", prompt).split())


def _are_different(echoed: tuple[int, int] | None, asked: tuple[int, int] | None) -> bool:
    if echoed is None or asked is None:
        return False
    pairs = zip(echoed, asked, strict=True)
    return any(abs(theirs - ours) > _PIXELS_TOLERANCE for theirs, ours in pairs)
