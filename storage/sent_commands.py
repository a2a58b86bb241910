"""The table that tells which command definitions Discord last accepted for each application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

_SAVE = """
INSERT INTO sent_commands (application_id, digest) VALUES (:application_id, :digest)
ON CONFLICT (application_id) DO UPDATE SET digest = :digest
"""

_READ = """
SELECT digest FROM sent_commands WHERE application_id = :application_id
"""


class SentCommandsStore:
    """Stores a digest of each application's last accepted command definitions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, application_id: int, digest: str) -> None:
        """Store the digest of the definitions that Discord has accepted."""
        await self._database.rows(_SAVE, {"application_id": application_id, "digest": digest})

    async def read(self, application_id: int) -> str | None:
        """Return an application's stored digest, or None if no commands were sent yet."""
        row = await self._database.row(_READ, {"application_id": application_id})
        return row["digest"] if row else None
