"""What every writer offers, and how words and additions are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class PromptWriter(Protocol):
    """Writes what is sent for a person's words, which stand in it as they are."""

    name: str

    async def write(self, words: str, *, room: int) -> str:
        """Return at most `room` characters, or the words alone if there are more of them.

        BackendError: it can't be done now.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


class VerbatimWriter:
    """Sends the words as they are."""

    name = "off"

    async def write(self, words: str, *, room: int) -> str:  # noqa: ARG002 - nothing is added
        """Return the words."""
        return words

    async def close(self) -> None:
        """Hold nothing open."""


def compose(words: str, additions: Iterable[str], *, room: int) -> str:
    """Put the additions below the words, a line each, as many as there is room for."""
    written, separator = words, "\n\n"
    for addition in additions:
        longer = f"{written}{separator}{addition}"
        if len(longer) > room:
            break
        written, separator = longer, "\n"
    return written
