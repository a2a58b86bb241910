"""LocalSweep: deletes this machine's files of jobs that other processes have finished."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.model import JobState

if TYPE_CHECKING:
    from bot.media.files.inventory import InventoryFolder
    from bot.media.files.workspace import Workspace
    from bot.model import JobChanged
    from bot.pacing import WatchedClock
    from storage.retention import RetentionStore

_HOUR = 60 * 60.0
_WITHOUT_FOLDER = frozenset(
    {
        JobState.DELIVERING,
        JobState.NOTIFYING,
        JobState.SUCCEEDED,
        JobState.FAILED,
        JobState.CANCELLED,
    }
)


class LocalSweep:
    """Deletes old folders of this machine. The desk deletes the files in the store.

    `on_job_changed` must be subscribed to the event bus.
    """

    def __init__(self, store: RetentionStore, workspace: Workspace, *, clock: WatchedClock) -> None:
        self._store = store
        self._workspace = workspace
        self._clock = clock
        self._deleting = set[asyncio.Task[None]]()

    def on_job_changed(self, event: JobChanged) -> None:
        """Delete the folder of a job that needs no step of a worker any more."""
        if event.job.state in _WITHOUT_FOLDER:
            deletion = self._workspace.delete_folder(event.job.id)
            task = asyncio.create_task(deletion, name=f"folder of {event.job.id}")
            self._deleting.add(task)
            task.add_done_callback(self._deleting.discard)

    async def sweep(self) -> None:
        """Delete local copies of kept files, and the folders of jobs that have ended."""
        if self._clock.is_unsettled:
            return  # the next sweep continues
        work, scratch = await self._workspace.local_folders()
        for item in filter(self._is_old, scratch):
            await self._workspace.delete_scratch(item.job_id)
        old = [item.job_id for item in work if self._is_old(item)]
        statuses = await self._store.deletion_statuses(old)
        for job_id in old:
            job = statuses.get(job_id)
            if job is None or job.is_settled:
                await self._workspace.delete_folder(job_id)

    def _is_old(self, item: InventoryFolder) -> bool:
        return item.modified_at < self._clock.conservative() - _HOUR
