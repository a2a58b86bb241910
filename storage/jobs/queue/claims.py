"""Claims queued jobs fairly: servers take turns, and so do the people within each server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.jobs.circuits import MAX_HELD_SECONDS
from storage.jobs.rows import job_from
from storage.workers.leases import FREE, HELD_BY_OTHERS, Lease, alone

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.model import Job
    from storage.database import Database

_FOR_EVER = 9e99

# While the circuit is open and no probe is due, only jobs that have waited too long are claimed, so
# that they fail. These are the jobs created before `latest`. If `latest` is negative, there are
# none.
_HELD = f"""
held (latest) AS MATERIALIZED (SELECT coalesce((
    SELECT CASE WHEN opened_at > :held_since THEN -1
        ELSE CAST(:held_since AS DOUBLE PRECISION) END FROM circuits
    WHERE backend = :backend AND state = 'open' AND probe_at > :now), {_FOR_EVER}))
"""  # noqa: S608 - built from constants

_CLAIMABLE = f"""state = 'queued' AND next_at IS NOT NULL
    AND (SELECT latest FROM held) >= 0 AND created_at <= (SELECT latest FROM held)
    AND (CAST(:client AS TEXT) IS NULL OR client = :client)
    AND (:clients_only = 0 OR client IS NOT NULL)
    AND (CAST(:narrated AS INTEGER) IS NULL
        OR (:narrated = 1) = (attachment_name IS NOT NULL))
    AND id NOT IN (SELECT value FROM json_each(:running))
    AND {FREE}"""  # noqa: S608 - built from constants
_DUE = f"next_at <= :now AND {_CLAIMABLE}"

# The jobs that are claimed and about to be sent.
_CLAIMED = f"""
    SELECT queue_server, queue_person FROM jobs
    WHERE id IN (SELECT value FROM json_each(:running)) AND state = 'queued'
    UNION ALL
    SELECT queue_server, queue_person FROM jobs WHERE {HELD_BY_OTHERS}"""  # noqa: S608 - constants

# Counting stops at the limit.
_AT_PROVIDER = """
    SELECT 1 FROM jobs
    WHERE state IN ('submitting', 'unconfirmed', 'generating') AND backend = :backend
        AND (CAST(:client AS TEXT) IS NULL OR client = :client)
    LIMIT :at_provider"""

# A server and a person use up their turn only when their job's create request starts. From the
# claim until then, they are `busy`, and are served after the others.
CLAIM_QUEUED = f"""
WITH {_HELD},
busy (server, person) AS MATERIALIZED ({_CLAIMED}),
next_server (server) AS MATERIALIZED (
    SELECT * FROM (
        SELECT server FROM server_turns
        WHERE waiting > 0 AND server NOT IN (SELECT server FROM busy)
            AND EXISTS (SELECT 1 FROM jobs WHERE queue_server = server AND {_DUE})
        ORDER BY turn, since, server LIMIT 1) AS waiting_server
    UNION ALL
    SELECT * FROM (
        SELECT server FROM server_turns
        WHERE server IN (SELECT server FROM busy)
            AND EXISTS (SELECT 1 FROM jobs WHERE queue_server = server AND {_DUE})
        ORDER BY (SELECT count(*) FROM busy WHERE busy.server = server_turns.server), turn, since
        LIMIT 1) AS busy_server
    LIMIT 1),
next_person (server, person) AS MATERIALIZED (
    SELECT * FROM (
        SELECT server, person FROM person_turns
        WHERE server = (SELECT server FROM next_server) AND waiting > 0
            AND (server, person) NOT IN (SELECT server, person FROM busy)
            AND EXISTS (
                SELECT 1 FROM jobs WHERE queue_server = server AND queue_person = person AND {_DUE})
        ORDER BY turn, since, person LIMIT 1) AS waiting_person
    UNION ALL
    SELECT * FROM (
        SELECT server, person FROM person_turns
        WHERE server = (SELECT server FROM next_server)
            AND person IN (SELECT person FROM busy)
            AND EXISTS (
                SELECT 1 FROM jobs WHERE queue_server = server AND queue_person = person AND {_DUE})
        ORDER BY (
            SELECT count(*) FROM busy
            WHERE busy.server = person_turns.server AND busy.person = person_turns.person),
            turn, since
        LIMIT 1) AS busy_person
    LIMIT 1)
UPDATE jobs SET epoch = epoch + 1, claimed_by = :worker
WHERE (SELECT count(*) FROM busy) + (SELECT count(*) FROM ({_AT_PROVIDER}) AS a) < :at_provider
    AND id = (
    SELECT id FROM jobs
    WHERE queue_server = (SELECT server FROM next_person)
        AND queue_person = (SELECT person FROM next_person) AND {_DUE}
    ORDER BY next_at, rowid LIMIT 1 /* FOR UPDATE SKIP LOCKED */)
RETURNING *
"""  # noqa: S608 - built from constants

NEXT_QUEUED = f"""
WITH {_HELD}
SELECT next_at FROM jobs WHERE {_CLAIMABLE} ORDER BY next_at LIMIT 1
"""  # noqa: S608 - built from constants

OCCUPIED = f"""
SELECT
    (SELECT count(*) FROM ({_AT_PROVIDER}) AS at_provider)
        + (SELECT count(*) FROM ({_CLAIMED}) AS claimed) AS jobs,
    (SELECT jobs FROM lowered_limits WHERE backend = :backend) AS lowered_to,
    (SELECT lowered_at FROM lowered_limits WHERE backend = :backend) AS lowered_at
"""  # noqa: S608 - built from constants

_LOWER_LIMIT = """
INSERT INTO lowered_limits (backend, jobs, lowered_at) VALUES (:backend, :jobs, :now)
ON CONFLICT (backend) DO UPDATE SET jobs = :jobs, lowered_at = :now
"""

# If a later job of the same server or person has started, that job's turn stays used up.
_GIVE_TURNS_BACK = (
    """UPDATE server_turns SET turn = earlier_turn, since = earlier_since, job_id = NULL
    WHERE server = (SELECT queue_server FROM jobs WHERE id = :id) AND job_id = :id""",
    """UPDATE person_turns SET turn = earlier_turn, since = earlier_since, job_id = NULL
    WHERE server = (SELECT queue_server FROM jobs WHERE id = :id)
        AND person = (SELECT queue_person FROM jobs WHERE id = :id) AND job_id = :id""",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Occupation:
    """The use of a provider.

    `jobs`: the jobs at the provider, plus the queued jobs that are claimed.
    `lowered_to`, `lowered_at`: the limit after the last status 429, and the time of that status.
    None if there was no such status.
    """

    jobs: int
    lowered_to: int | None
    lowered_at: float | None


class QueueStore:
    """Claims queued jobs of one backend. With a `client`, it claims only that API client's jobs."""

    def __init__(
        self,
        database: Database,
        *,
        backend: str,
        client: str | None = None,
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._backend = backend
        self._client = client
        self._lease = lease or alone()

    async def claim_next(
        self,
        *,
        running: Collection[str],
        clients_only: bool,
        narrated: bool | None,
        at_provider: int,
        now: float,
    ) -> Job | None:
        """Claim the job whose turn it is.

        `at_provider`: the maximum number of jobs that are claimed or at the provider.
        Returns None if no job is due, or if this maximum is reached. The workers claim one after
        another, because each worker counts the jobs that the others have claimed.
        """
        params = self._params(
            running=running, clients_only=clients_only, narrated=narrated, now=now
        )
        params["at_provider"] = at_provider
        row = await self._database.counting_row(CLAIM_QUEUED, params)
        return job_from(row) if row else None

    async def next_due(
        self, *, running: Collection[str], clients_only: bool, narrated: bool | None, now: float
    ) -> float | None:
        """Return the time at which the next queued job is due, or None if none is scheduled."""
        params = self._params(
            running=running, clients_only=clients_only, narrated=narrated, now=now
        )
        row = await self._database.row(NEXT_QUEUED, params)
        return row["next_at"] if row else None

    async def occupation(
        self, *, limit: int, running: Collection[str] = (), of_all: bool = False
    ) -> Occupation:
        """Count the jobs at the provider, up to `limit`, and read the lowered limit.

        `running`: the jobs that this process has claimed.
        `of_all`: whether to count the jobs that this store does not claim, too.
        """
        [row] = await self._database.rows(
            OCCUPIED,
            {
                "backend": self._backend,
                "client": None if of_all else self._client,
                "at_provider": limit,
                "running": json.dumps(list(running)),
                **self._lease.columns,
            },
        )
        return Occupation(
            jobs=row["jobs"], lowered_to=row["lowered_to"], lowered_at=row["lowered_at"]
        )

    async def lower_limit(self, jobs: int, *, now: float) -> None:
        """Store the limit that a status 429 has led to. It counts for all processes."""
        params = {"backend": self._backend, "jobs": jobs, "now": now}
        await self._database.rows(_LOWER_LIMIT, params)

    async def give_turns_back(self, job_id: str) -> None:
        """Give the turns back that a job used up when it started, to its server and its person."""
        for sql in _GIVE_TURNS_BACK:
            await self._database.rows(sql, {"id": job_id})

    def _params(
        self, *, running: Collection[str], clients_only: bool, narrated: bool | None, now: float
    ) -> dict[str, Any]:
        return {
            "backend": self._backend,
            "client": self._client,
            "clients_only": int(clients_only),
            "narrated": None if narrated is None else int(narrated),
            "running": json.dumps(list(running)),
            "now": now,
            "held_since": now - MAX_HELD_SECONDS,
            **self._lease.columns,
        }
