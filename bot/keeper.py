"""Keeper: deletes what people don't want kept, and what was kept for long enough."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.media.workspace import Workspace
    from storage.keeping import KeepingStore

log = logging.getLogger(__name__)


class Keeper:
    """Deletes jobs that have ended; a file that somebody reads meanwhile stays readable to them."""

    def __init__(
        self, store: KeepingStore, workspace: Workspace, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._workspace = workspace
        self._clock = clock

    async def delete(self, job_id: str) -> bool:
        """Delete all that is kept of a job but its empty row; False: it is open, or unknown."""
        # The mark first: whatever a crash leaves of the rest, the sweep finishes.
        if not await self._store.mark_deleted(job_id, now=self._clock()):
            return False
        log.info("job.deleted id=%s", job_id)
        await self._store.drop_artifact(job_id)
        await self._workspace.discard(job_id)
        return True
