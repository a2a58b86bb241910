"""The protocol of all prompt writers, and the composition of a prompt with its additions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class PromptWriter(Protocol):
    """Writes the prompt that is sent to the provider; it begins with the requester's own words."""

    name: str

    async def write(self, words: str, *, room: int) -> str:
        """Return the words with additions, in at most `room` characters; without room, the words.

        BackendError: the writer's service failed.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class VerbatimWriter:
    """Sends the requester's words unchanged."""

    name = "off"

    async def write(self, words: str, *, room: int) -> str:  # noqa: ARG002 - nothing is added
        """Return the words."""
        return words

    async def close(self) -> None:
        """Do nothing: there are no connections."""


def compose(words: str, additions: Iterable[str], *, room: int) -> str:
    """Append the additions to the words, one per line, until `room` characters are used."""
    written, separator = words, "\n\n"
    for addition in additions:
        longer = f"{written}{separator}{addition}"
        if len(longer) > room:
            break
        written, separator = longer, "\n"
    return written
