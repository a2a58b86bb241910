"""Leases: decide which worker may claim a job that another worker has claimed before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: A worker that was not seen for this many seconds loses its jobs to the other workers.
LEASE_SECONDS = 15.0

# A worker may not have received the answer to its first claim. Therefore, it can claim its own jobs
# again, except those whose steps it is running, because it names them in the claim.
FREE = """(claimed_by IS NULL OR claimed_by = :worker
    OR claimed_by NOT IN (SELECT id FROM workers WHERE seen_at > :alive_since))"""

#: The condition for queued jobs that other workers are about to submit.
HELD_BY_OTHERS = """state = 'queued' AND claimed_by IS NOT NULL AND claimed_by IN (
    SELECT id FROM workers WHERE seen_at > :alive_since AND id <> :worker)"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The name under which a process claims jobs.

    `worker`: the id of the process, or None if no other process uses the database.
    `clock`: the clock that all processes on the database share.
    """

    worker: str | None
    clock: Callable[[], float]

    @property
    def columns(self) -> dict[str, Any]:
        """The parameters of a claim."""
        return {"worker": self.worker, "alive_since": self.clock() - LEASE_SECONDS}


def alone() -> Lease:
    """Return the lease of a process that shares its database with no other process."""
    return Lease(worker=None, clock=float)
