"""Poller: asks the provider for the status of remote jobs, with or without webhooks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind
from bot.model import Failure, JobState
from storage.jobs.store import Changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import BackendUpdate, VideoBackend
    from bot.jobs.service import JobService
    from bot.model import Job
    from bot.pacing import Cadence, WatchedClock

log = logging.getLogger(__name__)

# A clip that is finished after the deadline has been paid for, so polls continue, but rarely.
_LATE_SECONDS = 24 * 60 * 60.0
_LATE_INTERVAL_SECONDS = 300.0
_GONE_RETRY_SECONDS = 60.0


class Poller:
    """The step of `generating`: one request, then the next state or the next poll."""

    def __init__(
        self,
        jobs: JobService,
        backend: VideoBackend,
        cadence: Cadence,
        *,
        clock: WatchedClock,
        jitter: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._backend = backend
        self._cadence = cadence
        self._clock = clock
        self._jitter = jitter

    async def poll(self, job: Job) -> None:
        """Ask the provider once, and act on the answer."""
        assert job.remote_id is not None  # noqa: S101 - the table's CHECK
        try:
            update = await self._backend.poll(job.remote_id)
        except BackendError as error:
            if error.kind is ErrorKind.GONE:
                await self._not_found(job)
                return
            log.warning("poll.refused id=%s error=%r", job.id, str(error))
            await self._wait(job, None, retry_after=error.retry_after)
            return
        await self._apply(job, update)

    async def _not_found(self, job: Job) -> None:
        # The first time may be a restart of the provider; the second time, the job is lost.
        if job.misses:
            await self._jobs.fail(job, "failed.gone")
        else:
            await self._jobs.postpone(job, after=_GONE_RETRY_SECONDS, misses=1)

    async def _apply(self, job: Job, update: BackendUpdate) -> None:
        match update.state:
            case RemoteState.DONE:
                done = Changes(progress=100, cost=update.cost)
                await self._jobs.move(job, JobState.DOWNLOADING, done)
            case RemoteState.FAILED:
                kind = update.error.kind if update.error else ErrorKind.INTERNAL
                log.warning("job.refused id=%s error=%r", job.id, str(update.error))
                failed = Changes(failure=Failure(key=f"failed.{kind}"), cost=update.cost)
                await self._jobs.move(job, JobState.FAILED, failed)
            case RemoteState.QUEUED | RemoteState.RUNNING:
                await self._wait(job, update)

    async def _wait(
        self, job: Job, update: BackendUpdate | None, *, retry_after: float | None = None
    ) -> None:
        if not self._clock.is_unsettled and await self._is_past_a_limit(job, update):
            return
        interval = _LATE_INTERVAL_SECONDS if job.late else self._cadence.after(job.attempts)
        # Bounded, because only a poll checks the deadline.
        asked_for = min(retry_after or 0, _LATE_INTERVAL_SECONDS)
        await self._jobs.postpone(
            job,
            after=max(interval * (1 + self._jitter()), asked_for),
            attempts=job.attempts + 1,
            progress=update.progress if update else None,
            misses=0 if update else None,
        )

    async def _is_past_a_limit(self, job: Job, update: BackendUpdate | None) -> bool:
        """Act on the limits of time; False: the job is within them."""
        now = self._clock()
        # Only after an answer: without one, the job may be finished and must not be cancelled.
        if update is not None and not job.late and now >= (job.deadline_at or 0):
            await self._deadline_passed(job)
            return True
        if now >= self._last_poll_at(job, update):
            await self._jobs.fail(job, "failed.timeout")
            return True
        return False

    async def _deadline_passed(self, job: Job) -> None:
        if await self._is_cancelled(job):
            await self._jobs.fail(job, "failed.timeout")
        else:
            await self._jobs.postpone(job, after=_LATE_INTERVAL_SECONDS, late=True)

    async def _is_cancelled(self, job: Job) -> bool:
        try:
            return await self._backend.cancel(job.remote_id or "")
        except BackendError as error:
            log.warning("cancel.refused id=%s error=%r", job.id, str(error))
            return False

    def _last_poll_at(self, job: Job, update: BackendUpdate | None) -> float:
        if job.late and update is not None and update.expires_at is not None:
            return update.expires_at
        return (job.generating_at or 0) + _LATE_SECONDS
