"""The places of jobs in the queue. The job that starts next has the place 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import JobState

if TYPE_CHECKING:
    from bot.model import Job
    from storage.database import Database

# First, the jobs of each person are numbered. In the order of these numbers, the jobs of each
# server are numbered. In the order of those, all jobs are numbered.
_PLACES = """
WITH of_person AS (
    SELECT id, queue_server AS server, queue_person AS person, row_number() OVER (
        PARTITION BY queue_server, queue_person ORDER BY next_at, rowid) AS round
    FROM jobs WHERE state = 'queued' AND next_at IS NOT NULL),
of_server AS (
    SELECT id, of_person.server, row_number() OVER (
        PARTITION BY of_person.server ORDER BY round, turn, since, person) AS round
    FROM of_person JOIN person_turns USING (server, person))
SELECT id, row_number() OVER (ORDER BY round, turn, since, server) AS place
FROM of_server JOIN server_turns USING (server)
ORDER BY place LIMIT :limit
"""

# The place of one job, computed from counts. Let the job be number `round` among its person's jobs.
# When it starts, each person with an earlier turn has started `round` jobs, and each person with a
# later turn has started one fewer. A person with fewer jobs than that has started all of them. The
# same holds for servers.
PLACE = """
WITH this AS MATERIALIZED (
    SELECT jobs.rowid AS number, next_at, queue_server AS server, queue_person AS person,
        turn, since
    FROM jobs JOIN person_turns ON server = queue_server AND person = queue_person
    WHERE id = :id AND state = 'queued' AND next_at IS NOT NULL),
of_person AS MATERIALIZED (
    SELECT this.*, (
        SELECT count(*) FROM jobs
        WHERE state = 'queued' AND jobs.next_at IS NOT NULL
            AND queue_server = this.server AND queue_person = this.person
            AND jobs.next_at <= this.next_at
            AND (jobs.next_at < this.next_at OR jobs.rowid <= this.number)) AS round
    FROM this),
of_server AS MATERIALIZED (
    SELECT of_person.server, (
        SELECT sum(CASE
            WHEN other.waiting < of_person.round THEN other.waiting
            WHEN (other.turn, other.since, other.person)
                > (of_person.turn, of_person.since, of_person.person)
            THEN of_person.round - 1 ELSE of_person.round END)
        FROM person_turns AS other
        WHERE other.server = of_person.server AND other.waiting > 0) AS round
    FROM of_person),
turn_of_server AS MATERIALIZED (
    SELECT server, round, turn, since FROM of_server JOIN server_turns USING (server))
SELECT sum(CASE
    WHEN other.waiting < this.round THEN other.waiting
    WHEN (other.turn, other.since, other.server) > (this.turn, this.since, this.server)
    THEN this.round - 1 ELSE this.round END) AS place
FROM turn_of_server AS this JOIN server_turns AS other ON other.waiting > 0
"""

MAX_PLACE = 1000
"""Places beyond this one are not shown."""


class QueuePlaces:
    """Computes the places of queued jobs, starting at 1. Jobs that are not due yet are included."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, job: Job) -> int | None:
        """Return the place of a job, or None if the job is not queued or is beyond `MAX_PLACE`."""
        if job.state is not JobState.QUEUED:
            return None
        row = await self._database.row(PLACE, {"id": job.id})
        place = row["place"] if row else None
        return place if place is not None and place <= MAX_PLACE else None

    async def first(self) -> dict[str, int]:
        """Return the places of the first `MAX_PLACE` queued jobs, by job id."""
        rows = await self._database.rows(_PLACES, {"limit": MAX_PLACE})
        return {row["id"]: row["place"] for row in rows}
