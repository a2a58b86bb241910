"""The table of accepted webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

# Longer than providers repeat a webhook, which is up to 72 hours.
KEEP_SECONDS = 7 * 24 * 60 * 60

_INSERT = """
INSERT INTO inbox (backend, webhook_id, remote_id, received_at)
VALUES (:backend, :webhook_id, :remote_id, :now)
ON CONFLICT DO NOTHING
RETURNING webhook_id
"""

_HAS = """
SELECT 1 FROM inbox WHERE backend = :backend AND remote_id = :remote_id LIMIT 1
"""

# Ordered by row id, not by time, because our clock may have been set meanwhile; newest first.
_UNBOUND = """
SELECT remote_id FROM inbox
WHERE backend = :backend AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE jobs.remote_id = inbox.remote_id AND jobs.backend = :backend)
GROUP BY remote_id ORDER BY max(rowid) DESC LIMIT 20
"""


class Inbox:
    """Recognises repeated webhooks, and keeps those that arrive before their job is bound."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, *, backend: str, webhook_id: str, remote_id: str, now: float) -> bool:
        """Store a webhook; False: it is a repetition."""
        row = await self._database.row(
            _INSERT,
            {"backend": backend, "webhook_id": webhook_id, "remote_id": remote_id, "now": now},
        )
        return row is not None

    async def has(self, backend: str, remote_id: str) -> bool:
        """Return whether a webhook for this remote job has arrived."""
        row = await self._database.row(_HAS, {"backend": backend, "remote_id": remote_id})
        return row is not None

    async def unbound(self, backend: str) -> tuple[str, ...]:
        """List up to 20 remote ids that webhooks have named and that no job has."""
        rows = await self._database.rows(_UNBOUND, {"backend": backend})
        return tuple(row["remote_id"] for row in rows)

    async def sweep(self, *, now: float) -> None:
        """Delete webhooks that are so old that the provider no longer repeats them."""
        await self._database.rows(
            "DELETE FROM inbox WHERE received_at < :before", {"before": now - KEEP_SECONDS}
        )
