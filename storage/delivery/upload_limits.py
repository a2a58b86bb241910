"""The table of servers that refused an upload even though it was within their announced limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

# A learned limit expires, because the real limit can rise, for instance when a server is boosted.
_KEEP_SECONDS = 7 * 24 * 60 * 60

_SAVE = """
INSERT INTO upload_limits (guild_id, bytes, learned_at) VALUES (:guild_id, :bytes, :now)
ON CONFLICT (guild_id) DO UPDATE SET
    bytes = CASE
        WHEN upload_limits.learned_at > :since AND upload_limits.bytes < excluded.bytes
        THEN upload_limits.bytes ELSE excluded.bytes END,
    learned_at = :now
RETURNING guild_id
"""


class UploadLimits:
    """Stores servers' learned upload limits for a week. All DMs together count as the server 0."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, guild_id: int, *, now: float) -> int | None:
        """Read a server's learned limit in bytes, or return None if the announced limit applies."""
        row = await self._database.row(
            "SELECT bytes FROM upload_limits WHERE guild_id = :guild_id AND learned_at > :since",
            {"guild_id": guild_id, "since": now - _KEEP_SECONDS},
        )
        return row["bytes"] if row else None

    async def save(self, guild_id: int, size: int, *, now: float) -> None:
        """Record that a server accepts no more than `size` bytes."""
        await self._database.row(
            _SAVE,
            {"guild_id": guild_id, "bytes": size, "now": now, "since": now - _KEEP_SECONDS},
        )
