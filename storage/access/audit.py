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
        """Store an event that changes no setting. Triggers in the database store the changes."""
        await self._database.sequence(recording(entry))

    async def newest(self, scope: int, *, limit: int) -> list[AuditEntry]:
        """List the newest entries of a scope, newest first."""
        rows = await self._database.rows(NEWEST, {"scope": scope, "limit": limit})
        return [AuditEntry(**dict(row)) for row in rows]
