"""The step of the state `merging`, which makes the finished video from the clip."""

from __future__ import annotations

import asyncio
import errno
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.artifacts import NOTE_NOT_MERGED, FinishedVideo
from bot.errors import MediaError, UnconvertedError, UserError
from bot.model import JobState
from storage.jobs.store import Changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.downloading import Downloading
    from bot.jobs.narration_editing import NarrationEditing
    from bot.jobs.remote.fresh_values import FreshValues
    from bot.jobs.service import JobService
    from bot.media.files.shared_work import SharedWork
    from bot.media.files.workspace import Workspace
    from bot.media.mp4.reader import VideoInfo
    from bot.model import Job
    from storage.artifacts import ArtifactStore

log = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0
_NO_SPACE = "No space left on device"
_MAX_MERGES = 2


@dataclass(frozen=True, kw_only=True)
class Merging:
    """Merges clips with their narrations, and publishes the finished videos.

    `fresh_clips`: the properties of the clips that were just downloaded.
    """

    jobs: JobService
    artifacts: ArtifactStore
    workspace: Workspace
    shared: SharedWork
    editor: NarrationEditing
    downloading: Downloading
    fresh_clips: FreshValues[VideoInfo]
    clock: Callable[[], float]

    async def merge(self, job: Job) -> None:
        """Merge the job's clip with its narration, if any, and publish the finished video."""
        video = await self._video(job)
        if video is None:
            return
        artifact = await self.workspace.publish(job.id, video, now=self.clock())
        await self.artifacts.save(artifact)
        await self.editor.make_poster(job.id)
        to = JobState.DELIVERING if job.client is None else JobState.SUCCEEDED
        if await self.jobs.move(job, to, Changes(note=video.note)) is None:
            return  # the step may be running again, and needs the files
        if job.client is not None:
            await self.workspace.delete_folder(job.id)
        await self.shared.forget(job.id)

    async def _video(self, job: Job) -> FinishedVideo | None:
        """Return the finished video, or None if the job was postponed or moved instead."""
        if await asyncio.to_thread(self.workspace.folder(job.id).clip.exists):
            return await self._edit(job, self.fresh_clips.pop(job.id))
        if await self.workspace.has_video(job.id) and not await self.downloading.fetch_again(job):
            return self._unedited(job)  # published just before a crash
        return await self._edit(job) if await self.downloading.restore(job) else None

    async def _restore_narration(self, job: Job) -> None:
        """If the job's folder lacks the narration, restore it from the copy kept for later jobs."""
        narration = self.workspace.folder(job.id).narration
        if job.attachment is None or await asyncio.to_thread(narration.exists):
            return
        log.warning("merge.narration_missing id=%s", job.id)
        with suppress(UserError):  # if there is no kept copy either, the merge will fail
            await self.editor.ingest_kept(job.id, of=job.id)

    async def _edit(self, job: Job, clip_info: VideoInfo | None = None) -> FinishedVideo | None:
        try:
            await self._restore_narration(job)
            return await self.editor.finish(
                job.id,
                clip_info=clip_info,
                narrated=job.attachment is not None,
                replacing=job.clip_has_voice,
                text=job.attachment.text if job.attachment else None,
            )
        except MediaError as error:
            tail = error.stderr_tail[-500:]
            log.warning("merge.failed id=%s reason=%r tail=%r", job.id, str(error), tail)
            if _NO_SPACE in error.stderr_tail:
                raise OSError(errno.ENOSPC, _NO_SPACE) from error
            unplayable = isinstance(error, UnconvertedError)
        if job.misses + 1 < _MAX_MERGES:
            await self.jobs.postpone(job, after=_RETRY_SECONDS, misses=job.misses + 1)
            return None
        if unplayable:
            await self.jobs.fail(job, "failed.not_a_video")
            return None
        if job.clip_of is not None:
            # The requester already has this clip, and only wanted to add a narration.
            await self.jobs.fail(job, "failed.not_narrated")
            return None
        return self._unedited(job)

    def _unedited(self, job: Job) -> FinishedVideo:
        narrated = job.attachment is not None
        return FinishedVideo(
            path=self.workspace.folder(job.id).clip, note=NOTE_NOT_MERGED if narrated else None
        )
