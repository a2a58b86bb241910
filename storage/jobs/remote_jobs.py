"""The columns that link our jobs to the provider's jobs, which are called remote jobs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.model import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.database import Database, Row

_ENDED = "('succeeded', 'failed', 'cancelled')"

#: The columns that `record_from` reads.
RECORD_COLUMNS = """id, state, prompt, sent_prompt, model, seconds, size, deleted_at, generating_at,
    remote_id, remote_made_at, remote_passed_at, echoes_order"""

_REASSIGN = f"""
UPDATE jobs SET remote_passed_at = :now
WHERE backend = :backend AND remote_id = :ref AND remote_passed_at IS NULL AND id <> :id
    AND state IN {_ENDED}
RETURNING id
"""  # noqa: S608 - built from constants

_HOLDER = """
SELECT 1 FROM jobs
WHERE backend = :backend AND remote_id = :ref AND remote_passed_at IS NULL AND id <> :id
"""

_REUSED = """
SELECT 1 FROM jobs
WHERE backend = :backend AND (account IS NULL OR account = :account)
    AND remote_passed_at IS NOT NULL LIMIT 1
"""

_HOLDERS = f"""
SELECT {RECORD_COLUMNS} FROM jobs
WHERE backend = :backend AND remote_passed_at IS NULL
    AND remote_id IN (SELECT value FROM json_each(:refs))
"""  # noqa: S608 - built from constants

_BEGUN = """
SELECT * FROM jobs WHERE backend = :backend AND state IN ('submitting', 'unconfirmed')
"""

_MARK_LOST = """
UPDATE jobs SET remote_passed_at = :now
WHERE id = :id AND remote_id = :ref AND remote_passed_at IS NULL
"""

_MARK_DELETED = "UPDATE jobs SET remote_deleted_at = :now WHERE id = :id AND remote_id = :ref"

# A trustworthy list contains these jobs, because the provider answered their create requests and
# has not deleted them. They are ordered by row id and not by time, because the clock may have been
# changed.
_ANSWERED = """
SELECT jobs.*, answered.rowid < (
    SELECT max(rowid) FROM job_events WHERE job_id = :id AND to_state = 'submitting') AS is_earlier
FROM job_events AS answered JOIN jobs ON jobs.id = answered.job_id
WHERE answered.from_state = 'submitting' AND answered.to_state = 'generating'
    AND backend = :backend AND (account IS NULL OR account = :account) AND remote_id IS NOT NULL
    AND remote_passed_at IS NULL AND remote_deleted_at IS NULL AND deleted_at IS NULL
ORDER BY answered.rowid DESC LIMIT 500
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteRecord:
    """The remote job of one of our jobs, as far as the bot knows it.

    `made_at`: the time at which the remote job was created, by the provider's clock.
    `bound_at`: the time at which the bot stored the remote id, by the bot's clock.
    `is_echoed`: False if the response to the create request described a different request.
    `has_prompt`: False if the prompt has been deleted.
    `is_open`: whether our job has not ended yet.
    `is_reassigned`: whether the remote id now belongs to another job.
    """

    job_id: str
    remote_id: str
    request: VideoRequest
    made_at: float | None
    bound_at: float | None
    is_echoed: bool
    has_prompt: bool
    is_open: bool
    is_reassigned: bool


class RemoteJobStore:
    """Reads and writes which remote job belongs to which of our jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: str) -> RemoteRecord | None:
        """Return a job's remote job, or None if the job has none."""
        row = await self._database.row(
            "SELECT * FROM jobs WHERE id = :id AND remote_id IS NOT NULL", {"id": job_id}
        )
        return record_from(row) if row else None

    async def holders(self, backend: str, refs: Iterable[str]) -> dict[str, RemoteRecord]:
        """Return the records of our jobs that have these remote ids, by remote id."""
        params = {"backend": backend, "refs": json.dumps(list(refs))}
        rows = await self._database.rows(_HOLDERS, params)
        return {row["remote_id"]: record_from(row) for row in rows}

    async def answered(
        self, backend: str, account: str, *, job_id: str = ""
    ) -> list[tuple[RemoteRecord, bool]]:
        """List the newest jobs whose create requests the provider answered.

        Each comes with a flag: whether that answer arrived before the last create request of the
        job `job_id` began.
        """
        params = {"backend": backend, "account": account, "id": job_id}
        rows = await self._database.rows(_ANSWERED, params)
        return [(record_from(row), bool(row["is_earlier"])) for row in rows]

    async def begun(self, backend: str) -> list[VideoRequest]:
        """List the video requests of the jobs whose create requests have not been answered yet."""
        rows = await self._database.rows(_BEGUN, {"backend": backend})
        return [_request(row) for row in rows]

    async def reassign(self, backend: str, ref: str, *, job_id: str, now: float) -> str | None:
        """Take a remote id from an ended job, so that the job `job_id` can have it.

        Returns the id of the ended job, or None if no ended job had the remote id.
        """
        params = {"backend": backend, "ref": ref, "id": job_id, "now": now}
        row = await self._database.row(_REASSIGN, params)
        return row["id"] if row else None

    async def is_held(self, backend: str, ref: str, *, job_id: str) -> bool:
        """Return whether a job other than `job_id` has this remote id."""
        params = {"backend": backend, "ref": ref, "id": job_id}
        return await self._database.row(_HOLDER, params) is not None

    async def has_reused_ids(self, backend: str, account: str) -> bool:
        """Return whether the provider has ever used the same id for two jobs."""
        params = {"backend": backend, "account": account}
        return await self._database.row(_REUSED, params) is not None

    async def mark_lost(self, job_id: str, ref: str, *, now: float) -> None:
        """Record that the remote id no longer belongs to this job."""
        await self._database.rows(_MARK_LOST, {"id": job_id, "ref": ref, "now": now})

    async def mark_deleted(self, job_id: str, ref: str, *, now: float) -> None:
        """Record that the provider has deleted or cancelled the remote job."""
        await self._database.rows(_MARK_DELETED, {"id": job_id, "ref": ref, "now": now})


def record_from(row: Row) -> RemoteRecord:
    """Convert the row of a job that has a remote id to a `RemoteRecord`."""
    return RemoteRecord(
        job_id=row["id"],
        remote_id=row["remote_id"],
        request=_request(row),
        made_at=row["remote_made_at"],
        bound_at=row["generating_at"],
        is_echoed=bool(row["echoes_order"]),
        has_prompt=row["deleted_at"] is None,
        is_open=row["state"] not in {"succeeded", "failed", "cancelled"},
        is_reassigned=row["remote_passed_at"] is not None,
    )


def _request(row: Row) -> VideoRequest:
    return VideoRequest(
        prompt=row["sent_prompt"] or row["prompt"],
        model=row["model"],
        seconds=row["seconds"],
        size=row["size"],
    )
