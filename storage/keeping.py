"""What is kept of jobs that have ended, and what goes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from storage.database import Database

_DAY = 24 * 60 * 60

# Ended, and nothing more is due: no step of it runs.
_RESTS = "state IN ('succeeded', 'failed', 'cancelled') AND next_at IS NULL"

# The row stays, without its content: the day's cap counts it.
_MARK_DELETED = f"""
UPDATE jobs SET
    deleted_at = coalesce(deleted_at, :now), epoch = epoch + 1, token = NULL,
    prompt = '', sent_prompt = NULL, fingerprint = '', failure_key = NULL, failure_fields = NULL,
    attachment_name = NULL, attachment_size = NULL, attachment_url = NULL
WHERE id = :id AND {_RESTS}
RETURNING id
"""  # noqa: S608 - put together from constants

# Nothing goes while an open job may still take it over, or before its person had it. A succeeded
# job without its artifact has expired: whatever is there of it, a crash has left.
_STANDING = f"""
SELECT id, deleted_at IS NOT NULL AS is_deleted, {_RESTS} AS rests,
    CASE
        WHEN NOT ({_RESTS}) OR id IN (
            SELECT narration_of FROM jobs WHERE narration_of IS NOT NULL AND NOT ({_RESTS})
            UNION ALL SELECT clip_of FROM jobs WHERE clip_of IS NOT NULL AND NOT ({_RESTS}))
        THEN NULL
        WHEN state <> 'succeeded' THEN updated_at
        WHEN artifacts.job_id IS NULL THEN 0
        ELSE artifacts.delivered_at
    END AS since
FROM jobs LEFT JOIN artifacts ON artifacts.job_id = jobs.id
WHERE id IN (SELECT value FROM json_each(:ids))
"""  # noqa: S608 - put together from constants

_DROP_ARTIFACTS_OF_DELETED = """
DELETE FROM artifacts WHERE job_id IN (SELECT id FROM jobs WHERE deleted_at IS NOT NULL)
"""

# While a create is in doubt, its provider's list must not offer what belonged to another job.
_DROP_ROWS = """
DELETE FROM jobs
WHERE deleted_at < :before AND id NOT IN (SELECT value FROM json_each(:sparing))
    AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.backend = jobs.backend
        AND other.state IN ('submitting', 'unconfirmed', 'undecided'))
RETURNING id
"""

_OF_PERSON = f"""
SELECT id, {_RESTS} AS rests, artifacts.size, artifacts.delivered_at
FROM jobs LEFT JOIN artifacts ON artifacts.job_id = jobs.id
WHERE user_id = :user_id AND deleted_at IS NULL
"""  # noqa: S608 - put together from constants


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a job stands with the keeper.

    `rests`: nothing more is done for it. `since` is when its files began to age, in Unix seconds;
    None: they have to stay.
    """

    job_id: str
    is_deleted: bool
    rests: bool
    since: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """A job of a person, as far as its files go; `size` in bytes, None: there is no video."""

    job_id: str
    rests: bool
    size: int | None
    delivered_at: float | None


class KeepingStore:
    """Tells what may go, and takes it out of the tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark_deleted(self, job_id: str, *, now: float) -> bool:
        """Empty the row of a job that has ended; False: it is open, or there is none."""
        row = await self._database.row(_MARK_DELETED, {"id": job_id, "now": now})
        return row is not None

    async def drop_artifact(self, job_id: str) -> None:
        """Forget that there is a finished video."""
        await self._database.rows("DELETE FROM artifacts WHERE job_id = :id", {"id": job_id})

    async def drop_artifacts_of_deleted(self) -> None:
        """Forget the videos of deleted jobs that a crash has left."""
        await self._database.rows(_DROP_ARTIFACTS_OF_DELETED, {})

    async def drop_rows(self, *, sparing: Collection[str], now: float) -> int:
        """Remove the deleted jobs that no cap counts any more, and tell how many."""
        params = {"sparing": json.dumps(list(sparing)), "before": now - _DAY}
        return len(await self._database.rows(_DROP_ROWS, params))

    async def standing(self, job_ids: Collection[str]) -> dict[str, Standing]:
        """Tell how these jobs stand, by their ids; unknown ones are left out."""
        rows = await self._database.rows(_STANDING, {"ids": json.dumps(list(job_ids))})
        return {
            row["id"]: Standing(
                job_id=row["id"],
                is_deleted=bool(row["is_deleted"]),
                rests=bool(row["rests"]),
                since=row["since"],
            )
            for row in rows
        }

    async def holdings(self, user_id: int) -> list[Holding]:
        """List the jobs of a person that were not deleted."""
        rows = await self._database.rows(_OF_PERSON, {"user_id": user_id})
        return [
            Holding(
                job_id=row["id"],
                rests=bool(row["rests"]),
                size=row["size"],
                delivered_at=row["delivered_at"],
            )
            for row in rows
        ]
