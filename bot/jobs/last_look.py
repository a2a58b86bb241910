"""LastLook: asks once more for the clip before a job that was paid for ends without one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.backends.base import BackendUpdate, RemoteState
from bot.errors import BackendError, MediaError

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.media.files.workspace import Workspace
    from bot.model import Job

log = logging.getLogger(__name__)


class LastLook:
    """Downloads whatever the provider has of a job, no matter what it says about the job."""

    def __init__(self, backend: VideoBackend, workspace: Workspace, *, max_bytes: int) -> None:
        self._backend = backend
        self._workspace = workspace
        self._max_bytes = max_bytes

    async def finds_clip(self, job: Job, update: BackendUpdate | None) -> bool:
        """Download the clip into the job's folder; False: there is none."""
        known = update or BackendUpdate(ref=job.remote_id or "", state=RemoteState.DONE)
        clip = (await self._workspace.create(job.id)).clip
        try:
            await self._backend.fetch(known, clip, max_bytes=self._max_bytes)
        except (BackendError, MediaError) as error:
            log.info("look.no_clip id=%s error=%r", job.id, str(error))
            return False
        log.warning("look.clip_found id=%s", job.id)
        return True
