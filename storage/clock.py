"""The row about the machine's clock, and the shifting of open jobs' times when the clock is set."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from storage.jobs.rows import job_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.model import Job, JobState
    from storage.database import Database

_SAVE = """
INSERT INTO clock (id, boot, steady, seen_at, known_at, since)
VALUES (1, :boot, :steady, :seen_at, :known_at, :since)
ON CONFLICT (id) DO UPDATE SET
    boot = :boot, steady = :steady, seen_at = :seen_at, known_at = :known_at, since = :since
"""

# A trigger shifts the times of open jobs in the same transaction.
_SHIFT = """
UPDATE clock SET
    boot = :boot, steady = :steady, seen_at = :seen_at, known_at = :known_at, since = :since,
    shift = :shift, sets = sets + 1
WHERE id = 1
"""

# Excluded are unconfirmed create requests, and cards that are being posted: looking for them too
# early would not find them.
_MAKE_ALL_DUE = """
UPDATE jobs SET next_at = CASE
    WHEN next_at <= :now + 30 THEN next_at
    ELSE :now + 2 * (instr('0123456789abcdef', substr(id, 1, 1)) - 1) END
WHERE next_at > :now AND state NOT IN ('submitting', 'unconfirmed')
    AND NOT (state = 'received' AND message_id IS NULL AND client IS NULL)
RETURNING *
"""

_OPEN = """
SELECT * FROM jobs
WHERE next_at IS NOT NULL OR state NOT IN ('succeeded', 'failed', 'cancelled')
"""

# A wait that is longer than any pause of its state can only mean that the clock was set.
_SHORTEN = """
UPDATE jobs SET next_at = CASE
    WHEN state IN ('received', 'submitting', 'unconfirmed')
    THEN :now + (SELECT CAST(value AS DOUBLE PRECISION) FROM json_each(:longest) WHERE key = state)
    ELSE :now END
WHERE next_at > :soonest AND next_at > :now + (
    SELECT CAST(value AS DOUBLE PRECISION) FROM json_each(:longest) WHERE key = state)
RETURNING *
"""

_SHORTEN_PROBES = """
UPDATE circuits SET probe_at = :now WHERE probe_at > :latest
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenClock:
    """A reading of the machine's clock. The clock may have been set differently before `since`."""

    boot: str
    steady: float
    seen_at: float
    known_at: float
    since: float


class ClockStore:
    """Stores readings of the machine's clock, and shifts the times of open jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> SeenClock | None:
        """Return the reading that an earlier process stored, or None in the first process."""
        row = await self._database.row(
            "SELECT boot, steady, seen_at, known_at, since FROM clock", {}
        )
        return SeenClock(**dict(row)) if row else None

    async def save(self, seen: SeenClock) -> None:
        """Store a reading of the clock."""
        await self._database.rows(_SAVE, asdict(seen))

    async def shift(self, seen: SeenClock, *, by: float) -> None:
        """Store that the clock was set, and shift the times of open jobs by `by` seconds."""
        await self._database.rows(_SHIFT, asdict(seen) | {"shift": by})

    async def make_all_due(self, *, now: float) -> None:
        """Make every open job due within half a minute."""
        await self._database.rows(_MAKE_ALL_DUE, {"now": now})

    async def open_jobs(self) -> list[Job]:
        """List the jobs that are open or have a step remaining."""
        return [job_from(row) for row in await self._database.rows(_OPEN, {})]

    async def shorten(
        self, longest: Mapping[JobState, float], *, longest_probe: float, now: float
    ) -> int:
        """End the waits that exceed the maximum of their state, and return their number.

        `longest`: the maximum for each state. `longest_probe`: the maximum for a circuit's probe.
        """
        limits = {"longest": json.dumps(dict(longest)), "soonest": now + min(longest.values())}
        rows = await self._database.rows(_SHORTEN, limits | {"now": now})
        await self._database.rows(_SHORTEN_PROBES, {"now": now, "latest": now + longest_probe})
        return len(rows)
