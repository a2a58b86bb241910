"""Pauses between polls, between card edits, and before looking up an unconfirmed create."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Cadence:
    """Seconds between a job's polls, which grow from `first` to `ceiling` by a factor `growth`."""

    first: float
    growth: float
    ceiling: float

    def after(self, polls: int) -> float:
        """Return the seconds to wait after the given number of polls."""
        # The exponent is bounded because many polls would overflow the float.
        return min(self.first * self.growth ** min(polls, 100), self.ceiling)


@dataclass(frozen=True, kw_only=True, slots=True)
class LookupDelays:
    """Seconds before an unconfirmed create is first looked up, and between further look-ups.

    `first` is longer than the POST's time-out, because the provider may still be creating the job.
    """

    first: float
    apart: float


@dataclass(frozen=True, kw_only=True, slots=True)
class EditIntervals:
    """Minimum seconds between a card's edits: for new states, and for percentages by job age."""

    state: float = 1.0
    first_minute: float = 5.0
    first_hour: float = 15.0
    later: float = 60.0

    def between(self, age: float) -> float:
        """Return the seconds between percentage edits for a job that is `age` seconds old."""
        if age < 60:  # noqa: PLR2004 - a minute
            return self.first_minute
        return self.first_hour if age < 3600 else self.later  # noqa: PLR2004 - an hour
