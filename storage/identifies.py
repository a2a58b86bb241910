"""The table of new gateway sessions. Discord limits the number of new sessions per day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

_RECORD = """
INSERT INTO identifies (application_id, at, after_fault) VALUES (:application_id, :at, :after_fault)
"""

# If the time of a session is in the future, the clock was set back after the session was stored.
_FORGET = """
DELETE FROM identifies WHERE at < :since OR at > :until
"""

_SINCE = """
SELECT at, after_fault FROM identifies
WHERE application_id = :application_id AND at BETWEEN :since AND :until
ORDER BY at
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identify:
    """A new session, opened at the Unix time `at`.

    `after_fault`: whether the previous session ended with an error.
    """

    at: float
    after_fault: bool


class IdentifyStore:
    """Stores when the bot recently opened new sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, application_id: int, identify: Identify, *, seconds: float) -> None:
        """Store a new session, and delete those that are more than `seconds` seconds older."""
        await self._database.rows(
            _FORGET, {"since": identify.at - seconds, "until": identify.at + seconds}
        )
        await self._database.rows(
            _RECORD,
            {
                "application_id": application_id,
                "at": identify.at,
                "after_fault": int(identify.after_fault),
            },
        )

    async def recent(self, application_id: int, *, now: float, seconds: float) -> list[Identify]:
        """List an application's sessions of the last `seconds` seconds, oldest first."""
        rows = await self._database.rows(
            _SINCE,
            {"application_id": application_id, "since": now - seconds, "until": now + seconds},
        )
        return [Identify(at=row["at"], after_fault=bool(row["after_fault"])) for row in rows]
