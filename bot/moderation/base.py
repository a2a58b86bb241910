"""The protocol for moderation services, and their reasons for refusing a text."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Reason(StrEnum):
    """Reasons to refuse a text, gravest first, as the keys of their sentences in `bot/locales`."""

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
        """Return the gravest reason to refuse these texts, or None if they pass.

        BackendError: the service failed.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
