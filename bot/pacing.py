"""The clock of the bot, and the pauses between polls, card edits and searches for lost jobs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: If a machine's clock is off by more than this, it was changed. If by less, it has only drifted.
CLOCK_STEP_SECONDS = 30.0
# In this time, the clock may be corrected once more, and every open job can be polled.
_UNSETTLED_SECONDS = 10 * 60.0
_DAY = 24 * 60 * 60.0


class WatchedClock:
    """A clock that runs evenly, even if the machine's clock is changed. `adopt` follows a change.

    `wall`: the machine's clock, which may be changed at any time.
    `steady`: a clock that never jumps, with an arbitrary zero point.
    """

    def __init__(self, *, wall: Callable[[], float], steady: Callable[[], float]) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._unsettled_until = -math.inf
        # Unix time minus steady time, but without trusting later changes to the machine's clock.
        self._evidence = self._offset

    def __call__(self) -> float:
        """Return the time in Unix seconds."""
        return self._steady() + self._offset

    def wall(self) -> float:
        """Return the time of the machine's clock in Unix seconds."""
        return self._wall()

    def steady(self) -> float:
        """Return the time of the steady clock, which can measure durations within this process."""
        return self._steady()

    @property
    def drift(self) -> float:
        """The seconds by which the machine's clock is ahead of this one."""
        return self._wall() - self()

    @property
    def is_unsettled(self) -> bool:
        """True while the clock may be wrong, so that nothing must expire or be deleted by it."""
        return abs(self.drift) > CLOCK_STEP_SECONDS or self._steady() < self._unsettled_until

    def adopt(self, drift: float) -> None:
        """Follow the machine's clock, which was changed by `drift` seconds."""
        self._offset += drift

    def mark_unsettled(self) -> None:
        """Regard the clock as possibly wrong for the next ten minutes."""
        self._unsettled_until = self._steady() + _UNSETTLED_SECONDS

    def set_known(self, moment: float) -> None:
        """Set the value of `known` to a time from an earlier process or from a server."""
        self._evidence = moment - self._steady()

    @property
    def known(self) -> float:
        """The current Unix time according to `set_known`. It ignores the machine's clock."""
        return self._evidence + self._steady()

    def conservative(self) -> float:
        """Return the time, but no more than a day after `known`. Used for deleting by age."""
        return min(self(), self.known + _DAY)


def machine_clock() -> WatchedClock:
    """Return the clock of this machine."""
    return WatchedClock(wall=time.time, steady=seconds_since_boot)


def seconds_since_boot() -> float:
    """Return the seconds since the machine's boot, including the time when it was suspended."""
    # Only Linux has this clock. Elsewhere, it seems after a suspension that the machine's clock was
    # changed, which is harmless.
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


@dataclass(frozen=True, kw_only=True, slots=True)
class PollIntervals:
    """The seconds between a job's polls: at first `first`, then `growth` times more each time.

    They never exceed `ceiling`.
    """

    first: float
    growth: float
    ceiling: float

    def after(self, polls: int) -> float:
        """Return the seconds to wait after the given number of polls."""
        # The exponent is bounded, because the power would overflow after many polls.
        return min(self.first * self.growth ** min(polls, 100), self.ceiling)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListIntervals:
    """The pauses for reading the provider's job list, in seconds.

    `period`: the time between the starts of two readings of the list.
    `put_off`: the time by which the individual poll of a listed job is postponed.
    `blind_age`: for a job that has this age and no percentage, the list is read even if there are
    few jobs. None means never.
    """

    period: float
    put_off: float
    blind_age: float | None

    def between_pages(self, pages: int) -> float:
        """Return the seconds between two pages, if the list has this many pages."""
        # A few pages are spread over the period. More pages are read at four a second. Very many
        # pages are read faster, so that each job is shown again before its individual poll is due.
        return max(self.period / pages, min(0.25, 0.8 * self.put_off / pages))


@dataclass(frozen=True, kw_only=True, slots=True)
class LookupDelays:
    """The seconds before the first search for an unconfirmed job, and between further searches.

    `first` is longer than the time-out of the POST, because the provider may still be creating the
    job after the time-out.
    """

    first: float
    interval: float


@dataclass(frozen=True, kw_only=True, slots=True)
class EditIntervals:
    """The minimum seconds between two edits of a card.

    `state`: before an edit that shows a new state. The other fields apply before an edit that shows
    a new percentage, and depend on the job's age.
    """

    state: float = 1.0
    first_minute: float = 5.0
    first_hour: float = 15.0
    later: float = 60.0

    def between(self, age: float) -> float:
        """Return the seconds between percentage edits for a job that is `age` seconds old."""
        if age < 60:  # noqa: PLR2004 - a minute
            return self.first_minute
        return self.first_hour if age < 3600 else self.later  # noqa: PLR2004 - an hour
