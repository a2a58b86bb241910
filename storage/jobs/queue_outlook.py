"""Estimates how long an open job will wait, from how long earlier jobs took."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bot.model import JobState
from storage.access.settings import AccessSettingsStore
from storage.jobs.circuits import CircuitStore
from storage.jobs.generation_times import GenerationTimes
from storage.jobs.holds import HoldStore
from storage.jobs.queue.overview import QueueOverviewStore
from storage.jobs.queue.places import QueuePlaces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.errors import Trouble
    from bot.model import HoldReason, Job
    from storage.access.pause import Pause
    from storage.database import Database
    from storage.jobs.queue.overview import QueueOverview

# The minimum number of earlier jobs. The median duration of fewer jobs would mean little.
_MIN_SAMPLES = 3

# An open circuit, or the operator's pause, makes these jobs wait.
_QUEUING = frozenset({JobState.RECEIVED, JobState.QUEUED})
_NOT_YET_GENERATED = frozenset(
    {JobState.RECEIVED, JobState.QUEUED, JobState.SUBMITTING, JobState.GENERATING}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """The forecast for an open job.

    `place`: the job's place in the queue, starting at 1. None if it is not queued or is far back.
    `usual_seconds`: the median time that the provider took for similar jobs, if that is known.
    `trouble`: the reason why all queued jobs wait, if they do.
    `hold`: the reason why this job is on hold, if it is.
    `operator_knows`: whether the operator was notified of `trouble` or `hold`.
    `drain`: the operator's pause, if queued jobs wait until it ends.
    """

    place: int | None = None
    usual_seconds: float | None = None
    trouble: Trouble | None = None
    hold: HoldReason | None = None
    operator_knows: bool = False
    drain: Pause | None = None


class QueueOutlook:
    """Finds out the place and the waiting time that a card and `/status` show."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._access = AccessSettingsStore(database)
        self._circuits = CircuitStore(database)
        self._holds = HoldStore(database)
        self._times = GenerationTimes(database)
        self._places = QueuePlaces(database)
        self._overview = QueueOverviewStore(database)

    async def of(self, job: Job) -> Outlook:
        """Return a job's place and the usual duration, or the reason why the job must wait."""
        if job.state not in _QUEUING or job.clip_of is not None:
            return await self._on_hold(job) or Outlook(usual_seconds=await self._usual_seconds(job))
        # Reads that wait at the same time share a transaction.
        circuit, place, usual_seconds, pause = await asyncio.gather(
            self._circuits.get(job.backend),
            self._places.of(job),
            self._usual_seconds(job),
            self._access.pause(now=self._clock()),
        )
        if circuit is not None and circuit.is_open:
            return Outlook(trouble=circuit.reason, operator_knows=circuit.reached)
        drain = pause if pause is not None and pause.is_drain else None
        outlook = Outlook(place=place, usual_seconds=usual_seconds, drain=drain)
        return await self._on_hold(job) or outlook

    async def places(self) -> Mapping[str, int]:
        """Return the places of the first queued jobs, by job id."""
        return await self._places.first()

    async def overview(self, user_id: int) -> QueueOverview:
        """Return the numbers of open jobs, and the places of one person's jobs."""
        return await self._overview.of(user_id)

    async def _on_hold(self, job: Job) -> Outlook | None:
        if job.hold is None:
            return None
        notice = await self._holds.notice(job.hold)
        return Outlook(hold=job.hold, operator_knows=notice is not None and notice.reached)

    async def _usual_seconds(self, job: Job) -> float | None:
        if job.state not in _NOT_YET_GENERATED or job.clip_of is not None:
            return None
        times = await self._times.recent(job)
        return median(times) if len(times) >= _MIN_SAMPLES else None
