"""The last steps of failed, cancelled and undecided jobs.

The remote job is cancelled if necessary, and the card shows the final state or the question.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from bot.errors import BackendError, DeliveryError, ErrorKind

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.jobs.remote.identity import RemoteIdentity
    from bot.jobs.service import JobService
    from bot.media.files.workspace import Workspace
    from bot.model import Job

log = logging.getLogger(__name__)

_RETRYABLE = frozenset({ErrorKind.TRANSIENT, ErrorKind.RATE})
# Six attempts in about five minutes. After that, the remote job finishes, and may be charged.
_MAX_CANCELS = 6
_CANCEL_RETRY_SECONDS = 10.0


class CardUpdates(Protocol):
    """Updates the cards of jobs; DeliveryError: try again later."""

    async def show(self, job: Job) -> None:
        """Show the job's state on its card, if the card still exists."""
        ...


class EndSteps:
    """Runs the last step of ended jobs, and shows undecided jobs. Every step is idempotent."""

    def __init__(
        self,
        *,
        jobs: JobService,
        backend: VideoBackend,
        identity: RemoteIdentity,
        workspace: Workspace,
        cards: CardUpdates,
    ) -> None:
        self._jobs = jobs
        self._backend = backend
        self._identity = identity
        self._workspace = workspace
        self._cards = cards

    async def show(self, job: Job) -> None:
        """Show the job's final state or question on its card. After that, no step is due."""
        await self._show(job)
        if job.state.is_final:
            await self._workspace.delete_folder(job.id)
        await self._jobs.release(job)

    async def stop(self, job: Job) -> None:
        """Ask the provider to cancel the remote job, with a few retries, and update the card."""
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
        """Ask the provider to cancel the remote job; False: a retry may succeed."""
        is_ours = job.backend == self._backend.name
        if job.remote_id is None or not is_ours or job.attempts:
            return True
        try:
            await self._identity.cancel(job)
        except BackendError as error:
            log.warning("cancel.refused id=%s error=%r", job.id, str(error))
            return error.kind not in _RETRYABLE
        return True
