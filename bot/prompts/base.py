"""The protocol for prompt writers, and a function that appends sentences to a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class PromptWriter(Protocol):
    """Writes the prompt that is sent to the provider.

    The prompt begins with the requester's words.
    """

    name: str

    def asks(self, words: str, room: int) -> bool:
        """Tell whether `write` would send a request for the words."""
        ...

    async def write(self, words: str, *, room: int) -> str:
        """Return the requester's words, followed by as many sentences as fit.

        The result has at most `room` characters. Raises BackendError if the writer's service fails.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class VerbatimWriter:
    """A prompt writer that adds nothing to the requester's words."""

    name = "off"

    def asks(self, words: str, room: int) -> bool:  # noqa: ARG002 - nothing is added
        """Return False, because this writer sends no requests."""
        return False

    async def write(self, words: str, *, room: int) -> str:  # noqa: ARG002 - nothing is added
        """Return the words unchanged."""
        return words

    async def close(self) -> None:
        """Do nothing, because this writer has no connections."""


def compose(words: str, additions: Iterable[str], *, room: int) -> str:
    """Append the `additions` to the words, one per line, until one of them doesn't fit.

    `room`: the maximum number of characters of the result.
    """
    written, separator = words, "\n\n"
    for addition in additions:
        longer = f"{written}{separator}{addition}"
        if len(longer) > room:
            break
        written, separator = longer, "\n"
    return written
