"""A clock that tests set, and the time for which they wait."""

from __future__ import annotations

START = 1_800_000_000.0
PATIENCE = 10.0


class Clock:
    """A clock that advances only when told to."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
