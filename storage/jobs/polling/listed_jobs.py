"""ListedJobStore: the jobs that are polled together by reading the provider's job list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.jobs.remote_jobs import record_from
from storage.jobs.rows import job_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.model import Job
    from storage.database import Database
    from storage.jobs.remote_jobs import RemoteRecord

# A job is polled individually if the last poll did not find it, if it is past its deadline, if it
# is on hold, or if a webhook or a page has made it due.
_SERVED = """state = 'generating' AND next_at > updated_at AND backend = :backend
    AND misses = 0 AND deadline_at > :now AND (hold IS NULL OR hold = 'unanswered')
    AND remote_passed_at IS NULL"""

_OPEN = f"""
SELECT id, epoch, remote_id, remote_made_at, progress, generating_at, hold FROM jobs WHERE {_SERVED}
"""  # noqa: S608 - built from constants

_RECORDS = """
SELECT jobs.id, state, remote_id, remote_made_at, remote_passed_at, generating_at, echoes_order,
    prompt, sent_prompt, model, seconds, size, deleted_at
FROM json_each(:epochs) AS listed CROSS JOIN jobs
WHERE jobs.id = listed.key AND jobs.epoch = CAST(listed.value AS BIGINT)
    AND jobs.state = 'generating'
"""

# A job past its deadline is left to its individual poll, so no job is postponed beyond its
# deadline.
_PUT_OFF = """
UPDATE jobs SET
    next_at = CASE WHEN next_at >= :next_at OR next_at >= deadline_at THEN next_at
        WHEN deadline_at < :next_at THEN deadline_at ELSE :next_at END,
    attempts = attempts + 1, updated_at = :now, hold = NULL, held_since = NULL,
    progress = CASE WHEN listed.value ->> 1 > coalesce(progress, -1) THEN listed.value ->> 1
        ELSE progress END
FROM json_each(:jobs) AS listed
WHERE jobs.id = listed.key AND jobs.epoch = listed.value ->> 0 AND jobs.state = 'generating'
"""

# The higher epoch invalidates a poll that is already running. That poll may have read the job
# before the job changed, and must not postpone the next poll.
_WAKE = """
UPDATE jobs SET epoch = epoch + 1, claimed_by = NULL, next_at = :now, updated_at = :now
FROM json_each(:epochs) AS listed
WHERE jobs.id = listed.key AND jobs.epoch = CAST(listed.value AS BIGINT)
    AND jobs.state = 'generating'
RETURNING *
"""

_LEAVE_TO_LIST = f"""
UPDATE jobs SET next_at = :next_at
WHERE {_SERVED} AND next_at < :next_at AND deadline_at > :next_at
"""  # noqa: S608 - built from constants


@dataclass(frozen=True, kw_only=True, slots=True)
class PolledJob:
    """A job that is being generated, as it was before a page of the list was requested.

    `made_at`: the time at which the remote job was created, by the provider's clock.
    `is_held`: whether the job is on hold because the provider did not respond.
    """

    id: str
    epoch: int
    remote_id: str
    made_at: float | None
    progress: int | None
    generating_at: float
    is_held: bool


class ListedJobStore:
    """Reads and updates the jobs that are polled through the provider's list.

    A job that has changed meanwhile is not updated.
    """

    def __init__(self, database: Database, *, backend: str) -> None:
        self._database = database
        self._backend = backend

    async def open_jobs(self, *, now: float) -> list[PolledJob]:
        """List all jobs that can be polled through the provider's list."""
        rows = await self._database.rows(_OPEN, {"backend": self._backend, "now": now})
        return [
            PolledJob(
                id=row["id"],
                epoch=row["epoch"],
                remote_id=row["remote_id"],
                made_at=row["remote_made_at"],
                progress=row["progress"],
                generating_at=row["generating_at"] or now,
                is_held=row["hold"] is not None,
            )
            for row in rows
        ]

    async def records(self, jobs: Iterable[PolledJob]) -> dict[str, RemoteRecord]:
        """Return the remote records of `jobs` by job id, except jobs that have changed."""
        rows = await self._database.rows(_RECORDS, {"epochs": _epochs(jobs)})
        return {row["id"]: record_from(row) for row in rows}

    async def put_off(
        self, jobs: Sequence[tuple[PolledJob, int | None]], *, next_at: float, now: float
    ) -> list[Job]:
        """Postpone jobs that the provider is still working on, and return those whose cards change.

        `jobs`: each job with its new percentage, or with None if the percentage is unchanged.
        """
        same = {job.id: (job.epoch, None) for job, percent in jobs if _is_same(job, percent)}
        changed = {job.id: (job.epoch, new) for job, new in jobs if not _is_same(job, new)}
        times = {"next_at": next_at, "now": now}
        if same:
            await self._database.rows(_PUT_OFF, times | {"jobs": json.dumps(same)})
        if not changed:
            return []
        params = times | {"jobs": json.dumps(changed)}
        rows = await self._database.rows(f"{_PUT_OFF} RETURNING *", params)
        return [job_from(row) for row in rows]

    async def wake(self, jobs: Iterable[PolledJob], *, now: float) -> list[Job]:
        """Make jobs due now, so that each is polled individually, and return these jobs."""
        rows = await self._database.rows(_WAKE, {"epochs": _epochs(jobs), "now": now})
        return [job_from(row) for row in rows]

    async def leave_to_list(self, *, until: float, now: float) -> None:
        """Postpone the individual polls of jobs that can be polled through the list.

        `until`: the new time of these polls. A page of the list will be read before then.
        """
        params = {"backend": self._backend, "next_at": until, "now": now}
        await self._database.rows(_LEAVE_TO_LIST, params)


def _epochs(jobs: Iterable[PolledJob]) -> str:
    return json.dumps({job.id: job.epoch for job in jobs})


def _is_same(job: PolledJob, percent: int | None) -> bool:
    return percent is None and not job.is_held
