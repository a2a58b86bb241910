"""The table of circuits: which providers refuse every create, why, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.model import Trouble

if TYPE_CHECKING:
    import sqlite3

    from storage.database import Database

HELD_SECONDS = 24 * 60 * 60.0
"""How long a job waits behind an open circuit."""

_REFUSE = """
INSERT INTO circuits (backend, reason, refusals) VALUES (:backend, :reason, 1)
ON CONFLICT (backend) DO UPDATE SET refusals = refusals + 1, reason = :reason
WHERE state <> 'open'
RETURNING *
"""

# What was told of the last opening still stands if nobody was told that it is over.
_OPEN = """
UPDATE circuits SET state = 'open', opened_at = :now, probe_at = :probe_at, probes = 0
WHERE backend = :backend AND state <> 'open'
RETURNING *
"""

# The turn is taken before the POST: whatever becomes of that, the next one comes later.
_PROBE = """
UPDATE circuits SET probes = probes + 1, probe_at = :probe_at
WHERE backend = :backend AND state = 'open' AND probe_at <= :now
RETURNING *
"""

_PUT_OFF = """
UPDATE circuits SET probe_at = :probe_at, reason = coalesce(:reason, reason)
WHERE backend = :backend AND state = 'open'
RETURNING *
"""

_RECOUNT = """
UPDATE circuits SET refusals = 0 WHERE backend = :backend AND state <> 'open'
RETURNING *
"""

_CLOSE = """
UPDATE circuits SET state = 'over', refusals = 0 WHERE backend = :backend AND state = 'open'
RETURNING *
"""

_TELL = """
UPDATE circuits SET told = :reason, reached = max(reached, :reached)
WHERE backend = :backend AND opened_at = :opened_at
RETURNING *
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """How a backend has refused; times are Unix seconds.

    `refusals` are those in a row before it opened, `probes` those made since. `told` is the reason
    that the operator was told, and `reached` says whether anybody took that message.
    """

    backend: str
    state: str
    reason: Trouble
    refusals: int
    probes: int
    opened_at: float
    probe_at: float
    told: Trouble | None
    reached: bool

    @property
    def is_open(self) -> bool:
        """Whether jobs have to wait."""
        return self.state == "open"


class CircuitStore:
    """Reads and writes circuits; a write that comes too late changes nothing and returns None."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, backend: str) -> Circuit | None:
        """Read a circuit; None: nothing has ever been refused, or all of it is over."""
        return await self._one("SELECT * FROM circuits WHERE backend = :backend", backend=backend)

    async def refuse(self, backend: str, reason: Trouble) -> Circuit | None:
        """Count a refusal; None: the circuit is open already."""
        return await self._one(_REFUSE, backend=backend, reason=reason)

    async def open(self, backend: str, *, probe_at: float, now: float) -> Circuit | None:
        """Let jobs wait; None: they do already."""
        return await self._one(_OPEN, backend=backend, probe_at=probe_at, now=now)

    async def probe(self, backend: str, *, probe_at: float, now: float) -> Circuit | None:
        """Take the turn to try, and name when the next one comes; None: it is not due."""
        return await self._one(_PROBE, backend=backend, probe_at=probe_at, now=now)

    async def put_off(
        self, backend: str, *, probe_at: float, reason: Trouble | None = None
    ) -> Circuit | None:
        """Say when the next try is due, and what the last one was refused for."""
        return await self._one(_PUT_OFF, backend=backend, probe_at=probe_at, reason=reason)

    async def recount(self, backend: str) -> Circuit | None:
        """Count the refusals from nothing again; None: jobs wait already."""
        return await self._one(_RECOUNT, backend=backend)

    async def close(self, backend: str) -> Circuit | None:
        """Let jobs go on; None: they do already."""
        return await self._one(_CLOSE, backend=backend)

    async def forget(self, backend: str) -> None:
        """Forget a circuit that is not open."""
        await self._database.rows(
            "DELETE FROM circuits WHERE backend = :backend AND state <> 'open'",
            {"backend": backend},
        )

    async def tell(self, circuit: Circuit, *, reached: bool) -> Circuit | None:
        """Note that the operator was told of this opening."""
        return await self._one(
            _TELL,
            backend=circuit.backend,
            opened_at=circuit.opened_at,
            reason=circuit.reason,
            reached=int(reached),
        )

    async def _one(self, sql: str, **params: Any) -> Circuit | None:  # noqa: ANN401 - SQLite's values
        row = await self._database.row(sql, params)
        return circuit_from(row) if row else None


def circuit_from(row: sqlite3.Row) -> Circuit:
    """Build the circuit that a row describes."""
    return Circuit(
        backend=row["backend"],
        state=row["state"],
        reason=Trouble(row["reason"]),
        refusals=row["refusals"],
        probes=row["probes"],
        opened_at=row["opened_at"] or 0.0,
        probe_at=row["probe_at"] or 0.0,
        told=Trouble(row["told"]) if row["told"] else None,
        reached=bool(row["reached"]),
    )
