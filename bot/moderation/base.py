"""The protocol for moderation services, and the reasons for which they refuse texts."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Reason(StrEnum):
    """The reasons to refuse a text, most serious first. The values are locale keys."""

    MINORS = "failed.found_minors"
    SELF_HARM = "failed.found_self_harm"
    HATE = "failed.found_hate"
    HARASSMENT = "failed.found_harassment"
    ILLICIT = "failed.found_illicit"
    SEXUAL = "failed.found_sexual"
    VIOLENCE = "failed.found_violence"
    OTHER = "failed.found_other"


class Moderator(Protocol):
    """Checks the requester's texts, before a job costs anything."""

    async def check(self, texts: Sequence[str]) -> Reason | None:
        """Return the most serious reason to refuse the texts, or None if all texts pass.

        Raises BackendError if the service fails.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
