"""WorkerTable: records when each process was last seen, and with which settings it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.workers.leases import LEASE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from storage.database import Database, Row

_KEEP_SECONDS = 24 * 60 * 60.0
# No statement is stuck for longer. If the stored time is further ahead, the clock was set back.
_MAX_STUCK_SECONDS = 2 * 60.0

# A statement that was stuck may arrive after a later one. The stuck one must not set the row back.
_BEAT = """
INSERT INTO workers (id, seen_at, schema, digest, desk_since, role, host)
VALUES (:id, :now, :schema, :digest, :desk_since, :role, :host)
ON CONFLICT (id) DO UPDATE SET
    seen_at = CASE WHEN workers.seen_at > :now AND workers.seen_at <= :set_back
        THEN workers.seen_at ELSE :now END,
    digest = :digest,
    desk_since = coalesce(:desk_since, workers.desk_since)
RETURNING id
"""

# The desk that began last is the active one. It also counts while it is stopped or replaced.
_REFERENCE = """
SELECT (SELECT digest FROM workers WHERE desk_since IS NOT NULL ORDER BY desk_since DESC LIMIT 1)
    AS digest, max(schema) AS schema
FROM workers
"""

# The row stays, because the other workers may still compare their settings with it.
_LEAVE = """
UPDATE workers SET seen_at = seen_at - :lease WHERE id = :id
"""

# The new desk holds the lock, which proves that earlier desks no longer speak to Discord.
_TAKE_OVER = """
UPDATE workers SET seen_at = seen_at - :lease WHERE desk_since IS NOT NULL AND id <> :id
"""

_DELETE_OLD = """
DELETE FROM workers WHERE seen_at < :before
"""

ALIVE = """
SELECT id, seen_at, schema, digest, desk_since, role, host FROM workers
WHERE seen_at > :since ORDER BY role, host, id
"""

# Queued jobs are left out, because they may wait for the provider.
_OLDEST_DUE = """
SELECT min(next_at) AS next_at FROM jobs WHERE next_at <= :now AND state <> 'queued'
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerState:
    """The record of a process about itself.

    `schema`: the number of the last migration that it knows.
    `digest`: hashes of the settings that have to be the same in all processes.
    `desk_since`: when the process became the one that speaks to Discord, or None if it did not.
    `role`: the part of the work that it does. `host`: the name of its machine.
    """

    id: str
    schema: int
    digest: str
    desk_since: float | None
    role: str = "all"
    host: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenProcess:
    """A process that was seen recently.

    `silence`: the number of seconds since the process was last seen.
    `kind`: desk, standby (a desk that does not speak to Discord), worker, or all.
    """

    kind: str
    host: str
    silence: float
    schema: int
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """The values that have to be the same in all processes.

    `digest`: the digest of the active desk, or None if there was no desk yet.
    `schema`: the highest `schema` of all processes.
    """

    digest: str | None
    schema: int


class WorkerTable:
    """Stores a record of each process on the database. `clock`: the database's clock."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def beat(self, worker: WorkerState) -> Reference:
        """Record that a process is alive, and return the values that it must match."""
        now = self._clock()
        params = {
            "id": worker.id,
            "now": now,
            "set_back": now + _MAX_STUCK_SECONDS,
            "schema": worker.schema,
            "digest": worker.digest,
            "desk_since": worker.desk_since,
            "role": worker.role,
            "host": worker.host,
        }
        _, found = await self._database.sequence((_BEAT, params), (_REFERENCE, {}))
        return Reference(digest=found[0]["digest"], schema=found[0]["schema"])

    async def leave(self, worker_id: str) -> None:
        """Let the other workers claim the jobs of a process at once, because it is stopping."""
        await self._database.rows(_LEAVE, {"id": worker_id, "lease": LEASE_SECONDS})

    async def take_over(self, worker_id: str) -> None:
        """Let a new desk claim the jobs of all earlier desks at once."""
        await self._database.rows(_TAKE_OVER, {"id": worker_id, "lease": LEASE_SECONDS})

    async def alive(self) -> list[SeenProcess]:
        """List the processes that were seen within the time of a lease."""
        now = self._clock()
        rows = await self._database.rows(ALIVE, {"since": now - LEASE_SECONDS})
        return seen_processes(rows, now=now)

    async def longest_due(self) -> float:
        """Return the number of seconds for which the longest-waiting step has been due."""
        now = self._clock()
        row = await self._database.row(_OLDEST_DUE, {"now": now})
        return now - row["next_at"] if row and row["next_at"] is not None else 0.0

    async def sweep(self) -> None:
        """Delete the processes that were not seen for a day."""
        await self._database.rows(_DELETE_OLD, {"before": self._clock() - _KEEP_SECONDS})


def seen_processes(rows: Iterable[Row], *, now: float) -> list[SeenProcess]:
    """Convert rows of the table. If there are several desks, the one that began last is active."""
    found = list(rows)
    desks = [row["desk_since"] for row in found if row["desk_since"] is not None]
    return [
        SeenProcess(
            kind=_kind(row, max(desks, default=None)),
            host=row["host"],
            silence=max(0.0, now - row["seen_at"]),
            schema=row["schema"],
            digest=row["digest"],
        )
        for row in found
    ]


def _kind(row: Row, active_since: float | None) -> str:
    is_waiting = row["desk_since"] is None or row["desk_since"] != active_since
    return "standby" if row["role"] == "desk" and is_waiting else row["role"]
