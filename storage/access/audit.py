"""The audit: a table of changes to access settings, and of other actions by the bot's owners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database, Statement

_RECORD = """
INSERT INTO access_audit (at, scope, name, target, value, actor)
VALUES (:now, :scope, :name, :target, :value, :actor)
"""

#: The names of the entries whose `target` is a person.
ABOUT_PEOPLE = ("person", "grant", "removal")
_ABOUT = f"target = :user_id AND name IN {ABOUT_PEOPLE}"

# The entry of a block stays while the block is in effect.
_FORGET = f"""
UPDATE access_audit SET target = 0
WHERE {_ABOUT} AND NOT EXISTS (
    SELECT 1 FROM access_settings
    WHERE access_settings.scope = access_audit.scope AND access_settings.name = access_audit.name
        AND access_settings.target = access_audit.target)
"""  # noqa: S608 - built from constants

_NAMES = f"""
SELECT 1 FROM access_settings WHERE name = 'person' AND target = :user_id
UNION ALL SELECT 1 FROM access_audit WHERE ({_ABOUT}) OR actor = :user_id
LIMIT 1
"""  # noqa: S608 - built from constants

NEWEST = """
SELECT at, scope, name, target, value, actor FROM access_audit
WHERE scope = :scope ORDER BY id DESC LIMIT :limit
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """A change to a setting, or another event.

    `scope`, `name` and `target` have the same meanings as in `storage.access.settings`.
    `value`: the new value, or None if the setting was removed.
    `actor`: the Discord ID of the person who made the change, or None for the command line.
    `at`: the Unix time of the entry.
    """

    at: float
    scope: int
    name: str
    target: int
    value: str | None
    actor: int | None


def recording(entry: AuditEntry) -> Statement:
    """Return the statement that stores an event."""
    params = {
        "now": entry.at,
        "scope": entry.scope,
        "name": entry.name,
        "target": entry.target,
        "value": entry.value,
        "actor": entry.actor,
    }
    return _RECORD, params


class AuditStore:
    """Reads the audit, and adds events that don't change a setting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, entry: AuditEntry) -> None:
        """Store an event that changes no setting. Database triggers record changes of settings."""
        await self._database.sequence(recording(entry))

    async def forget(self, user_id: int) -> None:
        """Remove a person's ID from the entries that are about the person.

        If the person is blocked, the entry of the block is left unchanged. Entries about changes
        that the person made still name the person.
        """
        await self._database.rows(_FORGET, {"user_id": user_id})

    async def names(self, user_id: int) -> bool:
        """Return whether a block or an entry names a person."""
        return await self._database.row(_NAMES, {"user_id": user_id}) is not None

    async def newest(self, scope: int, *, limit: int) -> list[AuditEntry]:
        """List the newest entries of a scope, newest first."""
        rows = await self._database.rows(NEWEST, {"scope": scope, "limit": limit})
        return [AuditEntry(**dict(row)) for row in rows]
