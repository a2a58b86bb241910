"""The protocol of all moderation services, and the reasons why they refuse a text."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Reason(StrEnum):
    """A reason to refuse a text, as the key of its sentence in `bot/locales`; the gravest first."""

    MINORS = "failed.found_minors"
    SELF_HARM = "failed.found_self_harm"
    HATE = "failed.found_hate"
    HARASSMENT = "failed.found_harassment"
    ILLICIT = "failed.found_illicit"
    SEXUAL = "failed.found_sexual"
    VIOLENCE = "failed.found_violence"
    OTHER = "failed.found_other"


class Moderator(Protocol):
    """Checks the requester's texts before a job costs anything."""

    async def check(self, texts: Sequence[str]) -> Reason | None:
        """Return the gravest reason to refuse these texts; None: there is none.

        BackendError: the service failed.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
