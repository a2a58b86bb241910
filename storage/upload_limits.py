"""The table of upload limits that were learned: where Discord took less than it had announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

# A server may be boosted, and Discord may change its mind: what is older is tried anew.
_KEEP_SECONDS = 7 * 24 * 60 * 60

_LEARN = """
INSERT INTO upload_limits (guild_id, bytes, learned_at) VALUES (:guild_id, :bytes, :now)
ON CONFLICT (guild_id) DO UPDATE SET
    bytes = CASE WHEN learned_at > :since THEN min(bytes, :bytes) ELSE :bytes END,
    learned_at = :now
RETURNING guild_id
"""


class UploadLimits:
    """Remembers for a week how many bytes a server takes; server 0 stands for all DMs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, guild_id: int, *, now: float) -> int | None:
        """Read a learned limit; None: what Discord announces holds, as far as is known."""
        row = await self._database.row(
            "SELECT bytes FROM upload_limits WHERE guild_id = :guild_id AND learned_at > :since",
            {"guild_id": guild_id, "since": now - _KEEP_SECONDS},
        )
        return row["bytes"] if row else None

    async def learn(self, guild_id: int, size: int, *, now: float) -> None:
        """Remember that a server takes no more than `size` bytes."""
        await self._database.row(
            _LEARN,
            {"guild_id": guild_id, "bytes": size, "now": now, "since": now - _KEEP_SECONDS},
        )
