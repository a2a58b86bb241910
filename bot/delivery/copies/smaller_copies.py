"""Makes smaller copies of videos whose cards only show a link, and uploads them to the cards."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.delivery.card_edits import Edit, FileTooLargeError, MessageGoneError
from bot.delivery.upload_fallback import UploadTarget
from bot.errors import DeliveryError
from bot.model import JobState
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.artifacts import Artifact
    from bot.delivery.card_edits import CardEdits
    from bot.delivery.edit_lock import EditLock
    from bot.delivery.upload_fallback import UploadFallback, UploadFile
    from bot.delivery.views.card import CardRenderer
    from bot.jobs.service import JobService
    from bot.links import Links
    from bot.media.files.workspace import Workspace
    from bot.model import Job
    from storage.artifacts import ArtifactStore
    from storage.delivery.due_copies import DueCopy, DueCopyStore

log = logging.getLogger(__name__)

_IDLE_SECONDS = 60.0
_DELIVERING_SECONDS = 5.0
_MAX_RETRY_SECONDS = 3600.0
# 20 attempts take about half a day. After the last one, the card keeps its link.
_MAX_ATTEMPTS = 20
_LINKED = frozenset({JobState.NOTIFYING, JobState.SUCCEEDED})


class SmallerCopies:
    """Makes one copy at a time in the background, and replaces the link on its card.

    The list of copies to make is stored in the database, so it survives a restart.
    """

    def __init__(
        self,
        store: DueCopyStore,
        *,
        jobs: JobService,
        artifacts: ArtifactStore,
        workspace: Workspace,
        upload_fallback: UploadFallback,
        cards: CardRenderer,
        card_edits: CardEdits,
        edit_lock: EditLock,
        links: Links,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._artifacts = artifacts
        self._workspace = workspace
        self._upload_fallback = upload_fallback
        self._cards = cards
        self._card_edits = card_edits
        self._edit_lock = edit_lock
        self._links = links
        self._clock = clock
        self._woken = asyncio.Event()

    async def add(self, job: Job) -> None:
        """Schedule a smaller copy. Call this before the card shows the link to the video."""
        await self._store.add(job.id, now=self._clock())
        self._woken.set()

    async def run(self) -> None:
        """Make each smaller copy when it is due. Runs until cancelled."""
        while True:
            self._woken.clear()
            try:
                pause = await self.make_next()
            except StorageError:
                log.exception("copy.database_failed")
                pause = _IDLE_SECONDS
            try:
                async with asyncio.timeout(min(pause, _IDLE_SECONDS)):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def make_next(self) -> float:
        """Make the copy that is due first, and return the seconds until the next one is due.

        If making a copy fails unexpectedly, the error is raised. That copy is tried again after the
        other copies.
        """
        due = await self._store.next()
        if due is None:
            return _IDLE_SECONDS
        wait = due.next_at - self._clock()
        # A longer wait than this maximum is never scheduled. If the wait is longer, the clock was
        # set back, and the copy counts as due.
        if 0 < wait <= _MAX_RETRY_SECONDS:
            return wait
        # A final edit of the card cancels the task that holds the card's lock. Therefore the copy
        # is made in a task of its own.
        task = asyncio.create_task(self._make(due), name=f"copy:{due.job_id}")
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        if task.cancelled():
            await self._retry_later(due)
        elif error := task.exception():
            await self._retry_later(due)
            raise error
        return 0.0

    async def _make(self, due: DueCopy) -> None:
        try:
            is_done = await self._replace_link(due.job_id)
        except (FileTooLargeError, DeliveryError) as error:
            log.info("copy.not_uploaded id=%s reason=%r", due.job_id, str(error))
            await self._retry_later(due)
            return
        except MessageGoneError as error:
            log.info("copy.card_gone id=%s reason=%r", due.job_id, str(error))
            is_done = True
        if is_done:
            await self._store.delete(due.job_id)
        else:
            await self._postpone(due, _DELIVERING_SECONDS, attempts=due.attempts)

    async def _replace_link(self, job_id: str) -> bool:
        """Make the copy, and upload it to the card in place of the link.

        Returns False if the video is still being delivered, because the card does not show the link
        yet.
        """
        job = await self._jobs.get(job_id)
        if job is not None and job.state is JobState.DELIVERING:
            return False
        artifact = await self._wanted(job)
        if job is None or artifact is None:
            return True
        target = UploadTarget.of_card(job.origin)
        file = await self._upload_fallback.make_copy(artifact, target)
        if file is None:
            log.info("copy.impossible id=%s", job_id)
            return True
        async with self._edit_lock.acquire(job_id):
            # the job may have been deleted while the copy was made
            job = await self._jobs.get(job_id)
            if job is not None and await self._wanted(job):
                await self._upload(job, artifact, file, target)
        return True

    async def _wanted(self, job: Job | None) -> Artifact | None:
        """Return the finished video if its card still shows only a link, or None otherwise."""
        if job is None or job.state not in _LINKED or job.deleted_at is not None or job.card_gone:
            return None
        artifact = await self._artifacts.get(job.id)
        return artifact if await self._workspace.has_video(job.id) else None

    async def _upload(
        self, job: Job, artifact: Artifact, file: UploadFile, target: UploadTarget
    ) -> None:
        view = self._cards.render_video(
            job,
            filename=file.filename,
            ready_at=artifact.created_at,
            note=file.note,
            original=self._links.make(job.id),
        )
        try:
            await self._card_edits.edit(Edit(job=job, view=view, open_files=lambda: (file.open(),)))
        except FileTooLargeError:
            if await self._upload_fallback.learn(target, file.size):
                raise  # Discord may accept an even smaller copy
            return
        log.info("copy.uploaded id=%s size=%d", job.id, file.size)

    async def _retry_later(self, due: DueCopy) -> None:
        attempts = due.attempts + 1
        if attempts >= _MAX_ATTEMPTS:
            await self._store.delete(due.job_id)
        else:
            pause = min(2.0**due.attempts, _MAX_RETRY_SECONDS)
            await self._postpone(due, pause, attempts=attempts)

    async def _postpone(self, due: DueCopy, seconds: float, *, attempts: int) -> None:
        next_at = self._clock() + seconds
        await self._store.postpone(due.job_id, next_at=next_at, attempts=attempts)
