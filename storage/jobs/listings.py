"""The table of listings: what the bot learned when it last read a provider account's job list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database, Row

_SHOWN = """
INSERT INTO listings (backend, account, shown_at) VALUES (:backend, :account, :now)
ON CONFLICT (backend, account) DO UPDATE SET shown_at = :now
"""

_COUNTED = """
INSERT INTO listings (backend, account, orphans, counted_at, is_whole)
VALUES (:backend, :account, :orphans, :now, :is_whole)
ON CONFLICT (backend, account) DO UPDATE SET
    orphans = :orphans, counted_at = :now, is_whole = :is_whole
"""

_WAS_SHOWN = """
SELECT 1 FROM listings
WHERE backend = :backend AND account = :account AND shown_at BETWEEN :since AND :now
"""

_ORPHANS = """
SELECT backend, orphans FROM (
    SELECT backend, orphans, row_number() OVER (
        PARTITION BY backend ORDER BY counted_at DESC) AS age
    FROM listings WHERE counted_at IS NOT NULL) AS counted
WHERE age = 1
"""

LAST_COUNT = """
SELECT orphans, counted_at, is_whole FROM listings
WHERE backend = :backend AND counted_at IS NOT NULL ORDER BY counted_at DESC LIMIT 1
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrphanCount:
    """The number of orphans: jobs in the provider's list that the bot has no record of.

    `counted_at`: the Unix time of the count.
    `is_whole`: whether the provider's whole list was read.
    """

    orphans: int
    counted_at: float
    is_whole: bool


class ListingStore:
    """Stores what the bot learns from a provider account's list of jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record_shown(self, backend: str, account: str, *, now: float) -> None:
        """Record that the provider's list contained one of our jobs. Such a list can be trusted."""
        await self._database.rows(_SHOWN, {"backend": backend, "account": account, "now": now})

    async def was_shown(self, backend: str, account: str, *, since: float, now: float) -> bool:
        """Return whether the provider's list contained one of our jobs between two times."""
        params = {"backend": backend, "account": account, "since": since, "now": now}
        return await self._database.row(_WAS_SHOWN, params) is not None

    async def record_count(
        self, backend: str, account: str, orphans: int, *, is_whole: bool, now: float
    ) -> None:
        """Store the number of listed jobs that the bot has no record of."""
        params = {"backend": backend, "account": account, "orphans": orphans, "now": now}
        await self._database.rows(_COUNTED, params | {"is_whole": int(is_whole)})

    async def orphans(self) -> dict[str, int]:
        """Return the last count of orphans for each backend."""
        rows = await self._database.rows(_ORPHANS, {})
        return {row["backend"]: row["orphans"] for row in rows}


def count_from(row: Row) -> OrphanCount:
    """Convert a row of the table to an `OrphanCount`."""
    return OrphanCount(
        orphans=row["orphans"], counted_at=row["counted_at"], is_whole=bool(row["is_whole"])
    )
