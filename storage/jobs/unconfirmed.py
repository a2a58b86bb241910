"""Reads the data that helps to find the remote job that an unconfirmed create request started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.jobs.inbox import Inbox

if TYPE_CHECKING:
    from bot.model import Job
    from storage.database import Database
    from storage.jobs.spent_refs import SpentRefs

_OTHER_UNCONFIRMED = """
SELECT 1 FROM jobs
WHERE backend = :backend AND id <> :id AND state IN ('submitting', 'unconfirmed') LIMIT 1
"""


class UnconfirmedStore:
    """Reads which remote jobs an unconfirmed create request may have started. It never writes."""

    def __init__(self, database: Database, spent: SpentRefs) -> None:
        self._database = database
        self._spent = spent
        self._inbox = Inbox(database)

    async def unclaimed(self, backend: str) -> tuple[str, ...]:
        """List the remote ids that webhooks have named but that never belonged to a job."""
        refs = await self._inbox.unbound(backend)
        spent = await self._spent.among(backend, refs)
        return tuple(ref for ref in refs if ref not in spent)

    async def others(self, job: Job) -> bool:
        """Return whether another job's create request to the same backend is unconfirmed, too."""
        params = {"backend": job.backend, "id": job.id}
        return await self._database.row(_OTHER_UNCONFIRMED, params) is not None
