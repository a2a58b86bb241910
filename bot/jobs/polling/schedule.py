"""PollSchedule: decides when a job is polled next, so that the bot soon notices that it is done."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Job
    from bot.pacing import PollIntervals, WatchedClock
    from storage.jobs.generation_times import GenerationTimes

# The shortest pause, unless the backend's first interval is even shorter.
_MIN_SECONDS = 1.5
# If a job will be done within `_SHORT_REST_SECONDS`, according to the estimate, it is polled
# shortly after the earliest end that the estimate allows. Otherwise, it is polled when a share of
# the remaining time has passed, because it may be done earlier than estimated.
_SHORT_REST_SECONDS = 16.0
_MARGIN_SECONDS = 0.5
_SHARE_OF_REST = 0.85
# The length of a pause after the estimated end, as a share of the time that has passed since then.
_SHARE_OF_DELAY = 0.5
# Some percentages rise in steps of more than 1. On average, they are half a step too low. The step
# is guessed from the first percentages, which may have a large common divisor by chance. Therefore,
# the step is assumed to be no larger than this.
_MAX_STEP = 10
# The times of similar jobs are used only if there are at least `_MIN_TIMES` of them. Between the
# shortest and the longest of these times, `_POLLS_IN_RANGE` polls are made.
_MIN_TIMES = 5
_POLLS_IN_RANGE = 13
# The upper limit of a pause, as a multiple of `PollIntervals.ceiling`. It applies as long as even
# the fastest similar job would still be running.
_CEILINGS_BEFORE_RANGE = 4
# The same limit, if the end is estimated from percentages.
_CEILINGS_WITH_PERCENTAGE = 2
_MAX_JOBS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """A percentage, and the time (of the steady clock) at which it was first reported."""

    percent: int
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """An estimated end by the steady clock. It may be `doubt` seconds earlier or later."""

    at: float
    doubt: float

    def pause(self, now: float) -> float:
        """Return the seconds until the next poll."""
        left = self.at - now
        if left > _SHORT_REST_SECONDS:
            return _SHARE_OF_REST * left
        if left > 0:
            return max(left + _MARGIN_SECONDS - self.doubt, self.doubt)
        return _SHARE_OF_DELAY * -left


@dataclass(frozen=True, kw_only=True, slots=True)
class _Readings:
    """The first and the latest percentage of a job. `step`: the size of the steps between them."""

    first: _Reading
    latest: _Reading
    step: int

    @property
    def end(self) -> _End | None:
        """The estimated end of the job, or None after only one reading."""
        if self.latest.percent == self.first.percent:
            return None
        passed = self.latest.at - self.first.at
        seconds_per_percent = passed / (self.latest.percent - self.first.percent)
        unseen = (min(self.step, _MAX_STEP) - 1) / 2
        rest = max(0.0, 100 - self.latest.percent - unseen)
        return _End(
            at=self.latest.at + rest * seconds_per_percent, doubt=unseen * seconds_per_percent
        )


class _Percentages:
    """Keeps the percentages of jobs in memory. If they are lost, estimates are less precise."""

    def __init__(self) -> None:
        self._jobs: dict[str, _Readings] = {}

    def add(self, job_id: str, percent: int | None, at: float) -> None:
        """Keep a percentage, if it is higher than the latest one."""
        if percent is None or not 0 < percent < 100:  # noqa: PLR2004 - neither end says how fast
            return
        reading = _Reading(percent=percent, at=at)
        known = self._jobs.get(job_id)
        if known is None:
            if len(self._jobs) >= _MAX_JOBS:
                self._jobs.clear()
            self._jobs[job_id] = _Readings(first=reading, latest=reading, step=percent)
        elif percent > known.latest.percent:
            step = gcd(known.step, percent)
            self._jobs[job_id] = _Readings(first=known.first, latest=reading, step=step)

    def end(self, job_id: str) -> _End | None:
        """Return the estimated end of a job, or None if there is no estimate."""
        known = self._jobs.get(job_id)
        return known.end if known else None

    def forget(self, job_id: str) -> None:
        self._jobs.pop(job_id, None)


class PollSchedule:
    """Estimates a job's end from its rising percentage, or from the times of similar jobs.

    If neither is known, or if webhooks report the end, each interval is longer than the last.
    `jitter` is a random factor for these intervals.
    """

    def __init__(
        self,
        intervals: PollIntervals,
        times: GenerationTimes,
        *,
        has_webhooks: bool,
        clock: WatchedClock,
        jitter: Callable[[], float],
    ) -> None:
        self._intervals = intervals
        self._times = times
        self._has_webhooks = has_webhooks
        self._clock = clock
        self._jitter = jitter
        self._percentages = _Percentages()

    async def seconds_until_next(self, job: Job, percent: int | None) -> float:
        """Return the seconds until the next poll.

        `percent`: the percentage just reported, if any.
        """
        growing = self._intervals.after(job.attempts) * (1 + self._jitter())
        if self._has_webhooks:
            return growing
        now = self._clock.steady()
        self._percentages.add(job.id, percent, now)
        end = self._percentages.end(job.id)
        if end is not None and end.at > now:
            return self._bounded(end.pause(now), _CEILINGS_WITH_PERCENTAGE)
        by_times = self._by_times(await self._times.recent(job), job, growing)
        if end is None:
            return by_times
        return min(by_times, self._bounded(end.pause(now), _CEILINGS_WITH_PERCENTAGE))

    def forget(self, job_id: str) -> None:
        """Forget the percentages of a job that has ended."""
        self._percentages.forget(job_id)

    def _by_times(self, times: tuple[float, ...], job: Job, growing: float) -> float:
        if len(times) < _MIN_TIMES:
            return growing
        age = self._clock() - (job.generating_at or job.created_at)
        step = (times[-1] - times[0]) / _POLLS_IN_RANGE
        if age < times[0]:
            return self._bounded(times[0] - age, _CEILINGS_BEFORE_RANGE)
        return self._bounded(step, 1) if age <= times[-1] + step else growing

    def _bounded(self, seconds: float, ceilings: int) -> float:
        least = min(_MIN_SECONDS, self._intervals.first)
        return min(max(seconds, least), ceilings * self._intervals.ceiling)
