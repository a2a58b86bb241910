"""The jobs that are on hold, and the notices to the operator about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.jobs.rows import found_job, jobs_found

if TYPE_CHECKING:
    from bot.model import HoldReason, Job
    from storage.database import Database

_HOLD = """
UPDATE jobs SET
    next_at = :next_at, attempts = :attempts, updated_at = :now,
    hold = :hold, held_since = coalesce(held_since, :now), claimed_by = NULL
WHERE id = :id AND epoch = :epoch AND state = :was
RETURNING *
"""

# No lane claims these jobs, because CLAIM skips jobs of other backends.
_HOLD_OTHER_BACKENDS = """
UPDATE jobs SET hold = 'backend', held_since = :now, updated_at = :now
WHERE state IN ('submitting', 'unconfirmed', 'generating', 'downloading')
    AND backend <> :backend AND coalesce(hold, '') <> 'backend'
RETURNING id
"""

_RELEASE_OWN_BACKEND = """
UPDATE jobs SET hold = NULL, held_since = NULL, updated_at = :now
WHERE hold = 'backend' AND backend = :backend
RETURNING id
"""

_HELD = """
SELECT id FROM jobs WHERE hold IS NOT NULL
"""

_RECORD_NOTICE = """
INSERT INTO hold_notices (hold, since, reached) VALUES (:hold, :since, :reached)
ON CONFLICT (hold) DO UPDATE SET
    reached = CASE WHEN excluded.reached = 1 THEN 1 ELSE hold_notices.reached END
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldNotice:
    """A notice to the operator about the jobs that are on hold for one reason.

    `since`: the Unix time since which the first of these jobs has been on hold.
    `reached`: whether Discord delivered the notice to at least one operator.
    """

    hold: HoldReason
    since: float
    reached: bool


class HoldStore:
    """Puts jobs on hold and releases jobs. The states of the jobs stay the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(
        self, job: Job, hold: HoldReason, *, next_at: float, attempts: int, now: float
    ) -> Job | None:
        """Put a claimed job on hold, or return None if the job has changed meanwhile."""
        key = {"id": job.id, "epoch": job.epoch, "was": job.state}
        wait = {"hold": hold, "next_at": next_at, "attempts": attempts, "now": now}
        return found_job(await self._database.row(_HOLD, key | wait))

    async def hold_other_backends(self, backend: str, *, now: float) -> list[Job]:
        """Put the jobs of all backends except `backend` on hold, and return the newly held jobs."""
        params = {"backend": backend, "now": now}
        return await jobs_found(self._database, _HOLD_OTHER_BACKENDS, params)

    async def release_own_backend(self, backend: str, *, now: float) -> list[Job]:
        """Release and return the held jobs of a backend that the operator has chosen again."""
        params = {"backend": backend, "now": now}
        return await jobs_found(self._database, _RELEASE_OWN_BACKEND, params)

    async def held(self) -> list[Job]:
        """List the jobs on hold."""
        return await jobs_found(self._database, _HELD, {})

    async def notice(self, hold: HoldReason) -> HoldNotice | None:
        """Return the last notice about jobs on hold for this reason, or None if there was none."""
        row = await self._database.row(
            "SELECT * FROM hold_notices WHERE hold = :hold", {"hold": hold}
        )
        if row is None:
            return None
        return HoldNotice(hold=hold, since=row["since"], reached=bool(row["reached"]))

    async def record_notice(self, notice: HoldNotice) -> None:
        """Store a notice to the operator, in place of the last notice about the same reason."""
        params = {"hold": notice.hold, "since": notice.since, "reached": int(notice.reached)}
        await self._database.rows(_RECORD_NOTICE, params)

    async def delete_notice(self, hold: HoldReason) -> None:
        """Delete the notice about a reason for which no job is on hold any more."""
        await self._database.rows("DELETE FROM hold_notices WHERE hold = :hold", {"hold": hold})
