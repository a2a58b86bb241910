"""A prompt writer and a moderation service that remember the texts that they got."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.moderation.base import Reason


@dataclass
class FakeWriter:
    """A prompt writer whose prompts are all different; each call consumes the first fault."""

    name: str = "fake"
    written: list[str] = field(default_factory=list[str])
    faults: list[Exception] = field(default_factory=list[Exception])
    rooms: list[int] = field(default_factory=list[int])

    def asks(self, words: str, room: int) -> bool:  # noqa: ARG002 - for any words
        return True

    async def write(self, words: str, *, room: int) -> str:
        self.rooms.append(room)
        if self.faults:
            raise self.faults.pop(0)
        self.written.append(f"{words}\n\nTake {len(self.written) + 1}.")
        return self.written[-1]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


@dataclass
class FakeModerator:
    """A moderation service with `reasons` by word; each call consumes the first fault."""

    reasons: dict[str, Reason] = field(default_factory=dict[str, "Reason"])
    faults: list[BackendError] = field(default_factory=list[BackendError])
    checked: list[str] = field(default_factory=list[str])

    async def check(self, texts: Sequence[str]) -> Reason | None:
        if self.faults:
            raise self.faults.pop(0)
        self.checked += texts
        found = (reason for word, reason in self.reasons.items() if word in " ".join(texts))
        return next(found, None)

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""
