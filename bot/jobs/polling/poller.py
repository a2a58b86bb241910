"""Poller: asks the provider for the status of a remote job, and acts on the answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind
from bot.model import Failure, HoldReason, JobState
from storage.jobs.store import Changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import BackendUpdate, VideoBackend
    from bot.jobs.downloading import FinalDownload
    from bot.jobs.polling.schedule import PollSchedule
    from bot.jobs.polling.silence import ProviderSilence
    from bot.jobs.remote.fresh_values import FreshValues
    from bot.jobs.remote.identity import RemoteIdentity
    from bot.jobs.service import JobService
    from bot.jobs.waits.holds import Holds
    from bot.model import Job
    from bot.pacing import WatchedClock

log = logging.getLogger(__name__)

# A clip that is finished after the deadline has been paid for as well. Therefore, late jobs are
# still polled for a day, but less often.
_LATE_SECONDS = 24 * 60 * 60.0
_LATE_INTERVAL_SECONDS = 300.0
# A missing job is polled for ten minutes. A server that was restarted or has several replicas may
# not find its own job for a while.
_MISSED_SECONDS = 30.0
_MISSES = 20


class Poller:
    """The step of the state `generating`: polls once, and then moves or postpones the job."""

    def __init__(
        self,
        jobs: JobService,
        backend: VideoBackend,
        schedule: PollSchedule,
        identity: RemoteIdentity,
        *,
        holds: Holds,
        final_download: FinalDownload,
        fresh_answers: FreshValues[BackendUpdate],
        silence: ProviderSilence,
        clock: WatchedClock,
        jitter: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._backend = backend
        self._schedule = schedule
        self._identity = identity
        self._holds = holds
        self._final_download = final_download
        self._fresh_answers = fresh_answers
        self._silence = silence
        self._clock = clock
        self._jitter = jitter

    async def poll(self, job: Job) -> None:
        """Poll the job once, and act on the response."""
        assert job.remote_id is not None  # noqa: S101 - the table's CHECK
        try:
            update = await self._backend.poll(job.remote_id)
        except BackendError as error:
            if error.kind is ErrorKind.GONE:
                self._silence.end(job.id)
                await self._not_found(job)
                return
            log.warning("poll.refused id=%s error=%r", job.id, str(error))
            await self._wait(job, None, retry_after=error.retry_after)
            return
        self._silence.end(job.id)
        if not await self._identity.is_own(job, update):
            await self._identity.handle_foreign(job)
            return
        await self._apply(job, update)

    async def _not_found(self, job: Job) -> None:
        if job.misses + 1 < _MISSES:
            await self._jobs.postpone(job, after=_MISSED_SECONDS, misses=job.misses + 1)
        else:
            await self._end(job, None, Failure(key="failed.gone"))

    async def _apply(self, job: Job, update: BackendUpdate) -> None:
        if update.state in {RemoteState.DONE, RemoteState.FAILED}:
            self._schedule.forget(job.id)
        match update.state:
            case RemoteState.DONE:
                self._fresh_answers.put(job.id, update)
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
        interval = _LATE_INTERVAL_SECONDS * (1 + self._jitter())
        if not job.late:
            percent = update.progress if update else None
            interval = await self._schedule.seconds_until_next(job, percent)
        # The wait is bounded, because a job's deadline is checked only when the job is polled.
        asked_for = min(retry_after or 0, _LATE_INTERVAL_SECONDS)
        after, attempts = max(interval, asked_for), job.attempts + 1
        if update is None and self._silence.is_long(job):
            await self._holds.hold(job, HoldReason.UNANSWERED, after=after, attempts=attempts)
            return
        await self._jobs.postpone(
            job,
            after=after,
            attempts=attempts,
            progress=update.progress if update else None,
            misses=0 if update else None,
        )

    async def _is_past_a_limit(self, job: Job, update: BackendUpdate | None) -> bool:
        """Act on the job's time limits, and return whether one of the limits has passed."""
        # Without a response, the job must not be cancelled, because it may have finished.
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
        """Fail a job, unless its clip can still be downloaded.

        `clear`: whether it is certain that there is no clip, so that no download is tried.
        """
        cost = update.cost if update else None
        if not clear and await self._final_download.try_download(job, update):
            await self._jobs.move(job, JobState.DOWNLOADING, Changes(progress=100, cost=cost))
        else:
            await self._jobs.move(job, JobState.FAILED, Changes(failure=failure, cost=cost))

    async def _deadline_passed(self, job: Job, update: BackendUpdate) -> None:
        if await self._final_download.try_download(job, update):
            done = Changes(progress=100, cost=update.cost)
            await self._jobs.move(job, JobState.DOWNLOADING, done)
        elif await self._is_cancelled(job):
            await self._jobs.fail(job, "failed.timeout")
        else:
            await self._jobs.postpone(job, after=_LATE_INTERVAL_SECONDS, late=True)

    async def _is_cancelled(self, job: Job) -> bool:
        try:
            return await self._identity.cancel(job, unless_done=True)
        except BackendError as error:
            log.warning("cancel.refused id=%s error=%r", job.id, str(error))
            return False

    def _is_last_poll(self, job: Job, update: BackendUpdate | None) -> bool:
        # Some providers say how long they will keep the clip. They measure this by their own clock.
        if job.late and update is not None and update.expires_in is not None:
            return update.expires_in <= 0
        return self._has_passed((job.generating_at or 0) + _LATE_SECONDS)

    def _has_passed(self, moment: float) -> bool:
        """Return whether `moment` has passed, or False as long as the clock may be wrong."""
        return not self._clock.is_unsettled and self._clock() >= moment
