"""QueueOverview: counts the jobs that are running and waiting, in total and for one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.jobs.queue.places import PLACE

if TYPE_CHECKING:
    from storage.database import Database

#: The maximum number of places that are read for one person.
MAX_PLACES = 5

# The states are those of the index `jobs_open`, which contains all columns that are read here. Jobs
# that are being delivered are left out, because a delivery may be postponed for days.
_OPEN = """
FROM jobs WHERE state IN ('received', 'queued', 'submitting', 'unconfirmed', 'generating',
    'downloading', 'merging')
"""

_COUNTS = f"""
SELECT
    count(*) FILTER (WHERE state IN ('received', 'queued')) AS waiting,
    count(*) FILTER (WHERE state NOT IN ('received', 'queued')) AS running,
    count(*) FILTER (WHERE state IN ('received', 'queued') AND user_id = :user_id) AS own_waiting,
    count(*) FILTER (WHERE state NOT IN ('received', 'queued') AND user_id = :user_id)
        AS own_running,
    EXISTS (SELECT 1 FROM jobs WHERE hold = 'disk') AS is_disk_full
{_OPEN}
"""  # noqa: S608 - built from constants

# Selects a person's first queued jobs. The jobs start in the order of their due times.
_QUEUED_OF_PERSON = f"""
SELECT id {_OPEN} AND user_id = :user_id AND state = 'queued' AND next_at IS NOT NULL
ORDER BY next_at, rowid LIMIT :limit
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueOverview:
    """The numbers of jobs that are running and waiting.

    `running`, `waiting`: the numbers for all requesters.
    `own_running`, `own_waiting`: the numbers for one person.
    `places`: the places of the person's first jobs in the queue, starting at 1.
    `is_disk_full`: whether jobs are on hold because the disk is full.
    """

    running: int
    waiting: int
    own_running: int
    own_waiting: int
    places: tuple[int, ...] = ()
    is_disk_full: bool = False


class QueueOverviewStore:
    """Reads how many jobs are running and waiting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user_id: int) -> QueueOverview:
        """Return the overview for a person."""
        row = await self._database.row(_COUNTS, {"user_id": user_id})
        if row is None:
            raise LookupError("the counts have one row")
        places = await self._places(user_id) if row["own_waiting"] else ()
        return QueueOverview(
            running=row["running"],
            waiting=row["waiting"],
            own_running=row["own_running"],
            own_waiting=row["own_waiting"],
            places=places,
            is_disk_full=bool(row["is_disk_full"]),
        )

    async def _places(self, user_id: int) -> tuple[int, ...]:
        rows = await self._database.rows(
            _QUEUED_OF_PERSON, {"user_id": user_id, "limit": MAX_PLACES}
        )
        found = [await self._database.row(PLACE, {"id": row["id"]}) for row in rows]
        # If a job has started meanwhile, it has no place any more.
        return tuple(sorted(row["place"] for row in found if row and row["place"] is not None))
