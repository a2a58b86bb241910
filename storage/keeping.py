"""What is kept of jobs that have ended, and what goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

# Ended, and nothing more is due: no step of it runs.
_RESTS = "state IN ('succeeded', 'failed', 'cancelled') AND next_at IS NULL"

# The row stays, without its content: the day's cap counts it.
_MARK_DELETED = f"""
UPDATE jobs SET
    deleted_at = coalesce(deleted_at, :now), epoch = epoch + 1, token = NULL,
    prompt = '', fingerprint = '', failure_key = NULL, failure_fields = NULL,
    attachment_name = NULL, attachment_size = NULL, attachment_url = NULL
WHERE id = :id AND {_RESTS}
RETURNING id
"""  # noqa: S608 - put together from constants

_DROP_ARTIFACT = "DELETE FROM artifacts WHERE job_id = :id"


class KeepingStore:
    """Tells what may go, and takes it out of the tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark_deleted(self, job_id: str, *, now: float) -> bool:
        """Empty the row of a job that has ended; False: it is open, or there is none."""
        row = await self._database.row(_MARK_DELETED, {"id": job_id, "now": now})
        return row is not None

    async def drop_artifact(self, job_id: str) -> None:
        """Forget that there was a finished video."""
        await self._database.rows(_DROP_ARTIFACT, {"id": job_id})
