"""PollSchedule: decides when a job's provider is asked next, so that its end is noticed soon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model import Job
    from bot.pacing import PollIntervals, WatchedClock
    from storage.jobs.generation_times import GenerationTimes

# Polls are at least this far apart; a provider with faster ones has a smaller first interval.
_MIN_SECONDS = 1.5
# Of the time that the percentage leaves, the share to wait, because the estimate may be too long.
_SHARE = 0.8
# Times of similar jobs without which nothing is concluded, and the polls between their extremes.
_MIN_TIMES = 5
_POLLS = 13
# Pauses in units of the ceiling: before the fastest of similar jobs would end, and while a
# percentage is shown, which the card repeats.
_UNSEEN, _SHOWN = 4, 2
_MOST_READINGS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """A percentage, and the steady time of the first answer that had it."""

    percent: int
    at: float


@dataclass(kw_only=True, slots=True)
class _Readings:
    """The percentages of the jobs that are being generated; losing them does no harm."""

    latest: dict[str, tuple[_Reading, ...]] = field(default_factory=dict[str, tuple[_Reading, ...]])

    def add(self, job_id: str, percent: int | None, at: float) -> None:
        """Keep the first and the last percentage of a job, if they differ."""
        if percent is None or not 0 < percent < 100:  # noqa: PLR2004 - neither end says how fast
            return
        if len(self.latest) >= _MOST_READINGS:
            self.latest.clear()
        first, *later = self.latest.get(job_id, ()) or (_Reading(percent=percent, at=at),)
        last = later[0] if later else first
        if percent > last.percent:
            last = _Reading(percent=percent, at=at)
        self.latest[job_id] = (first, last)

    def seconds_left(self, job_id: str, at: float) -> float | None:
        """Extrapolate to 100 %; None: there is no speed yet, or the job should have ended."""
        first, last = (*self.latest.get(job_id, ()), None, None)[:2]
        if first is None or last is None or last.percent <= first.percent:
            return None
        seconds_per_percent = (last.at - first.at) / (last.percent - first.percent)
        end = last.at + (100 - last.percent) * seconds_per_percent
        return end - at if end > at else None


class PollSchedule:
    """Extrapolates from the percentages that move, or else uses the times of similar jobs.

    Without either, and if webhooks wake the poller, the intervals only grow.
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
        """Return the seconds to wait after an answer that had this percentage."""
        growing = self._intervals.after(job.attempts)
        if self._has_webhooks:
            return growing
        now = self._clock.steady()
        self._readings.add(job.id, percent, now)
        left = self._readings.seconds_left(job.id, now)
        if left is not None:
            return self._bounded(_SHARE * left, _SHOWN)
        return self._by_times(await self._times.recent(job), job, growing)

    def forget(self, job_id: str) -> None:
        """Forget the percentages of a job that has ended."""
        self._readings.latest.pop(job_id, None)

    def _by_times(self, times: tuple[float, ...], job: Job, growing: float) -> float:
        if len(times) < _MIN_TIMES:
            return growing
        age = self._clock() - (job.generating_at or job.created_at)
        step = (times[-1] - times[0]) / _POLLS
        if age < times[0]:
            return self._bounded(times[0] - age, _UNSEEN)
        return self._bounded(step, 1) if age <= times[-1] + step else growing

    def _bounded(self, seconds: float, ceilings: int) -> float:
        least = min(_MIN_SECONDS, self._intervals.first)
        return min(max(seconds, least), ceilings * self._intervals.ceiling)
