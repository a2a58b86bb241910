"""Pauses: between two polls, between two edits of a card, and around a create in doubt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Cadence:
    """Seconds between two polls of a job: `first`, then `growth` times more, up to `ceiling`."""

    first: float
    growth: float
    ceiling: float

    def after(self, polls: int) -> float:
        """Seconds until the next poll of a job that was polled so often."""
        # The exponent is bounded because the power of a long-lived job would overflow.
        return min(self.first * self.growth ** min(polls, 100), self.ceiling)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settling:
    """Seconds before a doubtful create is looked up, and between two looks.

    `first` outlives the POST's time-out: a provider may still be taking the job in.
    """

    first: float
    apart: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds between two edits of one card: for a new state, and for a mere percentage."""

    state: float = 1.0
    first_minute: float = 5.0
    first_hour: float = 15.0
    later: float = 60.0

    def between(self, age: float) -> float:
        """Seconds between two percentages on the card of a job of this age."""
        if age < 60:  # noqa: PLR2004 - a minute
            return self.first_minute
        return self.first_hour if age < 3600 else self.later  # noqa: PLR2004 - an hour
