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
    from bot.jobs.downloading import LastLook
    from bot.jobs.remote.identity import RemoteIdentity
    from bot.jobs.service import JobService
    from bot.model import Job
    from bot.pacing import PollIntervals, WatchedClock

log = logging.getLogger(__name__)

# A clip that is finished after the deadline has been paid for, so polls continue, but rarely.
_LATE_SECONDS = 24 * 60 * 60.0
_LATE_INTERVAL_SECONDS = 300.0
# Ten minutes: servers with replicas, or just restarted, may not find a job that they have.
_MISSED_SECONDS = 30.0
_MISSES = 20


class Poller:
    """The step of `generating`: one request, then the next state or the next poll."""

    def __init__(
        self,
        jobs: JobService,
        backend: VideoBackend,
        poll_intervals: PollIntervals,
        identity: RemoteIdentity,
        *,
        last_look: LastLook,
        clock: WatchedClock,
        jitter: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._backend = backend
        self._poll_intervals = poll_intervals
        self._identity = identity
        self._last_look = last_look
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
        if not await self._identity.is_own(job, update):
            await self._identity.disown(job)
            return
        await self._apply(job, update)

    async def _not_found(self, job: Job) -> None:
        if job.misses + 1 < _MISSES:
            await self._jobs.postpone(job, after=_MISSED_SECONDS, misses=job.misses + 1)
        else:
            await self._end(job, None, Failure(key="failed.gone"))

    async def _apply(self, job: Job, update: BackendUpdate) -> None:
        match update.state:
            case RemoteState.DONE:
                done = Changes(progress=100, cost=update.cost)
                await self._jobs.move(job, JobState.DOWNLOADING, done)
            case RemoteState.FAILED:
                kind = update.error.kind if update.error else ErrorKind.INTERNAL
                log.warning("job.refused id=%s error=%r", job.id, str(update.error))
                clear = not update.inferred and kind is not ErrorKind.GONE
                await self._end(job, update, Failure(key=f"failed.{kind}"), clear=clear)
            case RemoteState.QUEUED | RemoteState.RUNNING:
                await self._wait(job, update)

    async def _wait(
        self, job: Job, update: BackendUpdate | None, *, retry_after: float | None = None
    ) -> None:
        if await self._is_past_a_limit(job, update):
            return
        interval = _LATE_INTERVAL_SECONDS if job.late else self._poll_intervals.after(job.attempts)
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
        # Only after an answer: without one, the job may be finished and must not be cancelled.
        if update is not None and not job.late and self._has_passed(job.deadline_at or 0):
            await self._deadline_passed(job, update)
            return True
        if self._is_last_poll(job, update):
            await self._end(job, update, Failure(key="failed.timeout"))
            return True
        return False

    async def _end(
        self, job: Job, update: BackendUpdate | None, failure: Failure, *, clear: bool = False
    ) -> None:
        """End a job badly; unless the provider's failure is `clear`, only if there is no clip."""
        cost = update.cost if update else None
        if not clear and await self._last_look.finds_clip(job, update):
            await self._jobs.move(job, JobState.DOWNLOADING, Changes(progress=100, cost=cost))
        else:
            await self._jobs.move(job, JobState.FAILED, Changes(failure=failure, cost=cost))

    async def _deadline_passed(self, job: Job, update: BackendUpdate) -> None:
        if await self._last_look.finds_clip(job, update):
            done = Changes(progress=100, cost=update.cost)
            await self._jobs.move(job, JobState.DOWNLOADING, done)
        elif await self._is_cancelled(job):
            await self._jobs.fail(job, "failed.timeout")
        else:
            await self._jobs.postpone(job, after=_LATE_INTERVAL_SECONDS, late=True)

    async def _is_cancelled(self, job: Job) -> bool:
        try:
            return await self._identity.cancel(job)
        except BackendError as error:
            log.warning("cancel.refused id=%s error=%r", job.id, str(error))
            return False

    def _is_last_poll(self, job: Job, update: BackendUpdate | None) -> bool:
        # The provider's clock says how long it keeps the clip; its times mean nothing to ours.
        if job.late and update is not None and update.expires_in is not None:
            return update.expires_in <= 0
        return self._has_passed((job.generating_at or 0) + _LATE_SECONDS)

    def _has_passed(self, moment: float) -> bool:
        """Tell whether a moment of our clock has passed; an unsettled clock can't tell."""
        return not self._clock.is_unsettled and self._clock() >= moment
