"""Compares an order with the provider's response, which may repeat parts of the order."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.backends.responses.field_values import size_in

if TYPE_CHECKING:
    from bot.model import VideoRequest

# Models round a clip's length to one that they support. Some servers report the rounded length.
_SECONDS_TOLERANCE = 1.0
# If each clip has exactly the length that was ordered, rounding changes the length that a server
# reports by only a fraction of a second.
_EXACT_TOLERANCE = 0.5
_PIXELS_TOLERANCE = 32
# Some servers repeat only the beginning of a prompt. If it has fewer characters than this, another
# prompt may begin in the same way.
_MIN_CUT_PROMPT = 20
# A provider rounds its times, so two times of the same event may differ by this much.
_ROUNDING_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Echo:
    """The parts of an order that a provider's response repeats. Missing parts are None.

    `created_at`: the time when the remote job was created. `answered_at`: the time in the
    response's `Date` header. Both are in Unix seconds of the provider's clock.
    `has_exact_length`: whether the provider makes each clip exactly as long as it was ordered.
    """

    prompt: str | None = None
    seconds: float | None = None
    size: tuple[int, int] | None = None
    created_at: float | None = None
    answered_at: float | None = None
    has_exact_length: bool = False

    @property
    def made_at(self) -> float | None:
        """The time when the job was created or, if that is missing, the time of the response."""
        return self.answered_at if self.created_at is None else self.created_at

    def contradicts(self, request: VideoRequest) -> bool:
        """Tell whether the prompt, length or size in the response differs from the request's."""
        return self.contradicts_format(request) or (
            self.prompt is not None and not _are_same(self.prompt, request.prompt)
        )

    def contradicts_format(self, request: VideoRequest) -> bool:
        """Tell whether the repeated length or size differs from the request's."""
        tolerance = _EXACT_TOLERANCE if self.has_exact_length else _SECONDS_TOLERANCE
        return (
            self.seconds is not None and abs(self.seconds - request.seconds) > tolerance
        ) or _are_different(self.size, size_in(request.size))

    def is_made_after(self, moment: float | None) -> bool:
        """Tell whether the remote job was created after `moment`, by the provider's clock."""
        if moment is None or self.created_at is None:
            return False
        # Some servers report the time of the response as the time of creation. Such a time proves
        # nothing.
        is_stamped_now = (
            self.answered_at is not None and abs(self.created_at - self.answered_at) <= 1
        )
        return not is_stamped_now and self.created_at > moment + _ROUNDING_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """The order that a remote id belongs to, reduced to the parts that a response can repeat.

    `made_at`: `Echo.made_at` of the response to the create request, or None if unknown.
    `is_echoed`: whether that response repeated the order correctly.
    `has_prompt`: whether the prompt is still stored, so that it can be compared.
    """

    ref: str
    request: VideoRequest
    made_at: float | None = None
    is_echoed: bool = True
    has_prompt: bool = True

    def is_of(self, echo: Echo) -> bool:
        """Tell whether a response may be about this order.

        Returns False if the response shows that the remote id belongs to another job.
        """
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
