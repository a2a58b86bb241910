"""LocalSweep: deletes what this machine keeps of jobs that other processes have finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.media.files.inventory import InventoryFolder
    from bot.media.files.workspace import Workspace
    from bot.pacing import WatchedClock
    from storage.retention import RetentionStore

_HOUR = 60 * 60.0


class LocalSweep:
    """Deletes old folders of this machine. The desk deletes the files in the store."""

    def __init__(self, store: RetentionStore, workspace: Workspace, *, clock: WatchedClock) -> None:
        self._store = store
        self._workspace = workspace
        self._clock = clock

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
