"""Finds out which ended jobs and files may be deleted, and deletes their rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.jobs.remote_jobs import RECORD_COLUMNS, record_from

if TYPE_CHECKING:
    from collections.abc import Collection

    from storage.database import Database
    from storage.jobs.remote_jobs import RemoteRecord
    from storage.jobs.spent_refs import SpentRefs

_DAY = 24 * 60 * 60

# A job that has ended and has no step remaining.
_SETTLED = "state IN ('succeeded', 'failed', 'cancelled') AND next_at IS NULL"

# The row is kept, but without its content, because the job still counts towards the daily caps.
_MARK_DELETED = f"""
UPDATE jobs SET
    deleted_at = coalesce(deleted_at, :now), epoch = epoch + 1, claimed_by = NULL, token = NULL,
    prompt = '', prompt_folded = '', sent_prompt = NULL, fingerprint = '',
    failure_key = NULL, failure_fields = NULL, attachment_name = NULL, attachment_size = NULL,
    attachment_url = NULL, attachment_text = NULL, voice_digest = ''
WHERE id = :id AND {_SETTLED}
RETURNING id
"""  # noqa: S608 - built from constants

# Files are kept until they are delivered, and while an open job may still reuse them. If a
# succeeded job has no artifact, its files have expired. If such files still exist, a crash has left
# them behind.
_STATUSES = f"""
SELECT id, deleted_at IS NOT NULL AS is_deleted, {_SETTLED} AS is_settled,
    CASE
        WHEN NOT ({_SETTLED}) OR id IN (
            SELECT narration_of FROM jobs WHERE narration_of IS NOT NULL AND NOT ({_SETTLED})
            UNION ALL SELECT clip_of FROM jobs WHERE clip_of IS NOT NULL AND NOT ({_SETTLED}))
        THEN NULL
        WHEN state <> 'succeeded' THEN updated_at
        WHEN artifacts.job_id IS NULL THEN 0
        -- The age counts from the creation, because the client may never fetch the video.
        WHEN client IS NOT NULL THEN artifacts.created_at
        ELSE artifacts.delivered_at
    END AS since,
    client IS NOT NULL AND artifacts.job_id IS NOT NULL AND artifacts.delivered_at IS NULL
        AS is_awaited
FROM jobs LEFT JOIN artifacts ON artifacts.job_id = jobs.id
WHERE id IN (SELECT value FROM json_each(:ids))
"""  # noqa: S608 - built from constants

_DELETE_ARTIFACTS_OF_DELETED = """
DELETE FROM artifacts WHERE job_id IN (SELECT id FROM jobs WHERE deleted_at IS NOT NULL)
"""

_DELETABLE = "deleted_at < :before AND id NOT IN (SELECT value FROM json_each(:keeping))"

_REFS_TO_DELETE = f"""
SELECT backend, remote_id FROM jobs WHERE {_DELETABLE} AND remote_id IS NOT NULL
"""  # noqa: S608 - built from constants

_DELETE_ROWS = f"""
DELETE FROM jobs WHERE {_DELETABLE} RETURNING id
"""  # noqa: S608 - built from constants

_DELETE_TURNS = (
    "DELETE FROM server_turns WHERE waiting = 0 AND coalesce(started_at, 0) < :before",
    "DELETE FROM person_turns WHERE waiting = 0 AND coalesce(started_at, 0) < :before",
)

# Jobs whose remote id was reassigned are left out. Otherwise, the remote job of another job would
# be deleted.
_WITH_REMOTE_JOB = f"""
SELECT {RECORD_COLUMNS} FROM jobs
WHERE deleted_at IS NOT NULL AND erased_at IS NULL AND backend = :backend
    AND remote_id IS NOT NULL AND remote_passed_at IS NULL
ORDER BY deleted_at
"""  # noqa: S608 - built from constants

# A job whose delivery waits for the operator can be deleted as well.
_OF_PERSON = f"""
SELECT id, ({_SETTLED}) OR (state = 'delivering' AND next_at > :now) AS is_deletable,
    artifacts.size, artifacts.delivered_at
FROM jobs LEFT JOIN artifacts ON artifacts.job_id = jobs.id
WHERE user_id = :user_id AND deleted_at IS NULL
"""  # noqa: S608 - built from constants


_LAST_DELETED = """
SELECT max(at) AS at FROM (
    SELECT deleted_at AS at FROM jobs WHERE user_id = :user_id
    UNION ALL SELECT at FROM speeches WHERE user_id = :user_id AND narration_id IS NULL) AS deleted
"""


# The rows of deleted jobs still contain the ids of their cards.
_CARDS_OF = """
SELECT channel_id, message_id FROM jobs
WHERE user_id = :user_id AND channel_id IS NOT NULL AND message_id IS NOT NULL
ORDER BY created_at DESC
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class CardPlace:
    """The channel and message IDs of a card."""

    channel_id: int
    message_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletionStatus:
    """The facts that decide whether the files of a job may be deleted.

    `is_deleted`: whether the job itself has been deleted.
    `is_settled`: whether the job has ended and has no step remaining.
    `since`: the Unix time from which the age of the files counts, or None if they must be kept.
    `is_awaited`: whether an API client has yet to fetch the video. If so, the files are deleted
    only when they expire, and not to free space.
    """

    job_id: str
    is_deleted: bool
    is_settled: bool
    since: float | None
    is_awaited: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredJob:
    """A person's job, and the size of its video.

    `is_deletable`: whether the job has ended, or waits only for the operator.
    `size`: the size of the video in bytes, or None if there is no video.
    """

    job_id: str
    is_deletable: bool
    size: int | None
    delivered_at: float | None


class RetentionStore:
    """Finds the data that may be deleted, and deletes this data from the tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark_deleted(self, job_id: str, *, now: float) -> bool:
        """Mark a job as deleted and clear its content, or return False if the job has not ended."""
        row = await self._database.row(_MARK_DELETED, {"id": job_id, "now": now})
        return row is not None

    async def delete_artifact(self, job_id: str) -> None:
        """Delete the row of a finished video."""
        await self._database.rows("DELETE FROM artifacts WHERE job_id = :id", {"id": job_id})

    async def delete_artifacts_of_deleted(self) -> None:
        """Delete the rows of deleted jobs' videos. A crash may have left such rows over."""
        await self._database.rows(_DELETE_ARTIFACTS_OF_DELETED, {})

    async def clear_log(self) -> None:
        """Remove deleted content from the database's log."""
        await self._database.clear_log()

    async def remote_jobs(self, backend: str) -> list[RemoteRecord]:
        """List the remote jobs of deleted jobs that may still exist at the provider."""
        rows = await self._database.rows(_WITH_REMOTE_JOB, {"backend": backend})
        return [record_from(row) for row in rows]

    async def mark_remote_deleted(self, job_id: str, *, now: float) -> None:
        """Record that the provider has deleted a job's remote job."""
        params = {"id": job_id, "now": now}
        await self._database.rows("UPDATE jobs SET erased_at = :now WHERE id = :id", params)

    async def delete_rows(self, *, keeping: Collection[str], spent: SpentRefs, now: float) -> int:
        """Delete the rows of deleted jobs that are too old to count for a cap.

        Returns their number.

        Hashes of the remote ids are stored in `spent`, because the provider may still list these
        ids.
        `keeping`: the ids of jobs whose rows must be kept.
        """
        params = {"keeping": json.dumps(list(keeping)), "before": now - _DAY}
        for row in await self._database.rows(_REFS_TO_DELETE, params):
            await spent.add(row["backend"], row["remote_id"], now=now)
        rows = await self._database.rows(_DELETE_ROWS, params)
        await spent.sweep(now=now)
        return len(rows)

    async def delete_old_turns(self, *, now: float) -> None:
        """Delete the turns of the servers and people who have not started a job for a day."""
        for sql in _DELETE_TURNS:
            await self._database.rows(sql, {"before": now - _DAY})

    async def deletion_statuses(self, job_ids: Collection[str]) -> dict[str, DeletionStatus]:
        """Return the deletion status of each job by its id. Unknown jobs are left out."""
        rows = await self._database.rows(_STATUSES, {"ids": json.dumps(list(job_ids))})
        return {
            row["id"]: DeletionStatus(
                job_id=row["id"],
                is_deleted=bool(row["is_deleted"]),
                is_settled=bool(row["is_settled"]),
                since=row["since"],
                is_awaited=bool(row["is_awaited"]),
            )
            for row in rows
        }

    async def last_deleted_at(self, user_id: int) -> float | None:
        """Return the time of the newest row about a person that is kept only for the daily caps."""
        row = await self._database.row(_LAST_DELETED, {"user_id": user_id})
        return row["at"] if row else None

    async def cards_of(self, user_id: int) -> list[CardPlace]:
        """List the places of all cards of a person, newest first. Deleted jobs are included."""
        rows = await self._database.rows(_CARDS_OF, {"user_id": user_id})
        return [CardPlace(**dict(row)) for row in rows]

    async def jobs_of(self, user_id: int, *, now: float) -> list[StoredJob]:
        """List a person's jobs, except deleted ones."""
        rows = await self._database.rows(_OF_PERSON, {"user_id": user_id, "now": now})
        return [
            StoredJob(
                job_id=row["id"],
                is_deletable=bool(row["is_deletable"]),
                size=row["size"],
                delivered_at=row["delivered_at"],
            )
            for row in rows
        ]
