"""The table of videos that were delivered as links and still need a smaller copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

_ADD = """
INSERT INTO due_copies (job_id, next_at) VALUES (:job_id, :now) ON CONFLICT (job_id) DO NOTHING
"""

_NEXT = """
SELECT job_id, next_at, attempts FROM due_copies ORDER BY next_at LIMIT 1
"""

_POSTPONE = """
UPDATE due_copies SET next_at = :next_at, attempts = :attempts WHERE job_id = :job_id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DueCopy:
    """A smaller copy of a job's video, due at `next_at` (Unix seconds).

    `attempts`: the number of attempts that failed.
    """

    job_id: str
    next_at: float
    attempts: int


class DueCopyStore:
    """Stores the copies that are due. While a job has a row here, its interaction token is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, job_id: str, *, now: float) -> None:
        """Record that a smaller copy of a job's video still has to be made and uploaded."""
        await self._database.rows(_ADD, {"job_id": job_id, "now": now})

    async def next(self) -> DueCopy | None:
        """Read the copy that is due first, or return None if no copy is left to make."""
        row = await self._database.row(_NEXT, {})
        return DueCopy(**dict(row)) if row else None

    async def postpone(self, job_id: str, *, next_at: float, attempts: int) -> None:
        """Store when the next attempt is due, and the number of failed attempts."""
        params = {"job_id": job_id, "next_at": next_at, "attempts": attempts}
        await self._database.rows(_POSTPONE, params)

    async def delete(self, job_id: str) -> None:
        """Delete the row of a copy that was uploaded or is no longer wanted."""
        await self._database.rows(
            "DELETE FROM due_copies WHERE job_id = :job_id", {"job_id": job_id}
        )
