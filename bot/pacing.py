"""The process's clock, and the pauses between polls, edits and searches for lost jobs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

#: A reading of several clocks.
Moment: TypeAlias = "tuple[float, ...]"

#: If the machine's clock is off by at most this many seconds, it has drifted. If it is off by more,
#: it was set.
CLOCK_STEP_SECONDS = 30.0
#: A create request is sent at most this many seconds after its intent was stored. After a longer
#: pause of this process, another one may already look for the job at the provider. If the provider
#: received the request after that search, the job would be ordered twice.
MAX_POST_SECONDS = 10.0
# This is enough time for the clock to be corrected again, and for every open job to be polled.
_UNSETTLED_SECONDS = 10 * 60.0
_DAY = 24 * 60 * 60.0


class WatchedClock:
    """A clock in Unix seconds. Unlike the machine's clock, it doesn't jump when the time is set.

    It changes to the machine's time only when `adopt` is called.

    `wall`: the machine's clock, which may be set at any time.
    `steady`: a clock that is never set.
    """

    def __init__(self, *, wall: Callable[[], float], steady: Callable[[], float]) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._unsettled_until = -math.inf
        # Unix time minus steady time, according to the last call of `set_known`.
        self._evidence = self._offset

    def __call__(self) -> float:
        """Return the current time in Unix seconds."""
        return self._steady() + self._offset

    def wall(self) -> float:
        """Return the time of the machine's clock in Unix seconds."""
        return self._wall()

    def steady(self) -> float:
        """Return the seconds since an arbitrary moment, for measuring durations in this process."""
        return self._steady()

    @property
    def drift(self) -> float:
        """The seconds by which the machine's clock is ahead of this clock."""
        return self._wall() - self()

    @property
    def is_unsettled(self) -> bool:
        """Whether the time may be wrong. If so, nothing may expire or be deleted."""
        return abs(self.drift) > CLOCK_STEP_SECONDS or self._steady() < self._unsettled_until

    def adopt(self, drift: float) -> None:
        """Move this clock by `drift` seconds, because the machine's clock was set by that much."""
        self._offset += drift

    def mark_unsettled(self) -> None:
        """Treat the time as possibly wrong for the next ten minutes."""
        self._unsettled_until = self._steady() + _UNSETTLED_SECONDS

    def set_known(self, moment: float) -> None:
        """Record that the current time is `moment`, as an earlier process or a server reported."""
        self._evidence = moment - self._steady()

    @property
    def known(self) -> float:
        """The current time according to `set_known`, even if the machine's clock was set later."""
        return self._evidence + self._steady()

    def conservative(self) -> float:
        """Return the current time, but at most a day later than `known`."""
        return min(self(), self.known + _DAY)


def machine_clock(wall: Callable[[], float] = time.time) -> WatchedClock:
    """Return a clock that follows `wall`, which is by default this machine's clock."""
    return WatchedClock(wall=wall, steady=seconds_since_boot)


def seconds_since_boot() -> float:
    """Return the seconds since the machine was started, including the time of suspensions."""
    # Only Linux has this clock. On other systems, a suspension looks as if the clock was set, which
    # is harmless.
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def unstoppable_clocks() -> tuple[Callable[[], float], ...]:
    """Return one or more clocks. At least one of them advances while the machine is suspended."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return (seconds_since_boot,)
    return (time.time, time.monotonic)


class PostFence:
    """Tells whether it is too late to send a create request.

    Time during which the process was paused counts too.

    `clocks`: if one of them has advanced by more than `max_seconds`, the request is too late.
    """

    def __init__(
        self,
        clocks: tuple[Callable[[], float], ...] | None = None,
        *,
        max_seconds: float = MAX_POST_SECONDS,
    ) -> None:
        self._clocks = unstoppable_clocks() if clocks is None else clocks
        self._max_seconds = max_seconds

    def now(self) -> Moment:
        """Return the current moment. It must be taken before the intent is stored."""
        return tuple(clock() for clock in self._clocks)

    def is_too_late(self, since: Moment) -> bool:
        """Tell whether a create request must no longer be sent.

        `since`: the moment taken before the intent of the request was stored.
        """
        passed = (now - then for now, then in zip(self.now(), since, strict=True))
        return max(passed) > self._max_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class PollIntervals:
    """The seconds between two polls of a job.

    They grow from `first` to `ceiling`, each time by the factor `growth`.
    """

    first: float
    growth: float
    ceiling: float

    def after(self, polls: int) -> float:
        """Return the seconds to wait before the next poll, after the given number of polls."""
        # Without a bound on the exponent, the power would overflow after many polls.
        return min(self.first * self.growth ** min(polls, 100), self.ceiling)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListIntervals:
    """The seconds between two requests for the provider's list of jobs (`period`).

    `put_off`: if a job was in the list, it is polled individually only after this many seconds.
    `blind_age`: the age in seconds from which the list is read for a single open job whose progress
    is unknown. If this is None, the list is not read for a single job.
    """

    period: float
    put_off: float
    blind_age: float | None

    def between_pages(self, pages: int) -> float:
        """Return the seconds between requests for two pages of a list that has `pages` pages."""
        # A short list is read within the period, and a long one at four pages per second. A very
        # long one is read so fast that each job is seen again before it would be polled
        # individually.
        return max(self.period / pages, min(0.25, 0.8 * self.put_off / pages))


@dataclass(frozen=True, kw_only=True, slots=True)
class LookupDelays:
    """The seconds before the first search for an unconfirmed job, and between further searches.

    `first` is longer than the POST's time-out, because the provider may still be creating the job.
    """

    first: float
    interval: float


@dataclass(frozen=True, kw_only=True, slots=True)
class EditIntervals:
    """The minimum seconds between edits of a card.

    `state` applies to edits that show a new state. The other fields apply to edits that show
    progress. The job's age decides which of them is used.
    """

    state: float = 1.0
    first_minute: float = 5.0
    first_hour: float = 15.0
    later: float = 60.0

    def between(self, age: float) -> float:
        """Return the minimum seconds between edits that show progress, given the job's age."""
        if age < 60:  # noqa: PLR2004 - a minute
            return self.first_minute
        return self.first_hour if age < 3600 else self.later  # noqa: PLR2004 - an hour
