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
    attachment_name = NULL, attachment_size = NULL, attachment_url = NULL,
    attachment_text = NULL
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
        -- A client was told that it is ready, and may never come for it.
        WHEN client IS NOT NULL THEN artifacts.created_at
        ELSE artifacts.delivered_at
    END AS since,
    client IS NOT NULL AND artifacts.job_id IS NOT NULL AND artifacts.delivered_at IS NULL
        AS is_awaited
FROM jobs LEFT JOIN artifacts ON artifacts.job_id = jobs.id
WHERE id IN (SELECT value FROM json_each(:ids))
"""  # noqa: S608 - put together from constants

_DROP_ARTIFACTS_OF_DELETED = """
DELETE FROM artifacts WHERE job_id IN (SELECT id FROM jobs WHERE deleted_at IS NOT NULL)
"""

# A trigger leaves the remote id of each among the spent ones.
_DROP_ROWS = """
DELETE FROM jobs
WHERE deleted_at < :before AND id NOT IN (SELECT value FROM json_each(:sparing))
RETURNING id
"""

# While a create is in doubt, its provider's list must not offer what belonged to another job.
_DROP_SPENT = """
DELETE FROM spent_refs WHERE NOT EXISTS (
    SELECT 1 FROM jobs WHERE jobs.backend = spent_refs.backend
        AND state IN ('submitting', 'unconfirmed', 'undecided'))
"""

_UPSTREAM = """
SELECT id, remote_id FROM jobs
WHERE deleted_at IS NOT NULL AND erased_at IS NULL AND backend = :backend
    AND remote_id IS NOT NULL
ORDER BY deleted_at
"""

# A finished video that waits for the operator goes as well.
_OF_PERSON = f"""
SELECT id, ({_RESTS}) OR (state = 'delivering' AND next_at > :now) AS can_go,
    artifacts.size, artifacts.delivered_at
FROM jobs LEFT JOIN artifacts ON artifacts.job_id = jobs.id
WHERE user_id = :user_id AND deleted_at IS NULL
"""  # noqa: S608 - put together from constants


_LAST_DELETED = """
SELECT max(at) AS at FROM (
    SELECT deleted_at AS at FROM jobs WHERE user_id = :user_id
    UNION ALL SELECT at FROM speeches WHERE user_id = :user_id)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletionStatus:
    """How a job stands with the keeper.

    `rests`: nothing more is done for it. `since` is when its files began to age, in Unix seconds;
    None: they have to stay. `is_awaited`: they go by their age, and never to make room.
    """

    job_id: str
    is_deleted: bool
    rests: bool
    since: float | None
    is_awaited: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredVideo:
    """A job of a person, as far as its files go; `size` in bytes, None: there is no video.

    `can_go`: nothing is being done for it.
    """

    job_id: str
    can_go: bool
    size: int | None
    delivered_at: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletedJob:
    """A deleted job, and the remote one that it had."""

    job_id: str
    remote_id: str


class RetentionStore:
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

    async def empty_log(self) -> None:
        """Let nothing of what was deleted stay in the database's log of changes."""
        await self._database.empty_log()

    async def upstream(self, backend: str) -> list[DeletedJob]:
        """List what a video service may still have of deleted jobs."""
        rows = await self._database.rows(_UPSTREAM, {"backend": backend})
        return [DeletedJob(job_id=row["id"], remote_id=row["remote_id"]) for row in rows]

    async def mark_erased(self, job_id: str, *, now: float) -> None:
        """Note that the video service has nothing any more."""
        params = {"id": job_id, "now": now}
        await self._database.rows("UPDATE jobs SET erased_at = :now WHERE id = :id", params)

    async def drop_rows(self, *, sparing: Collection[str], now: float) -> int:
        """Remove the deleted jobs that no cap counts any more, and tell how many.

        Of those that a listing could offer to a create in doubt, the remote id stays for as long.
        """
        params = {"sparing": json.dumps(list(sparing)), "before": now - _DAY}
        rows = await self._database.rows(_DROP_ROWS, params)
        await self._database.rows(_DROP_SPENT, {})
        return len(rows)

    async def forget_speeches(self, *, now: float) -> None:
        """Remove who had a text spoken, once no cap counts it any more."""
        await self._database.rows(
            "DELETE FROM speeches WHERE at <= :day_ago", {"day_ago": now - _DAY}
        )

    async def standing(self, job_ids: Collection[str]) -> dict[str, DeletionStatus]:
        """Tell how these jobs stand, by their ids; unknown ones are left out."""
        rows = await self._database.rows(_STANDING, {"ids": json.dumps(list(job_ids))})
        return {
            row["id"]: DeletionStatus(
                job_id=row["id"],
                is_deleted=bool(row["is_deleted"]),
                rests=bool(row["rests"]),
                since=row["since"],
                is_awaited=bool(row["is_awaited"]),
            )
            for row in rows
        }

    async def last_deleted_at(self, user_id: int) -> float | None:
        """Tell how new the newest row of a person is that is only there to be counted."""
        row = await self._database.row(_LAST_DELETED, {"user_id": user_id})
        return row["at"] if row else None

    async def holdings(self, user_id: int, *, now: float) -> list[StoredVideo]:
        """List the jobs of a person that were not deleted."""
        rows = await self._database.rows(_OF_PERSON, {"user_id": user_id, "now": now})
        return [
            StoredVideo(
                job_id=row["id"],
                can_go=bool(row["can_go"]),
                size=row["size"],
                delivered_at=row["delivered_at"],
            )
            for row in rows
        ]
