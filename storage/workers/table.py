"""WorkerTable: records when each process was last seen, and with which settings it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.workers.leases import LEASE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.database import Database

_KEEP_SECONDS = 24 * 60 * 60.0

_BEAT = """
INSERT INTO workers (id, seen_at, schema, digest, desk_since)
VALUES (:id, :now, :schema, :digest, :desk_since)
ON CONFLICT (id) DO UPDATE SET seen_at = :now, digest = :digest, desk_since = :desk_since
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

_DELETE_OLD = """
DELETE FROM workers WHERE seen_at < :before
"""

ALIVE = """
SELECT id, seen_at, schema, digest, desk_since FROM workers WHERE seen_at > :since ORDER BY id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerState:
    """The record of a process about itself.

    `schema`: the number of the last migration that it knows.
    `digest`: hashes of the settings that have to be the same in all processes.
    `desk_since`: when the process became the one that speaks to Discord, or None if it is not.
    """

    id: str
    schema: int
    digest: str
    desk_since: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """The values with which all processes have to agree.

    `digest`: that of the active desk, or None if there was no desk yet.
    `schema`: the highest number of all processes.
    """

    digest: str | None
    schema: int


class WorkerTable:
    """Reads and writes the processes that share the database. `clock`: the database's clock."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def beat(self, worker: WorkerState) -> Reference:
        """Store that a process is alive, and return what it has to agree with."""
        params = {
            "id": worker.id,
            "now": self._clock(),
            "schema": worker.schema,
            "digest": worker.digest,
            "desk_since": worker.desk_since,
        }
        _, found = await self._database.sequence((_BEAT, params), (_REFERENCE, {}))
        return Reference(digest=found[0]["digest"], schema=found[0]["schema"])

    async def leave(self, worker_id: str) -> None:
        """Let the other workers claim the jobs of a process at once, because it is stopping."""
        await self._database.rows(_LEAVE, {"id": worker_id, "lease": LEASE_SECONDS})

    async def sweep(self) -> None:
        """Delete the processes that were not seen for a day."""
        await self._database.rows(_DELETE_OLD, {"before": self._clock() - _KEEP_SECONDS})
