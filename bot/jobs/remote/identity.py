"""RemoteIdentity: checks that a remote id still belongs to the same job before it is used.

Small servers restart their numbering when they are restarted, so the same id may later belong to
another job.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.backends.base import RemoteState
from bot.backends.echo import Order
from bot.errors import BackendError, ErrorKind
from storage.jobs.store import Changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import BackendUpdate, VideoBackend
    from bot.backends.echo import Echo
    from bot.jobs.service import JobService
    from bot.model import Job
    from storage.jobs.remote_jobs import RemoteJobStore, RemoteRecord

log = logging.getLogger(__name__)

# The number of checks. They take ten minutes. Several servers behind one address may each have a
# job with the same id, so a later check may reach the right server.
_MAX_CHECKS = 20
_CHECK_SECONDS = 30.0
# Two times count as equal if they differ by at most this much, because requests take a while and
# servers round the times that they report.
_STAMP_SECONDS = 5.0


class RemoteIdentity:
    """Compares remote jobs with our requests, so that only our own jobs are used or cancelled."""

    def __init__(
        self,
        store: RemoteJobStore,
        jobs: JobService,
        backend: VideoBackend,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._backend = backend
        self._clock = clock

    async def acquire(self, job: Job, ref: str) -> bool:
        """Reserve a remote id for a job, even if an ended job has the same remote id.

        Returns False if an open job has the same remote id.
        """
        former = await self._store.reassign(job.backend, ref, job_id=job.id, now=self._clock())
        if former is not None:
            log.warning("remote.passed_on ref=%s from=%s id=%s", ref, former, job.id)
        return not await self._store.is_held(job.backend, ref, job_id=job.id)

    async def is_own(self, job: Job, update: BackendUpdate) -> bool:
        """Return whether a response of the provider can be about this job."""
        record = await self._store.get(job.id)
        return record is not None and self.describes(record, update.echo)

    def describes(self, record: RemoteRecord, echo: Echo) -> bool:
        """Return whether a response that just arrived can be about the remote job of a record."""
        return is_described(record, self._judgeable(record, echo))

    async def handle_foreign(self, job: Job) -> None:
        """Postpone a job whose remote id seems to belong to another job.

        After many checks, fail the job. The remote job with that id is neither delivered nor
        deleted.
        """
        log.warning("remote.not_ours id=%s ref=%s", job.id, job.remote_id)
        if job.misses + 1 < _MAX_CHECKS:
            await self._jobs.postpone(job, after=_CHECK_SECONDS, misses=job.misses + 1)
            return
        await self._store.mark_lost(job.id, job.remote_id or "", now=self._clock())
        await self._jobs.fail(job, "failed.gone")

    async def cancel(self, job: Job, *, unless_done: bool = False) -> bool:
        """Cancel the job's remote job at the provider.

        Returns True if it is cancelled, and also if the remote id no longer belongs to this job.
        `unless_done`: whether to keep a remote job that has finished.
        Raises BackendError if the provider refuses or can't be reached.
        """
        record = await self._store.get(job.id)
        if record is None:
            return True
        update = await _look(self._backend, record)
        echo = update and self._judgeable(record, update.echo)
        if not _is_deletable(record, echo):
            log.warning("cancel.not_ours id=%s ref=%s", job.id, record.remote_id)
            await self._store.mark_lost(job.id, record.remote_id, now=self._clock())
            return True
        if unless_done and update is not None and update.state is RemoteState.DONE:
            return False
        if not await self._backend.cancel(record.remote_id):
            return False
        await self._store.mark_deleted(job.id, record.remote_id, now=self._clock())
        return True

    def _judgeable(self, record: RemoteRecord, echo: Echo) -> Echo:
        """Remove the creation time from an echo if it is only the time of the response.

        Some servers report the time of each response as the creation time. If the response has no
        `Date` header, the time of the response is computed from the seconds since the create
        request. This works even if our clock is wrong.
        """
        if echo.answered_at is None and record.made_at is not None and record.bound_at:
            answered_at = record.made_at + self._clock() - record.bound_at
            if abs((echo.created_at or 0) - answered_at) <= _STAMP_SECONDS:
                return replace(echo, created_at=None)
        return echo


def identity_of(job: Job, update: BackendUpdate) -> Changes:
    """Return the changes that store a remote job's identity. `update`: the create response."""
    return Changes(
        remote_id=update.ref,
        remote_made_at=update.echo.made_at,
        echoes_order=not update.echo.contradicts(job.sent_request),
    )


def order_of(record: RemoteRecord) -> Order:
    """Return what was ordered for a remote job, to compare it with the provider's responses."""
    return Order(
        ref=record.remote_id,
        request=record.request,
        made_at=record.made_at,
        is_echoed=record.is_echoed,
        has_prompt=record.has_prompt,
    )


def is_described(record: RemoteRecord, echo: Echo) -> bool:
    """Return whether a response about the same remote id can describe the same remote job."""
    return not record.is_reassigned and order_of(record).is_of(echo)


async def may_delete(backend: VideoBackend, record: RemoteRecord) -> bool:
    """Return whether a remote id still belongs to our job, so that the remote job may be deleted.

    Raises BackendError if the provider can't be reached.
    """
    update = await _look(backend, record)
    return _is_deletable(record, update and update.echo)


async def _look(backend: VideoBackend, record: RemoteRecord) -> BackendUpdate | None:
    if record.is_reassigned:
        return None
    try:
        return await backend.poll(record.remote_id)
    except BackendError as error:
        if error.kind is not ErrorKind.GONE:
            raise
        return None


def _is_deletable(record: RemoteRecord, echo: Echo | None) -> bool:
    # A job that the provider does not find can be deleted too. Perhaps only one of the provider's
    # replicas lacks it.
    return not record.is_reassigned and (echo is None or is_described(record, echo))
