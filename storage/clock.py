"""Stores readings of the machine's clock, and corrects stored times after the clock was changed."""

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

# Two kinds of jobs are excluded: those whose create request is unconfirmed, and those whose card is
# being posted. Their next step looks for a remote job or a card. If it ran too early, it would find
# none.
_MAKE_ALL_DUE = """
UPDATE jobs SET next_at = CASE
    WHEN next_at <= :now + 30 THEN next_at
    ELSE :now + 2 * (instr('0123456789abcdef', substr(id, 1, 1)) - 1) END
WHERE next_at > :now AND state NOT IN ('submitting', 'unconfirmed')
    AND NOT (state = 'received' AND message_id IS NULL AND client IS NULL)
"""

_OPEN = """
SELECT * FROM jobs
WHERE next_at IS NOT NULL OR state NOT IN ('succeeded', 'failed', 'cancelled')
"""

# A job never waits longer than the longest pause defined for its state, unless the clock was
# changed after the job was scheduled.
_SHORTEN = """
UPDATE jobs SET next_at = CASE
    WHEN state IN ('received', 'submitting', 'unconfirmed')
    THEN :now + (SELECT CAST(value AS DOUBLE PRECISION) FROM json_each(:longest) WHERE key = state)
    ELSE :now END
WHERE next_at > :soonest AND next_at > :now + (
    SELECT CAST(value AS DOUBLE PRECISION) FROM json_each(:longest) WHERE key = state)
RETURNING id
"""

_SHORTEN_PROBES = """
UPDATE circuits SET probe_at = :now WHERE probe_at > :latest
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenClock:
    """A reading of the machine's clock.

    `boot`: the id of the machine's boot. The steady clock counts from that boot.
    `steady`: the reading of the steady clock, which never jumps.
    `seen_at`: the Unix time of the reading.
    `known_at`: the value of `WatchedClock.known` at the same time.
    `since`: the Unix time before which the clock may have been wrong.
    """

    boot: str
    steady: float
    seen_at: float
    known_at: float
    since: float


class ClockStore:
    """Stores readings of the machine's clock, and changes the times at which open jobs are due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> SeenClock | None:
        """Return the last stored reading, or None if none was ever stored."""
        row = await self._database.row(
            "SELECT boot, steady, seen_at, known_at, since FROM clock", {}
        )
        return SeenClock(**dict(row)) if row else None

    async def save(self, seen: SeenClock) -> None:
        """Store a reading of the clock."""
        await self._database.rows(_SAVE, asdict(seen))

    async def shift(self, seen: SeenClock, *, by: float) -> None:
        """Record that the clock was changed, and shift the times of open jobs by `by` seconds."""
        await self._database.rows(_SHIFT, asdict(seen) | {"shift": by})

    async def make_all_due(self, *, now: float) -> None:
        """Make open jobs due within half a minute, except those that must not be checked early."""
        await self._database.rows(_MAKE_ALL_DUE, {"now": now})

    async def open_jobs(self) -> list[Job]:
        """List the jobs that have not ended, and the ended jobs that have a step remaining."""
        return [job_from(row) for row in await self._database.rows(_OPEN, {})]

    async def shorten(
        self, longest: Mapping[JobState, float], *, longest_probe: float, now: float
    ) -> int:
        """Make jobs due earlier if they wait longer than their state allows.

        Returns the number of these jobs. A wait for a circuit's probe is shortened too.

        `longest`: the longest wait that each state allows, in seconds.
        `longest_probe`: the longest wait for a circuit's probe, in seconds.
        """
        limits = {"longest": json.dumps(dict(longest)), "soonest": now + min(longest.values())}
        rows = await self._database.rows(_SHORTEN, limits | {"now": now})
        await self._database.rows(_SHORTEN_PROBES, {"now": now, "latest": now + longest_probe})
        return len(rows)
