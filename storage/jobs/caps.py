"""The caps on numbers of jobs, and the SQL that counts the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.jobs.rows import queue_server_of, requester_columns

if TYPE_CHECKING:
    from bot.model import Client, Origin
    from storage.database import Database

_DAY = 24 * 60 * 60

# The daily caps don't count jobs that failed or were cancelled before they reached the provider.
# Nor do they count jobs that only add a new narration to a finished video.
_COUNTED_TODAY = """
FROM jobs WHERE created_at > :day_ago
    AND (state NOT IN ('failed', 'cancelled') OR submitted_at IS NOT NULL) AND clip_of IS NULL
"""
_BY_PERSON = "AND user_id IS NOT NULL AND user_id = :user_id"
# The unary plus makes SQLite use the index on people instead of the one on servers. A person has
# fewer jobs than a server.
_BY_MEMBER = f"{_BY_PERSON} AND queue_server || '' = :queue_server"
_BY_SERVER = "AND queue_server = :queue_server"

# Open jobs, except those that wait for the requester's decision or only for delivery.
_OPEN = """
FROM jobs WHERE state IN ('received', 'queued', 'submitting', 'unconfirmed', 'generating',
    'downloading', 'merging')
"""

# Jobs that are waiting to be sent to the provider, and jobs that the provider is working on.
_UNMADE = """
FROM jobs WHERE clip_of IS NULL
    AND state IN ('received', 'queued', 'submitting', 'unconfirmed', 'generating')
"""

# Each count stops at its cap, so that no more rows than necessary are read. The ORDER BY makes
# PostgreSQL read the index. Otherwise, PostgreSQL would expect to find enough open jobs soon, and
# read the rows of the table one after another.
USAGE = f"""
SELECT
    (SELECT count(*) FROM (SELECT 1 {_OPEN} AND user_id = :user_id LIMIT :max_of_user) AS o)
        + (SELECT count(*) FROM (SELECT 1 {_OPEN} AND client = :client LIMIT :max_of_user) AS o)
        AS open_of_user,
    (SELECT count(*) FROM (SELECT 1 {_UNMADE} ORDER BY state LIMIT :max_in_all) AS o)
        AS open_in_all,
    (SELECT count(*) FROM (SELECT 1 {_COUNTED_TODAY} LIMIT :max_today) AS o) AS today,
    (SELECT count(*) FROM (SELECT 1 {_COUNTED_TODAY} {_BY_PERSON} LIMIT :max_of_user_today) AS o)
        AS user_today,
    (SELECT count(*) FROM (SELECT 1 {_COUNTED_TODAY} {_BY_MEMBER} LIMIT :max_of_member_today) AS o)
        AS member_today,
    (SELECT count(*) FROM (SELECT 1 {_COUNTED_TODAY} {_BY_SERVER} LIMIT :max_of_server_today) AS o)
        AS server_today
"""  # noqa: S608 - built from constants

# A new narration for a finished video doesn't need the provider, so only the cap on one requester's
# open jobs applies to it.
WITHIN_CAPS = """open_of_user < :max_of_user AND (CAST(:clip_of AS TEXT) IS NOT NULL OR (
    open_in_all < :max_in_all AND today < :max_today
        AND user_today < :max_of_user_today AND member_today < :max_of_member_today
        AND server_today < :max_of_server_today))"""

_LAST_OF_CAP = "ORDER BY created_at DESC LIMIT 1 OFFSET :cap - 1"
# Selects the counted job that must become a day old before a daily cap allows another job.
_NEXT_TO_LEAVE = f"SELECT created_at {_COUNTED_TODAY} {_LAST_OF_CAP}"
_PERSONS_NEXT_TO_LEAVE = f"SELECT created_at {_COUNTED_TODAY} {_BY_PERSON} {_LAST_OF_CAP}"
_MEMBERS_NEXT_TO_LEAVE = f"SELECT created_at {_COUNTED_TODAY} {_BY_MEMBER} {_LAST_OF_CAP}"
_SERVERS_NEXT_TO_LEAVE = f"SELECT created_at {_COUNTED_TODAY} {_BY_SERVER} {_LAST_OF_CAP}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """Limits on the number of open jobs, and on the number of new jobs within 24 hours.

    `open_per_user`: the number of jobs that one requester may have open.
    `open_in_all`: the number of jobs that may be at the provider or waiting for it.
    `per_day`: the number of new jobs within 24 hours, from all requesters together.
    `per_user_day`: the same for one person. None means that only `per_day` applies.
    `per_member_day`: the same for one person in one server, set by the server's managers.
    `per_server_day`: the same for all requesters of one server together.
    `managers_set_server_day`: whether the server's managers have set `per_server_day`.
    An API client counts as a server, so a person's daily limits don't apply to it.
    """

    open_per_user: int
    open_in_all: int
    per_day: int
    per_user_day: int | None = None
    per_member_day: int | None = None
    per_server_day: int | None = None
    managers_set_server_day: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CapUsage:
    """The number of jobs that count towards each cap."""

    open_of_user: int
    open_in_all: int
    today: int
    user_today: int
    member_today: int
    server_today: int


class CapStore:
    """Counts the jobs that the caps limit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def usage(self, requester: Origin | Client, caps: Caps, *, now: float) -> CapUsage:
        """Count the jobs for each cap. Each count stops at its cap."""
        params = requester_columns(requester) | cap_columns(requester, caps, now=now)
        row = await self._database.row(USAGE, params)
        if row is None:
            raise LookupError("the counts have one row")
        return CapUsage(**dict(row))

    async def frees_at(self, cap: int, *, now: float) -> float:
        """Return the earliest time at which the daily cap on all jobs allows another job."""
        return await self._frees_at(_NEXT_TO_LEAVE, cap=cap, now=now)

    async def persons_frees_at(self, user_id: int, cap: int, *, now: float) -> float:
        """Return the earliest time at which a person's daily cap allows another job."""
        return await self._frees_at(_PERSONS_NEXT_TO_LEAVE, user_id=user_id, cap=cap, now=now)

    async def members_frees_at(self, requester: Origin, cap: int, *, now: float) -> float:
        """Return the earliest time at which a person's cap in a server allows another job."""
        return await self._frees_at(
            _MEMBERS_NEXT_TO_LEAVE,
            user_id=requester.user_id,
            queue_server=queue_server_of(requester),
            cap=cap,
            now=now,
        )

    async def servers_frees_at(self, requester: Origin | Client, cap: int, *, now: float) -> float:
        """Return the earliest time at which a server's daily cap allows another job."""
        server = queue_server_of(requester)
        return await self._frees_at(_SERVERS_NEXT_TO_LEAVE, queue_server=server, cap=cap, now=now)

    async def _frees_at(self, sql: str, *, now: float, **params: int | str) -> float:
        row = await self._database.row(sql, {"day_ago": now - _DAY, **params})
        return row["created_at"] + _DAY if row else now


def cap_columns(requester: Origin | Client, caps: Caps, *, now: float) -> dict[str, Any]:
    """Return the SQL parameters that compare the counts of a requester's jobs with the caps."""
    of_user, of_member = caps.per_user_day, caps.per_member_day
    of_server = caps.per_server_day
    return {
        "queue_server": queue_server_of(requester),
        "day_ago": now - _DAY,
        "max_of_user": caps.open_per_user,
        "max_in_all": caps.open_in_all,
        "max_today": caps.per_day,
        "max_of_user_today": caps.per_day if of_user is None else of_user,
        "max_of_member_today": caps.per_day if of_member is None else of_member,
        "max_of_server_today": caps.per_day if of_server is None else of_server,
    }
