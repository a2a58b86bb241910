"""The table of circuits, one per backend. A circuit is open while the provider refuses all jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import Trouble

if TYPE_CHECKING:
    from storage.database import Database, Row

MAX_HELD_SECONDS = 24 * 60 * 60.0
"""The longest time for which an open circuit makes a job wait. After that time, the job fails."""

_REFUSE = """
INSERT INTO circuits (backend, reason, refusals) VALUES (:backend, :reason, 1)
ON CONFLICT (backend) DO UPDATE SET refusals = circuits.refusals + 1, reason = :reason
WHERE circuits.state <> 'open'
RETURNING *
"""

# `told` is not reset. The operator may know of an earlier outage, but not yet of its end.
_OPEN = """
UPDATE circuits SET state = 'open', opened_at = :now, probe_at = :probe_at, probes = 0
WHERE backend = :backend AND state <> 'open'
RETURNING *
"""

# A probe is one create request. Before it is sent, the next probe is already scheduled, so that it
# follows even if this probe gets no result.
_PROBE = """
UPDATE circuits SET probes = probes + 1, probe_at = :probe_at
WHERE backend = :backend AND state = 'open' AND probe_at <= :now
RETURNING *
"""

_SCHEDULE_PROBE = """
UPDATE circuits SET probe_at = :probe_at, reason = coalesce(:reason, reason)
WHERE backend = :backend AND state = 'open'
RETURNING *
"""

_RESET_REFUSALS = """
UPDATE circuits SET refusals = 0 WHERE backend = :backend AND state <> 'open'
RETURNING *
"""

_CLOSE = """
UPDATE circuits SET state = 'over', refusals = 0 WHERE backend = :backend AND state = 'open'
RETURNING *
"""

_RECORD_NOTICE = """
UPDATE circuits SET told = :reason, reached = CASE WHEN :reached = 1 THEN 1 ELSE reached END
WHERE backend = :backend AND opened_at = :opened_at
RETURNING *
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """The circuit of a backend. While it is open, no job is sent to the provider, except probes.

    `state`: `counting`, `open`, or `over` after an outage.
    `refusals`: the number of consecutive refusals before the circuit opened.
    `probes`: the number of probes since it opened.
    `opened_at`, `probe_at`: the Unix times at which the circuit opened, and at which the next probe
    is due.
    `notified_reason`: the reason in the last notice to the operator, or None if there was no
    notice.
    `reached`: whether Discord delivered that notice to at least one operator.
    """

    backend: str
    state: str
    reason: Trouble
    refusals: int
    probes: int
    opened_at: float
    probe_at: float
    notified_reason: Trouble | None
    reached: bool

    @property
    def is_open(self) -> bool:
        """True while queued jobs must wait."""
        return self.state == "open"


class CircuitStore:
    """Reads and writes circuits. A write that comes too late changes nothing and returns None."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, backend: str) -> Circuit | None:
        """Return a backend's circuit, or None if it has none because nothing was refused."""
        return await self._one("SELECT * FROM circuits WHERE backend = :backend", backend=backend)

    async def refuse(self, backend: str, reason: Trouble) -> Circuit | None:
        """Count a refusal, or return None if the circuit is already open."""
        return await self._one(_REFUSE, backend=backend, reason=reason)

    async def open(self, backend: str, *, probe_at: float, now: float) -> Circuit | None:
        """Open the circuit, so that jobs wait. Returns None if the circuit is already open."""
        return await self._one(_OPEN, backend=backend, probe_at=probe_at, now=now)

    async def probe(self, backend: str, *, probe_at: float, now: float) -> Circuit | None:
        """Begin a probe, and schedule the next one. Returns None if no probe is due."""
        return await self._one(_PROBE, backend=backend, probe_at=probe_at, now=now)

    async def schedule_probe(
        self, backend: str, *, probe_at: float, reason: Trouble | None = None
    ) -> Circuit | None:
        """Schedule the next probe. `reason`: why the provider refused the last probe, if it did."""
        return await self._one(_SCHEDULE_PROBE, backend=backend, probe_at=probe_at, reason=reason)

    async def reset_refusals(self, backend: str) -> Circuit | None:
        """Reset the count of refusals, or return None if the circuit is already open."""
        return await self._one(_RESET_REFUSALS, backend=backend)

    async def close(self, backend: str) -> Circuit | None:
        """Close the circuit, so that jobs continue. Returns None if the circuit is not open."""
        return await self._one(_CLOSE, backend=backend)

    async def delete(self, backend: str) -> None:
        """Delete a circuit that is not open."""
        await self._database.rows(
            "DELETE FROM circuits WHERE backend = :backend AND state <> 'open'",
            {"backend": backend},
        )

    async def record_notice(self, circuit: Circuit, *, reached: bool) -> Circuit | None:
        """Record that the bot has tried to notify the operator that the circuit is open."""
        return await self._one(
            _RECORD_NOTICE,
            backend=circuit.backend,
            opened_at=circuit.opened_at,
            reason=circuit.reason,
            reached=int(reached),
        )

    async def _one(self, sql: str, **params: Any) -> Circuit | None:  # noqa: ANN401 - SQLite's values
        row = await self._database.row(sql, params)
        return circuit_from(row) if row else None


def circuit_from(row: Row) -> Circuit:
    """Convert a row of the table to a `Circuit`."""
    return Circuit(
        backend=row["backend"],
        state=row["state"],
        reason=Trouble(row["reason"]),
        refusals=row["refusals"],
        probes=row["probes"],
        opened_at=row["opened_at"] or 0.0,
        probe_at=row["probe_at"] or 0.0,
        notified_reason=Trouble(row["told"]) if row["told"] else None,
        reached=bool(row["reached"]),
    )
