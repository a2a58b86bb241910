"""The columns that link jobs to their remote jobs at the provider."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.model import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.database import Database, Row

_ENDED = "('succeeded', 'failed', 'cancelled')"

_REASSIGN = f"""
UPDATE jobs SET remote_passed_at = :now
WHERE backend = :backend AND remote_id = :ref AND remote_passed_at IS NULL AND id <> :id
    AND state IN {_ENDED}
RETURNING id
"""  # noqa: S608 - built from constants

_HOLDER = """
SELECT * FROM jobs
WHERE backend = :backend AND remote_id = :ref AND remote_passed_at IS NULL AND id <> :id
"""

_REUSED = """
SELECT 1 FROM jobs
WHERE backend = :backend AND (account IS NULL OR account = :account)
    AND remote_passed_at IS NOT NULL LIMIT 1
"""

_HOLDERS = """
SELECT * FROM jobs
WHERE backend = :backend AND remote_passed_at IS NULL
    AND remote_id IN (SELECT value FROM json_each(:refs))
"""

_BEGUN = """
SELECT * FROM jobs WHERE backend = :backend AND state IN ('submitting', 'unconfirmed')
"""

_MARK_LOST = """
UPDATE jobs SET remote_passed_at = :now
WHERE id = :id AND remote_id = :ref AND remote_passed_at IS NULL
"""

_MARK_DELETED = "UPDATE jobs SET remote_deleted_at = :now WHERE id = :id AND remote_id = :ref"

# A trustworthy list shows these jobs: their create requests were answered, and the provider has not
# deleted them. Row ids of state changes follow real time, even if the clock was set.
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
    """A job's remote job: its id, its request, and its state.

    `made_at`: the time of its creation by the provider's clock.
    `bound_at`: the time when its id was stored, by our clock.
    `is_echoed`: whether the response to the create request did not contradict the request.
    `has_prompt`: whether the prompt has not been deleted.
    `is_reassigned`: whether the id now belongs to another job.
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
    """Reads and writes which remote job belongs to which job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: str) -> RemoteRecord | None:
        """Read a job's remote job, or return None if the job has none."""
        row = await self._database.row(
            "SELECT * FROM jobs WHERE id = :id AND remote_id IS NOT NULL", {"id": job_id}
        )
        return record_from(row) if row else None

    async def holders(self, backend: str, refs: Iterable[str]) -> dict[str, RemoteRecord]:
        """Return the records of the jobs that have these remote ids, by remote id."""
        params = {"backend": backend, "refs": json.dumps(list(refs))}
        rows = await self._database.rows(_HOLDERS, params)
        return {row["remote_id"]: record_from(row) for row in rows}

    async def answered(
        self, backend: str, account: str, *, job_id: str = ""
    ) -> list[tuple[RemoteRecord, bool]]:
        """List the newest jobs at the provider whose create requests were answered.

        The flag tells whether the response came before the last create request of `job_id` began.
        """
        params = {"backend": backend, "account": account, "id": job_id}
        rows = await self._database.rows(_ANSWERED, params)
        return [(record_from(row), bool(row["is_earlier"])) for row in rows]

    async def begun(self, backend: str) -> list[VideoRequest]:
        """List the requests of jobs whose create requests have not been answered yet."""
        rows = await self._database.rows(_BEGUN, {"backend": backend})
        return [_request(row) for row in rows]

    async def reassign(self, backend: str, ref: str, *, job_id: str, now: float) -> str | None:
        """Take an id from an ended job for the job `job_id`, and return the ended job's id."""
        params = {"backend": backend, "ref": ref, "id": job_id, "now": now}
        row = await self._database.row(_REASSIGN, params)
        return row["id"] if row else None

    async def is_held(self, backend: str, ref: str, *, job_id: str) -> bool:
        """Return whether a job other than `job_id` has this id."""
        params = {"backend": backend, "ref": ref, "id": job_id}
        return await self._database.row(_HOLDER, params) is not None

    async def has_reused_ids(self, backend: str, account: str) -> bool:
        """Return whether the provider has given an id of one of our jobs to another job."""
        params = {"backend": backend, "account": account}
        return await self._database.row(_REUSED, params) is not None

    async def mark_lost(self, job_id: str, ref: str, *, now: float) -> None:
        """Store that the id no longer belongs to this job."""
        await self._database.rows(_MARK_LOST, {"id": job_id, "ref": ref, "now": now})

    async def mark_deleted(self, job_id: str, ref: str, *, now: float) -> None:
        """Store that the provider has deleted or cancelled the remote job."""
        await self._database.rows(_MARK_DELETED, {"id": job_id, "ref": ref, "now": now})


def record_from(row: Row) -> RemoteRecord:
    """Convert the row of a job with a remote id."""
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
