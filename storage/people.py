"""The table of people: their settings, and whether they can receive DMs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from storage.access.voice_consents import VoiceConsentStore

if TYPE_CHECKING:
    from storage.database import Database

_CHOOSE = """
INSERT INTO people (user_id, notify, notify_minutes, chosen)
VALUES (:user_id, :notify, :minutes, 1)
ON CONFLICT (user_id) DO UPDATE SET
    notify = :notify, notify_minutes = :minutes, chosen = 1, dm_closed_at = NULL
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


class Notify(StrEnum):
    """The choice of when to send a DM about a finished video. `LATE`: only after a long wait."""

    ALWAYS = "always"
    NEVER = "never"
    LATE = "late"


@dataclass(frozen=True, kw_only=True, slots=True)
class NotifyDefault:
    """The operator's default for people who have not chosen. `minutes` applies to `LATE`."""

    notify: Notify = Notify.ALWAYS
    minutes: int = 0

    @classmethod
    def parse(cls, text: str) -> NotifyDefault:
        """Parse a setting such as `always` or `late:10`."""
        notify, _, minutes = text.partition(":")
        return cls(notify=Notify(notify), minutes=int(minutes or 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """The stored data about a person.

    `notify_minutes`: with `Notify.LATE`, a DM is sent only if the job took at least this many
    minutes.
    `chosen`: whether the person chose `notify`. If not, `notify` is the operator's default.
    `dm_closed_at`: the Unix time at which Discord refused the last DM to the person, or None if
    Discord accepted the last DM.
    `dm_closed_for`: the job or the event that the last refused DM was about.
    """

    user_id: int
    notify: Notify = Notify.ALWAYS
    notify_minutes: int = 0
    chosen: bool = False
    dm_closed_at: float | None = None
    dm_closed_for: str | None = None

    @property
    def is_stored(self) -> bool:
        """True if anything about the person is stored."""
        return self.chosen or self.dm_closed_at is not None


class PeopleStore:
    """Stores people's settings. `default` applies to people who have not chosen."""

    def __init__(self, database: Database, default: NotifyDefault | None = None) -> None:
        self._database = database
        self._default = default or NotifyDefault()

    async def get(self, user_id: int, default: NotifyDefault | None = None) -> Person:
        """Return a person's stored data, or the defaults if nothing is stored."""
        default = default or self._default
        row = await self._database.row(_GET, {"user_id": user_id})
        closed_at, closed_for = (row["dm_closed_at"], row["subject"]) if row else (None, None)
        if row is None or not row["chosen"]:
            return Person(
                user_id=user_id,
                notify=default.notify,
                notify_minutes=default.minutes,
                dm_closed_at=closed_at,
                dm_closed_for=closed_for,
            )
        return Person(
            user_id=user_id,
            notify=Notify(row["notify"]),
            notify_minutes=row["notify_minutes"],
            chosen=True,
            dm_closed_at=closed_at,
            dm_closed_for=closed_for,
        )

    async def choose(self, user_id: int, notify: Notify, minutes: int = 0) -> None:
        """Store a choice. A refused DM is forgotten, as the person may have allowed DMs again."""
        await self._database.row(
            _CHOOSE, {"user_id": user_id, "notify": notify, "minutes": minutes}
        )

    async def dm_closed(self, user_id: int, *, now: float, subject: str | None = None) -> None:
        """Record that Discord refused a DM. `subject`: the job or event that the DM was about."""
        if subject is not None:
            await self._database.row(_REFUSED, {"user_id": user_id, "subject": subject})
        await self._database.row(_DM_CLOSED, {"user_id": user_id, "now": now})

    async def dm_open(self, user_id: int) -> None:
        """Record that Discord accepts DMs to a person."""
        await self._database.rows(
            "UPDATE people SET dm_closed_at = NULL WHERE user_id = :user_id", {"user_id": user_id}
        )

    async def delete(self, user_id: int, *, keeps_refusals: bool = False) -> bool:
        """Delete the data about a person, and return whether there was any data.

        `keeps_refusals`: whether it stays stored that no service may hear the person's voice.
        """
        await self._database.rows(
            "DELETE FROM refused_dms WHERE user_id = :user_id", {"user_id": user_id}
        )
        row = await self._database.row(
            "DELETE FROM people WHERE user_id = :user_id RETURNING user_id", {"user_id": user_id}
        )
        answered = await VoiceConsentStore(self._database).forget(
            user_id, keeps_refusals=keeps_refusals
        )
        return row is not None or answered
