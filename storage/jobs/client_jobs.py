"""Reads the jobs of API clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.jobs.rows import job_from

if TYPE_CHECKING:
    from bot.model import Job
    from storage.database import Database

_OWN = """
SELECT * FROM jobs WHERE id = :id AND client = :client AND deleted_at IS NULL
"""

# Jobs that were created at the same time are ordered by their ids.
_PAGE = """
SELECT * FROM jobs
WHERE client = :client AND deleted_at IS NULL AND (
    CAST(:before AS TEXT) IS NULL OR (created_at, id) < (
        SELECT created_at, id FROM jobs WHERE id = :before AND client = :client))
ORDER BY created_at DESC, id DESC LIMIT :limit
"""


class ClientJobStore:
    """Reads the jobs of API clients. It never writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def own(self, client: str, job_id: str) -> Job | None:
        """Read a client's job, or return None if it does not exist or belongs to another client."""
        row = await self._database.row(_OWN, {"client": client, "id": job_id})
        return job_from(row) if row else None

    async def was_inserted(self, job_id: str) -> bool:
        """Tell whether a job was inserted. Waits for an insert that is still running.

        An insert that has begun continues even if its caller is cancelled.
        """
        # Only a counting statement waits for the insert, which is one too.
        sql = "SELECT id FROM jobs WHERE id = :id"
        return await self._database.counting_row(sql, {"id": job_id}) is not None

    async def page(self, client: str, *, before: str | None, limit: int) -> list[Job]:
        """List a client's jobs, newest first. With a job id as `before`, list only older jobs."""
        params = {"client": client, "before": before, "limit": limit}
        return [job_from(row) for row in await self._database.rows(_PAGE, params)]
