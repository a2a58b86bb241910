"""The last steps of failed, cancelled and undecided jobs.

A cancelled job's remote job is cancelled at the provider. The card then shows how the job ended or,
if it is undecided, asks the requester what to do.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from bot.errors import BackendError, DeliveryError, ErrorKind
from bot.media.files.shared_work import SharedWork

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.jobs.remote.identity import RemoteIdentity
    from bot.jobs.service import JobService
    from bot.media.files.workspace import Workspace
    from bot.model import Job

log = logging.getLogger(__name__)

_RETRYABLE = frozenset({ErrorKind.TRANSIENT, ErrorKind.RATE})
# Six attempts take about five minutes. If they all fail, the remote job continues and may be
# charged.
_MAX_CANCELS = 6
_CANCEL_RETRY_SECONDS = 10.0


class CardUpdates(Protocol):
    """Updates the cards of jobs. Raises DeliveryError if the caller must try again later."""

    async def show(self, job: Job) -> None:
        """Show the job's state on its card, if the card still exists."""
        ...


class EndSteps:
    """Runs the last steps of ended jobs, and asks about undecided jobs.

    All steps are idempotent.
    """

    def __init__(
        self,
        *,
        jobs: JobService,
        backend: VideoBackend,
        identity: RemoteIdentity,
        workspace: Workspace,
        cards: CardUpdates,
        shared: SharedWork | None = None,
    ) -> None:
        self._shared = shared or SharedWork(workspace)
        self._jobs = jobs
        self._backend = backend
        self._identity = identity
        self._workspace = workspace
        self._cards = cards

    async def show(self, job: Job) -> None:
        """Update the card with the job's state. After that, the job has no further step."""
        await self._show(job)
        if job.state.is_final:
            await self._workspace.delete_folder(job.id)
            await self._shared.forget(job.id)
        await self._jobs.release(job)

    async def stop(self, job: Job) -> None:
        """Ask the provider to cancel the remote job, and update the card. Failures are retried."""
        if await self._is_stopped(job) or job.misses + 1 >= _MAX_CANCELS:
            await self.show(job)
            return
        try:
            await self._show(job)
        except DeliveryError as error:  # the next attempt updates the card
            log.info("card.not_refreshed id=%s reason=%r", job.id, str(error))
        pause = _CANCEL_RETRY_SECONDS * 2.0**job.misses
        await self._jobs.postpone(job, after=pause, misses=job.misses + 1)

    async def _show(self, job: Job) -> None:
        if job.client is None:
            await self._cards.show(job)

    async def _is_stopped(self, job: Job) -> bool:
        """Ask the provider to cancel the remote job. Returns False if a retry may succeed."""
        is_ours = job.backend == self._backend.name
        if job.remote_id is None or not is_ours or job.attempts:
            return True
        try:
            await self._identity.cancel(job)
        except BackendError as error:
            log.warning("cancel.refused id=%s error=%r", job.id, str(error))
            return error.kind not in _RETRYABLE
        return True
