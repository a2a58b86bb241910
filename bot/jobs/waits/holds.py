"""Holds: puts jobs on hold for a reason that is shown on their cards."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import FirstError
from bot.model import HoldReason, JobChanged, JobState
from storage.errors import StorageError
from storage.jobs.circuits import MAX_HELD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.events import EventBus
    from bot.jobs.service import JobService
    from bot.model import Job
    from bot.pacing import WatchedClock
    from storage.jobs.holds import HoldStore

log = logging.getLogger(__name__)

_CHECK_SECONDS = 30.0
_FAILURES: Mapping[HoldReason, str] = {
    HoldReason.DISK: "failed.no_space",
    HoldReason.BACKEND: "failed.other_backend",
    HoldReason.TWIN: "failed.twin",
}
_NOT_SUBMITTED = frozenset({JobState.RECEIVED, JobState.QUEUED})


class Holds:
    """Puts jobs on hold, and ends jobs that have been on hold for a day.

    A paid job that only waits for disk space is not ended, because its video can still be fetched.
    """

    def __init__(
        self,
        store: HoldStore,
        jobs: JobService,
        bus: EventBus,
        *,
        backend: str,
        clock: WatchedClock,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._bus = bus
        self._backend = backend
        self._clock = clock

    async def hold(
        self, job: Job, hold: HoldReason, *, after: float, attempts: int | None = None
    ) -> None:
        """Put a claimed job on hold without changing its state.

        The job's next step is due in `after` seconds.
        `attempts`: the job's new number of attempts, or None to leave it unchanged.
        """
        # A job that only adds a narration to a finished video costs nothing in any state.
        is_unpaid = job.state in _NOT_SUBMITTED or job.clip_of is not None
        if is_unpaid and hold in _FAILURES and self._is_over(job):
            await self._jobs.fail(job, _FAILURES[hold])
            return
        now = self._clock()
        attempts = job.attempts if attempts is None else attempts
        held = await self._store.hold(job, hold, next_at=now + after, attempts=attempts, now=now)
        if held is not None:
            if job.hold is not hold:
                log.warning("job.held id=%s because=%s", job.id, hold)
            self._bus.publish(JobChanged(job=held, previous=held.state))

    async def run(self) -> None:
        """Run `check` every 30 seconds until cancelled."""
        while True:
            try:
                await self.check()
            except StorageError:
                log.exception("holds.not_looked_at")  # the next check tries again
            await asyncio.sleep(_CHECK_SECONDS)

    async def check(self) -> None:
        """Put jobs of other backends on hold, and end those that have been on hold for a day."""
        now = self._clock()
        for job in await self._store.release_own_backend(self._backend, now=now):
            self._bus.publish(JobChanged(job=job, previous=job.state))
        for job in await self._store.hold_other_backends(self._backend, now=now):
            log.warning(
                "job.held id=%s because=%s backend=%s", job.id, HoldReason.BACKEND, job.backend
            )
            self._bus.publish(JobChanged(job=job, previous=job.state))
        first_error = FirstError()
        for job in await self._store.held():
            if job.hold is HoldReason.BACKEND and self._is_over(job):
                with first_error.deferred():
                    await self._end_held(job)
        first_error.raise_if_any()

    def _is_over(self, job: Job) -> bool:
        if job.held_since is None or self._clock.is_unsettled:
            return False
        return self._clock() - job.held_since >= MAX_HELD_SECONDS

    async def _end_held(self, job: Job) -> None:
        current: Job | None = job
        if job.state is JobState.SUBMITTING:
            current = await self._jobs.move(job, JobState.UNCONFIRMED)
        if current is None:
            return
        if current.state is JobState.UNCONFIRMED:
            # The provider may have charged for the create request, so the requester must decide.
            await self._jobs.move(current, JobState.UNDECIDED)
        else:
            await self._jobs.fail(current, _FAILURES[HoldReason.BACKEND])
