"""Claims the jobs whose next step is due, except queued jobs, which are claimed in turns."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from bot.model import AT_PROVIDER, JobState
from storage.jobs.rows import job_from
from storage.workers.leases import FREE, Lease, alone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.model import Job
    from storage.database import Database

# A job that was submitted to another backend waits until the operator chooses that backend again.
_AT_BACKEND = AT_PROVIDER | {JobState.DOWNLOADING}
_CLAIMABLE = f"""next_at IS NOT NULL
            AND (backend = :backend
                OR state NOT IN ('submitting', 'unconfirmed', 'generating', 'downloading'))
            AND (CAST(:client AS TEXT) IS NULL OR client = :client)
            AND (:clients_only = 0 OR client IS NOT NULL)
            AND (CAST(:narrated AS INTEGER) IS NULL
                OR (:narrated = 1) = (attachment_name IS NOT NULL))
            AND (state <> 'received' OR CAST(:has_card AS INTEGER) IS NULL
                OR (:has_card = 1) = (message_id IS NOT NULL OR client IS NOT NULL))
            AND id NOT IN (SELECT value FROM json_each(:running))
            AND {FREE}"""  # noqa: S608 - built from constants

# For PostgreSQL, `storage.postgres` replaces the comment with the words inside it. PostgreSQL then
# skips rows that another statement is changing.
_DUE_OF_STATE = f"""
        SELECT * FROM (
            SELECT id, next_at, rowid AS number FROM jobs
            WHERE state = '{{state}}' AND next_at <= :now AND {_CLAIMABLE}
            ORDER BY next_at, rowid LIMIT :limit /* FOR UPDATE SKIP LOCKED */) AS {{state}}_jobs
"""  # noqa: S608 - built from constants


@cache
def claim(states: tuple[JobState, ...]) -> str:
    """Return the statement that claims jobs in these states.

    Each state has its own SELECT, because the index sorts jobs by due time only within one state.
    The states are not parameters: SQLite would compile the statement again for each new value of a
    parameter that it compares with the condition of a partial index.
    PostgreSQL runs a materialized subquery once, so that it locks no more rows than the limit.
    """
    due = "UNION ALL".join(_DUE_OF_STATE.format(state=state) for state in states)
    return f"""
WITH claimable AS MATERIALIZED (
    SELECT id FROM ({due}) AS of_states ORDER BY next_at, number LIMIT :limit)
UPDATE jobs SET epoch = epoch + 1, claimed_by = :worker
WHERE id IN (SELECT id FROM claimable)
RETURNING *, rowid AS number
"""  # noqa: S608 - built from constants


NEXT_DUE = f"""
SELECT min(due) AS next_at FROM (
    SELECT (
        SELECT next_at FROM jobs
        WHERE state = lane.value AND {_CLAIMABLE}
        ORDER BY next_at LIMIT 1) AS due
    FROM json_each(:states) AS lane) AS each_state
"""  # noqa: S608 - built from constants

# `:epoch` is the job's epoch since the claim. Without this condition, the statement could end a
# later claim by the same worker.
LET_GO = """
UPDATE jobs SET claimed_by = NULL WHERE id = :id AND epoch = :epoch AND claimed_by = :worker
"""


class DueJobStore:
    """Claims due jobs for one worker. With a `client`, it claims only that API client's jobs.

    Jobs that were submitted to another backend are skipped.
    `has_card` applies only to new jobs: False claims those whose card is missing, True claims the
    others, and None claims both.
    """

    def __init__(
        self,
        database: Database,
        *,
        backend: str,
        client: str | None = None,
        lease: Lease | None = None,
        has_card: bool | None = None,
    ) -> None:
        self._database = database
        self._backend = backend
        self._client = client
        self._lease = lease or alone()
        self._has_card = has_card

    async def claim(
        self,
        states: Collection[JobState],
        *,
        clients_only: bool,
        narrated: bool | None,
        running: Collection[str],
        limit: int,
        now: float,
    ) -> list[Job]:
        """Claim up to `limit` due jobs that are not in `running`, and raise their epochs.

        `clients_only`: whether to claim only the jobs of API clients, and none from Discord.
        `narrated`: True for jobs with a narration, False for jobs without one, None for both.
        """
        if not states:
            return []
        params = self._params(clients_only=clients_only, narrated=narrated, running=running)
        rows = await self._database.rows(
            claim(tuple(states)), params | {"limit": limit, "now": now}
        )
        # The rows from RETURNING are in no particular order.
        ordered = sorted(rows, key=lambda row: (row["next_at"], row["number"]))
        return [job_from(row) for row in ordered]

    def needs_no_claim(self, job: Job, *, clients_only: bool) -> bool:
        """Tell whether this process may run a job's due step without claiming the job.

        This is so if no other process claims jobs, and if this one would claim the job.
        """
        is_elsewhere = job.state in _AT_BACKEND and job.backend != self._backend
        client = job.client.name if job.client else None
        return (
            self._lease.worker is None
            and not is_elsewhere
            and self._client in {None, client}
            and not (clients_only and client is None)
        )

    async def next_due(
        self,
        states: Iterable[JobState],
        *,
        clients_only: bool,
        narrated: bool | None,
        running: Collection[str],
    ) -> float | None:
        """Return the time at which the next job is due. `claim` explains the parameters."""
        params = self._params(clients_only=clients_only, narrated=narrated, running=running)
        row = await self._database.row(NEXT_DUE, params | {"states": json.dumps(list(states))})
        return row["next_at"] if row else None

    async def let_go(self, job: Job) -> None:
        """Let the other workers claim a job whose step has ended without a change to the job."""
        if self._lease.worker is not None:
            params = {"id": job.id, "epoch": job.epoch, "worker": self._lease.worker}
            await self._database.rows(LET_GO, params)

    def _params(
        self, *, clients_only: bool, narrated: bool | None, running: Collection[str]
    ) -> dict[str, Any]:
        return {
            "backend": self._backend,
            "client": self._client,
            "clients_only": int(clients_only),
            "narrated": None if narrated is None else int(narrated),
            "has_card": None if self._has_card is None else int(self._has_card),
            "running": json.dumps(list(running)),
            **self._lease.columns,
        }
