"""What every moderation service offers, and the reasons that it may find."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Reason(StrEnum):
    """Why a text is not sent, by the sentence that says so; the gravest first."""

    MINORS = "failed.found_minors"
    SELF_HARM = "failed.found_self_harm"
    HATE = "failed.found_hate"
    HARASSMENT = "failed.found_harassment"
    ILLICIT = "failed.found_illicit"
    SEXUAL = "failed.found_sexual"
    VIOLENCE = "failed.found_violence"
    OTHER = "failed.found_other"


class Moderator(Protocol):
    """Looks at what a person wrote, before anything is spent on it."""

    async def check(self, texts: Sequence[str]) -> Reason | None:
        """Return the gravest reason against these texts; None: there is none.

        BackendError: nobody can tell now.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...
