"""The table of people: what they chose, and whether Discord takes DMs to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.model import Notify

if TYPE_CHECKING:
    from storage.database import Database

_CHOOSE = """
INSERT INTO people (user_id, notify, notify_minutes) VALUES (:user_id, :notify, :minutes)
ON CONFLICT (user_id) DO UPDATE SET
    notify = :notify, notify_minutes = :minutes, dm_closed_at = NULL
RETURNING *
"""

_REFUSED = """
INSERT INTO refused_dms (user_id, subject) VALUES (:user_id, :subject)
ON CONFLICT (user_id) DO UPDATE SET subject = :subject
RETURNING user_id
"""

_GET = """
SELECT people.*, refused_dms.subject FROM people LEFT JOIN refused_dms USING (user_id)
WHERE user_id = :user_id
"""

_DM_CLOSED = """
INSERT INTO people (user_id, dm_closed_at) VALUES (:user_id, :now)
ON CONFLICT (user_id) DO UPDATE SET dm_closed_at = :now
RETURNING user_id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """What is remembered of somebody.

    `notify_minutes` counts with `Notify.LATE` alone. `dm_closed_at` is when Discord refused a DM to
    them, in Unix seconds; None: it takes them, as far as is known. `dm_closed_for` is its subject.
    """

    user_id: int
    notify: Notify = Notify.ALWAYS
    notify_minutes: int = 0
    dm_closed_at: float | None = None
    dm_closed_for: str | None = None


class PeopleStore:
    """Knows what people chose; of those who chose nothing there is no row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, user_id: int) -> Person:
        """Read what is known of a person, or the defaults."""
        row = await self._database.row(_GET, {"user_id": user_id})
        if row is None:
            return Person(user_id=user_id)
        return Person(
            user_id=user_id,
            notify=Notify(row["notify"]),
            notify_minutes=row["notify_minutes"],
            dm_closed_at=row["dm_closed_at"],
            dm_closed_for=row["subject"],
        )

    async def choose(self, user_id: int, notify: Notify, minutes: int = 0) -> None:
        """Remember a choice; whoever asks for DMs may have opened them again."""
        await self._database.row(
            _CHOOSE, {"user_id": user_id, "notify": notify, "minutes": minutes}
        )

    async def dm_closed(self, user_id: int, *, now: float, subject: str | None = None) -> None:
        """Note that Discord refused a DM to a person about a `subject`."""
        if subject is not None:
            await self._database.row(_REFUSED, {"user_id": user_id, "subject": subject})
        await self._database.row(_DM_CLOSED, {"user_id": user_id, "now": now})

    async def dm_open(self, user_id: int) -> None:
        """Note that Discord accepts DMs to a person."""
        await self._database.rows(
            "UPDATE people SET dm_closed_at = NULL WHERE user_id = :user_id", {"user_id": user_id}
        )

    async def forget(self, user_id: int) -> bool:
        """Remove what is remembered of a person; False: there was nothing."""
        await self._database.rows(
            "DELETE FROM refused_dms WHERE user_id = :user_id", {"user_id": user_id}
        )
        row = await self._database.row(
            "DELETE FROM people WHERE user_id = :user_id RETURNING user_id", {"user_id": user_id}
        )
        return row is not None
