"""Reads the data that helps to find the remote job that an unconfirmed create request started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.jobs.inbox import Inbox
from storage.jobs.rows import job_from

if TYPE_CHECKING:
    from bot.model import Job
    from storage.database import Database
    from storage.jobs.spent_refs import SpentRefs

# A job that was cancelled while it was undecided has ended, but the provider may have accepted it.
_RIVALS = """
SELECT * FROM jobs
WHERE backend = :backend AND id <> :id AND remote_id IS NULL AND submitted_at IS NOT NULL
    AND (state IN ('submitting', 'unconfirmed', 'undecided')
        OR (state IN ('failed', 'cancelled') AND submitted_at > :since))
"""


class UnconfirmedStore:
    """Reads the remote jobs that an unconfirmed create request may have started. Never writes."""

    def __init__(self, database: Database, spent: SpentRefs) -> None:
        self._database = database
        self._spent = spent
        self._inbox = Inbox(database)

    async def unclaimed(self, backend: str) -> tuple[str, ...]:
        """List the remote ids that webhooks have named but that never belonged to a job."""
        refs = await self._inbox.unbound(backend)
        spent = await self._spent.among(backend, refs)
        return tuple(ref for ref in refs if ref not in spent)

    async def rivals(self, job: Job, *, since: float) -> list[Job]:
        """List the other jobs of the same backend whose create request may have been accepted.

        A job that has ended is listed only if its create request began after the time `since`.
        """
        params = {"backend": job.backend, "id": job.id, "since": since}
        return [job_from(row) for row in await self._database.rows(_RIVALS, params)]
