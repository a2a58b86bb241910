"""The table of second bots: other processes that use this bot's token to answer interactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database, Row

_RECORD = """
INSERT INTO second_bots (application_id, first_at, last_at, times)
VALUES (:application_id, :now, :now, 1)
ON CONFLICT (application_id) DO UPDATE SET last_at = :now, times = second_bots.times + 1
RETURNING *
"""

_RECORD_NOTICE = """
UPDATE second_bots SET told_at = :now WHERE application_id = :application_id RETURNING *
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondBot:
    """Another process that uses this bot's token.

    `first_at`, `last_at`: when the other process was first and last noticed, in Unix seconds.
    `times`: how many interactions the other process answered before this bot could.
    `notified_at`: when the operator was notified, in Unix seconds, or None before that.
    """

    application_id: int
    first_at: float
    last_at: float
    times: int
    notified_at: float | None = None


class SecondBotStore:
    """Stores, for each application, whether a second bot was noticed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, application_id: int, *, now: float) -> None:
        """Record that another process answered an interaction before this bot could."""
        await self._database.row(_RECORD, {"application_id": application_id, "now": now})

    async def get(self, application_id: int) -> SecondBot | None:
        """Return the second bot of an application, or None if none was ever noticed."""
        row = await self._database.row(
            "SELECT * FROM second_bots WHERE application_id = :id", {"id": application_id}
        )
        return second_bot_from(row) if row else None

    async def record_notice(self, application_id: int, *, now: float) -> None:
        """Record that the bot has tried to notify the operator."""
        await self._database.row(_RECORD_NOTICE, {"application_id": application_id, "now": now})


def second_bot_from(row: Row) -> SecondBot:
    """Convert a row of the table to a `SecondBot`."""
    return SecondBot(
        application_id=row["application_id"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        times=row["times"],
        notified_at=row["told_at"],
    )
