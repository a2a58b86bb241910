"""The table of the log channel in which Discord refuses the bot's messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database, Row

_RECORD = """
INSERT INTO closed_log_channels (channel_id, since, reason) VALUES (:channel_id, :now, :reason)
ON CONFLICT (channel_id) DO UPDATE SET reason = excluded.reason
"""

_RECORD_NOTICE = "UPDATE closed_log_channels SET told_at = :now WHERE channel_id = :channel_id"

#: Reads the channel that was closed most recently.
NEWEST = "SELECT * FROM closed_log_channels ORDER BY since DESC LIMIT 1"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedLogChannel:
    """A log channel to which the bot has been unable to post since the Unix time `since`.

    `reason`: Discord's status and error code. `notified_at`: the Unix time at which the operator
    was notified, or None.
    """

    channel_id: int
    since: float
    reason: str
    notified_at: float | None = None


class ClosedLogChannelStore:
    """Records that the log channel is closed, for the operator's notices and for `doctor`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, channel_id: int, *, reason: str, now: float) -> None:
        """Record that Discord has refused a message in a channel."""
        params = {"channel_id": channel_id, "reason": reason, "now": now}
        await self._database.rows(_RECORD, params)

    async def newest(self) -> ClosedLogChannel | None:
        """Return the channel that was closed most recently, or None if the bot can post."""
        row = await self._database.row(NEWEST, {})
        return closed_log_channel_from(row) if row else None

    async def record_notice(self, channel_id: int, *, now: float) -> None:
        """Record that the operator was notified, or could not be notified."""
        await self._database.rows(_RECORD_NOTICE, {"channel_id": channel_id, "now": now})

    async def clear(self) -> None:
        """Record that the bot can post again."""
        await self._database.rows("DELETE FROM closed_log_channels", {})


def closed_log_channel_from(row: Row) -> ClosedLogChannel:
    """Convert a row to a closed channel."""
    return ClosedLogChannel(
        channel_id=row["channel_id"],
        since=row["since"],
        reason=row["reason"],
        notified_at=row["told_at"],
    )
