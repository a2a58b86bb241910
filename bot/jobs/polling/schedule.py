"""PollSchedule: decides when to poll a job next, so that its end is noticed soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model import Job
    from bot.pacing import PollIntervals, WatchedClock
    from storage.jobs.generation_times import GenerationTimes

# The shortest pause, unless the backend's first interval is even shorter.
_MIN_SECONDS = 1.5
# Poll after this share of the estimated remaining time, because the estimate may be too long.
_SHARE_OF_REST = 0.8
# An estimate needs the times of at least this many similar jobs. Between the shortest and the
# longest of these times, this many polls are made.
_MIN_TIMES = 5
_POLLS_IN_RANGE = 13
# The longest pauses, as multiples of the longest interval: while even the fastest similar job would
# still be running, and while the percentage rises, which the card shows.
_CEILINGS_BEFORE_RANGE = 4
_CEILINGS_WITH_PERCENTAGE = 2
_MAX_JOBS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """A percentage, and the steady time of the first response with this percentage."""

    percent: int
    at: float


class _Readings:
    """The first and the latest percentage of each job; losing them only makes estimates worse."""

    def __init__(self) -> None:
        self._ends: dict[str, tuple[_Reading, _Reading]] = {}

    def add(self, job_id: str, percent: int | None, at: float) -> None:
        """Keep a percentage, if it is higher than the latest one."""
        if percent is None or not 0 < percent < 100:  # noqa: PLR2004 - neither end says how fast
            return
        reading = _Reading(percent=percent, at=at)
        if job_id not in self._ends and len(self._ends) >= _MAX_JOBS:
            self._ends.clear()
        first, latest = self._ends.get(job_id, (reading, reading))
        self._ends[job_id] = (first, reading if percent > latest.percent else latest)

    def seconds_left(self, job_id: str, at: float) -> float | None:
        """Return the seconds until 100 %; None: no speed is known, or the job is overdue."""
        if job_id not in self._ends:
            return None
        first, latest = self._ends[job_id]
        if latest.percent == first.percent:
            return None
        seconds_per_percent = (latest.at - first.at) / (latest.percent - first.percent)
        end = latest.at + (100 - latest.percent) * seconds_per_percent
        return end - at if end > at else None

    def forget(self, job_id: str) -> None:
        """Forget the percentages of a job."""
        self._ends.pop(job_id, None)


class PollSchedule:
    """Extrapolates from rising percentages, or else uses the times of similar jobs.

    Without either, and if webhooks wake the poller, each interval is longer than the last.
    """

    def __init__(
        self,
        intervals: PollIntervals,
        times: GenerationTimes,
        *,
        has_webhooks: bool,
        clock: WatchedClock,
    ) -> None:
        self._intervals = intervals
        self._times = times
        self._has_webhooks = has_webhooks
        self._clock = clock
        self._readings = _Readings()

    async def seconds_until_next(self, job: Job, percent: int | None) -> float:
        """Return the seconds until the next poll, after a response with this percentage."""
        growing = self._intervals.after(job.attempts)
        if self._has_webhooks:
            return growing
        now = self._clock.steady()
        self._readings.add(job.id, percent, now)
        left = self._readings.seconds_left(job.id, now)
        if left is not None:
            return self._bounded(_SHARE_OF_REST * left, _CEILINGS_WITH_PERCENTAGE)
        return self._by_times(await self._times.recent(job), job, growing)

    def forget(self, job_id: str) -> None:
        """Forget the percentages of a job that has ended."""
        self._readings.forget(job_id)

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
