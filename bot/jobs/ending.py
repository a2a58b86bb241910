"""The last steps of jobs that failed or were cancelled: the remote job stops, the card says so."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.jobs.service import JobService
    from bot.media.files.workspace import Workspace
    from bot.model import Job

log = logging.getLogger(__name__)

_NOT_NOW = frozenset({ErrorKind.TRANSIENT, ErrorKind.RATE})
# Within about ten minutes: then the clip is made, and costs what it costs.
_CANCELS = 6
_CANCEL_AGAIN_SECONDS = 10.0


class CardUpdates(Protocol):
    """How the person is told; DeliveryError: not now."""

    async def show(self, job: Job) -> None:
        """Make the job's message say how the job stands, as far as the message still exists."""
        ...


class EndSteps:
    """Takes a job that has ended to rest; a step that comes again does no harm."""

    def __init__(
        self, *, jobs: JobService, backend: VideoBackend, workspace: Workspace, cards: CardUpdates
    ) -> None:
        self._jobs = jobs
        self._backend = backend
        self._workspace = workspace
        self._cards = cards

    async def show(self, job: Job) -> None:
        """Show the end, or the question, on the job's card, and let the job rest."""
        await self._show(job)
        if job.state.is_final:
            await self._workspace.remove(job.id)
        await self._jobs.release(job)

    async def stop(self, job: Job) -> None:
        """Have the remote job of a cancelled one stopped, a few times if it can't be now."""
        if await self._is_stopped(job) or job.misses + 1 >= _CANCELS:
            await self.show(job)
            return
        await self._show(job)
        pause = _CANCEL_AGAIN_SECONDS * 2.0**job.misses
        await self._jobs.postpone(job, after=pause, misses=job.misses + 1)

    async def _show(self, job: Job) -> None:
        if job.client is None:
            await self._cards.show(job)

    async def _is_stopped(self, job: Job) -> bool:
        """Ask the provider to stop; False: it may do so if it is asked again."""
        at_ours = job.backend == self._backend.name
        if job.remote_id is None or not at_ours or job.attempts:
            return True
        try:
            await self._backend.cancel(job.remote_id)
        except BackendError as error:
            log.warning("cancel.refused id=%s error=%r", job.id, str(error))
            return error.kind not in _NOT_NOW
        return True
