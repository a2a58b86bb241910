"""The step of the state `downloading`, which fetches the clip that the provider has made."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.backends.base import BackendUpdate, RemoteState
from bot.errors import BackendError, ErrorKind, MediaError, NoClipYetError
from bot.media.clip_format import is_clip
from bot.media.files.atomic import make_private
from bot.model import JobState

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.jobs.remote.fresh_values import FreshValues
    from bot.jobs.remote.identity import RemoteIdentity
    from bot.jobs.service import JobService
    from bot.media.files.job_folder import JobFolder
    from bot.media.files.shared_work import SharedWork
    from bot.media.files.workspace import Workspace
    from bot.media.mp4.reader import VideoInfo
    from bot.model import Job

log = logging.getLogger(__name__)

# The number of attempts if the clip is unusable. They take about a quarter of an hour. Some servers
# send an incomplete clip while they are still storing it.
_DOWNLOADS = 6
_FIRST_PAUSE_SECONDS = 60.0
_MAX_PAUSE_SECONDS = 300.0
_LAG_SECONDS = 30.0
_RESTORE_SECONDS = 2.0
# A job's `misses` combines two counts. Each missing clip adds this number, and each unusable clip
# adds 1.
_LAG = 1000
# The number of attempts while the remote job is not found. They take about ten minutes.
_GONE = 20
# The number of attempts while the remote job is done, but has no clip. They take about an hour.
_NOT_YET = 120
# The number of attempts while the provider is down. They take about a day. No provider is known to
# keep a clip for longer.
_FETCH_ATTEMPTS = 300
# The maximum number of final downloads at once. Each may take minutes, and occupies a slot in the
# lane that polls all other jobs.
_MAX_FINAL_DOWNLOADS = 4
_FINAL_RETRY_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Downloading:
    """Downloads clips, each of at most `max_bytes`.

    `fresh_answers`: the responses of the polls that reported the clips as finished.
    `fresh_clips`: the properties of the clips that were just downloaded.
    """

    jobs: JobService
    backend: VideoBackend
    workspace: Workspace
    shared: SharedWork
    identity: RemoteIdentity
    fresh_answers: FreshValues[BackendUpdate]
    fresh_clips: FreshValues[VideoInfo]
    max_bytes: int

    async def download(self, job: Job) -> None:
        """Download the job's clip. If the clip is missing or unusable, try again later."""
        self.fresh_clips.pop(job.id)  # of an earlier download
        folder = self.workspace.folder(job.id)
        clip = folder.clip
        if await asyncio.to_thread(_has_clip, folder):
            await self._downloaded(job, None)  # FinalDownload has downloaded the clip
            return
        update = self._fresh_answer(job)
        try:
            if update is None:
                update = await self._poll(job)
                if update is not None and not await self.identity.is_own(job, update):
                    await self.identity.handle_foreign(job)
                    return
            info = await self.backend.fetch(update or _done(job), clip, max_bytes=self.max_bytes)
        except BackendError as error:
            if error.kind is ErrorKind.GONE:
                await self._missing(job, update, "failed.gone")
            elif job.attempts >= _FETCH_ATTEMPTS:
                await self.jobs.fail(job, "failed.gone")
            else:
                raise
        except NoClipYetError as error:
            log.warning("download.no_clip id=%s reason=%r", job.id, str(error))
            await self._missing(job, update, "failed.not_a_video")
        except MediaError as error:
            log.warning("download.unusable id=%s reason=%r", job.id, str(error))
            await self._unusable(job)
        else:
            await self._downloaded(job, info)

    def _fresh_answer(self, job: Job) -> BackendUpdate | None:
        # The poller has already checked that this response describes the job.
        update = self.fresh_answers.pop(job.id)
        return update if update is not None and update.ref == job.remote_id else None

    async def _downloaded(self, job: Job, info: VideoInfo | None) -> None:
        if info is not None:
            self.fresh_clips.put(job.id, info)
        await self.shared.offer_clip(job.id)
        await self.jobs.move(job, JobState.MERGING)

    async def restore(self, job: Job) -> bool:
        """Make sure that the folder of a merging job contains the clip.

        If the clip can't be restored at once, moves the job to another state and returns False.
        """
        if await asyncio.to_thread(self.workspace.folder(job.id).clip.exists):
            return True
        if await self.fetch_again(job):
            return True
        log.warning("download.clip_missing id=%s", job.id)
        if job.clip_of is None:
            await self.jobs.move(job, JobState.DOWNLOADING, after=_RESTORE_SECONDS)
        else:
            await self.jobs.fail(job, "failed.clip_gone")
        return False

    async def fetch_again(self, job: Job) -> bool:
        """Put a copy of the clip into the job's folder. Returns False if no copy is kept."""
        if await self.shared.fetch_clip(job.id):
            return True
        if job.clip_of is None:
            return False
        try:
            await self.workspace.reuse_clip(job.id, of=job.clip_of)
        except FileNotFoundError:
            return False
        return True

    async def _poll(self, job: Job) -> BackendUpdate | None:
        """Poll the remote job.

        Returns None if the remote job can't be read. Its clip may still exist.
        """
        try:
            return await self.backend.poll(job.remote_id or "")
        except BackendError as error:
            if error.kind is not ErrorKind.GONE and job.attempts < _FETCH_ATTEMPTS:
                raise
            return None

    async def _missing(self, job: Job, update: BackendUpdate | None, failure: str) -> None:
        """Keep looking for a missing clip for a while, because it may not be stored yet."""
        left = update.expires_in if update else None
        expired = left is not None and left <= 0
        most = _GONE if update is None or expired else _NOT_YET
        if job.misses // _LAG + 1 < most:
            await self.jobs.postpone(job, after=_LAG_SECONDS, misses=job.misses + _LAG)
        else:
            await self.jobs.fail(job, failure)

    async def _unusable(self, job: Job) -> None:
        tries = job.misses % _LAG
        if tries + 1 < _DOWNLOADS:
            pause = min(_FIRST_PAUSE_SECONDS * 2.0**tries, _MAX_PAUSE_SECONDS)
            await self.jobs.postpone(job, after=pause, misses=job.misses + 1)
        else:
            await self.jobs.fail(job, "failed.not_a_video")


class FinalDownload:
    """Tries to download a clip although the provider doesn't report that the job is done."""

    def __init__(self, backend: VideoBackend, workspace: Workspace, *, max_bytes: int) -> None:
        self._backend = backend
        self._workspace = workspace
        self._max_bytes = max_bytes
        self._running = 0

    async def try_download(self, job: Job, update: BackendUpdate | None) -> bool:
        """Download the clip to the job's folder, and return whether a usable clip was available.

        Raises BackendError if too many other final downloads are running.
        """
        if self._running >= _MAX_FINAL_DOWNLOADS:
            raise BackendError(
                ErrorKind.TRANSIENT,
                "other final downloads are running",
                retry_after=_FINAL_RETRY_SECONDS,
            )
        self._running += 1
        try:
            return await self._download(job, update)
        finally:
            self._running -= 1

    async def _download(self, job: Job, update: BackendUpdate | None) -> bool:
        known = update or _done(job)
        clip = (await self._workspace.create(job.id)).clip
        try:
            await self._backend.fetch(known, clip, max_bytes=self._max_bytes)
        except (BackendError, MediaError) as error:
            log.info("look.no_clip id=%s error=%r", job.id, str(error))
            return False
        log.warning("look.clip_found id=%s", job.id)
        return True


def _has_clip(folder: JobFolder) -> bool:
    make_private(folder.path)
    return is_clip(folder.clip)


def _done(job: Job) -> BackendUpdate:
    return BackendUpdate(ref=job.remote_id or "", state=RemoteState.DONE)
