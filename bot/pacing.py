"""The process's clock, and the pauses between polls, card edits, and searches for lost jobs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: The most seconds by which a machine's clock just drifts; if it is off by more, it was set.
CLOCK_STEP_SECONDS = 30.0
# Enough time for a second correction of the clock, and for polling every open job.
_UNSETTLED_SECONDS = 10 * 60.0
_DAY = 24 * 60 * 60.0


class WatchedClock:
    """Returns Unix seconds that pass evenly, except when `adopt` follows the machine's clock.

    `wall`: the machine's clock, which may be set at any time. `steady`: a clock that is never set.
    """

    def __init__(self, *, wall: Callable[[], float], steady: Callable[[], float]) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._unsettled_until = -math.inf
        # Unix time minus steady time, according to other evidence than the machine's clock.
        self._evidence = self._offset

    def __call__(self) -> float:
        """Return the time in Unix seconds."""
        return self._steady() + self._offset

    def wall(self) -> float:
        """Return what the machine's clock shows, in Unix seconds."""
        return self._wall()

    def steady(self) -> float:
        """Return seconds since an arbitrary moment, for durations within this process."""
        return self._steady()

    @property
    def drift(self) -> float:
        """The seconds by which the machine's clock was set since the last `adopt`."""
        return self._wall() - self()

    @property
    def is_unsettled(self) -> bool:
        """True while the clock must not decide if something is late, or old enough to delete."""
        return abs(self.drift) > CLOCK_STEP_SECONDS or self._steady() < self._unsettled_until

    def adopt(self, drift: float) -> None:
        """Follow the machine's clock, which was set by `drift` seconds."""
        self._offset += drift

    def mark_unsettled(self) -> None:
        """Be unsettled for the next ten minutes."""
        self._unsettled_until = self._steady() + _UNSETTLED_SECONDS

    def set_known(self, moment: float) -> None:
        """Set the current time according to other evidence: an earlier process, or a server."""
        self._evidence = moment - self._steady()

    @property
    def known(self) -> float:
        """The current time by that evidence, even if the machine's clock was set since then."""
        return self._evidence + self._steady()

    def conservative(self) -> float:
        """Return the time, but at most a day later than `known`."""
        return min(self(), self.known + _DAY)


def machine_clock() -> WatchedClock:
    """Return the clock of this machine."""
    return WatchedClock(wall=time.time, steady=seconds_since_boot)


def seconds_since_boot() -> float:
    """Return the seconds since the machine's boot, including the time that it was suspended."""
    # Only Linux has this clock. Elsewhere, a suspension looks like a clock that was set, which is
    # harmless.
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


@dataclass(frozen=True, kw_only=True, slots=True)
class PollIntervals:
    """The seconds between a job's polls, from `first` to `ceiling`. They grow by `growth`."""

    first: float
    growth: float
    ceiling: float

    def after(self, polls: int) -> float:
        """Return the seconds to wait after the given number of polls."""
        # The exponent is bounded, because after many polls the power would overflow.
        return min(self.first * self.growth ** min(polls, 100), self.ceiling)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListIntervals:
    """The seconds between two readings of the provider's list (`period`).

    `put_off`: the seconds after which a job that the list shows is polled by itself.
    `blind_age`: the age at which a job without a percentage is worth a reading of the list even if
    it is the only job, or None for never.
    """

    period: float
    put_off: float
    blind_age: float | None

    def between_pages(self, pages: int) -> float:
        """Return the seconds between the pages of a list with this many pages."""
        # A few pages are read within the period, more pages at four a second, and very many fast
        # enough to show each job again before it is polled alone.
        return max(self.period / pages, min(0.25, 0.8 * self.put_off / pages))


@dataclass(frozen=True, kw_only=True, slots=True)
class LookupDelays:
    """Seconds before an unconfirmed job is first looked for, and between further searches.

    `first` is longer than the POST's time-out, because the provider may still be creating the job.
    """

    first: float
    interval: float


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
