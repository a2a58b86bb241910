"""A clock that tests set, and the time for which they wait."""

from __future__ import annotations

import asyncio

from bot.pacing import WatchedClock

START = 1_800_000_000.0
PATIENCE = 10.0


class Clock(WatchedClock):
    """A clock that advances only when told to; the machine's clock may be `ahead` of the truth.

    `reads` counts how often its time was read.
    """

    def __init__(self, now: float = START, *, ahead: float = 0.0) -> None:
        self.now = now
        self.ahead = ahead
        self.reads = 0
        super().__init__(wall=lambda: self.now + self.ahead, steady=self._read)

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def _read(self) -> float:
        self.reads += 1
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Advance the clock, and let the other tasks run."""
        self.advance(seconds)
        await asyncio.sleep(0)
