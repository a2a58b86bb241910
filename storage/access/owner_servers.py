"""The table of servers in which the owner's commands were registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

_ADD = """
INSERT INTO owner_servers (application_id, server_id) VALUES (:application_id, :server_id)
ON CONFLICT DO NOTHING
"""

_DELETE = """
DELETE FROM owner_servers WHERE application_id = :application_id AND server_id = :server_id
"""

_ALL = "SELECT server_id FROM owner_servers WHERE application_id = :application_id"


class OwnerServerStore:
    """Stores, for each application, the servers in which the owner's commands may be registered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, application_id: int) -> frozenset[int]:
        """Return the IDs of the servers."""
        rows = await self._database.rows(_ALL, {"application_id": application_id})
        return frozenset(row["server_id"] for row in rows)

    async def add(self, application_id: int, server_id: int) -> None:
        """Store a server, before the owner's commands are registered in it."""
        params = {"application_id": application_id, "server_id": server_id}
        await self._database.rows(_ADD, params)

    async def delete(self, application_id: int, server_id: int) -> None:
        """Delete a server in which the commands are no longer registered."""
        params = {"application_id": application_id, "server_id": server_id}
        await self._database.rows(_DELETE, params)
