"""The table of accepted webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.jobs.rows import job_from
from storage.jobs.statements import WAKE_REMOTE

if TYPE_CHECKING:
    from bot.model import Job
    from storage.database import Database

# Providers repeat a webhook for up to 72 hours.
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

# Newest first. The order is that of the row ids, because the clock may have been changed between
# two webhooks.
_UNBOUND = """
SELECT remote_id FROM inbox
WHERE backend = :backend AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE jobs.remote_id = inbox.remote_id AND jobs.backend = :backend)
GROUP BY remote_id ORDER BY max(rowid) DESC LIMIT 20
"""


class Inbox:
    """Recognises repeated webhooks, and keeps webhooks whose job is not known yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, *, backend: str, webhook_id: str, remote_id: str, now: float
    ) -> tuple[bool, Job | None]:
        """Store a webhook, and make its job due.

        Returns whether the webhook is new, and the job that is now due. A repeated webhook changes
        nothing. The job is None if no job with this remote id is being generated.
        """
        params = {"backend": backend, "webhook_id": webhook_id, "remote_id": remote_id, "now": now}
        stored, *woken = await self._database.sequence((_INSERT, params), (WAKE_REMOTE, params))
        return bool(stored), job_from(woken[0][0]) if woken and woken[0] else None

    async def has(self, backend: str, remote_id: str) -> bool:
        """Return whether a webhook about this remote job has arrived."""
        row = await self._database.row(_HAS, {"backend": backend, "remote_id": remote_id})
        return row is not None

    async def unbound(self, backend: str) -> tuple[str, ...]:
        """List up to 20 remote ids that occur in webhooks, but belong to none of our jobs."""
        rows = await self._database.rows(_UNBOUND, {"backend": backend})
        return tuple(row["remote_id"] for row in rows)

    async def sweep(self, *, now: float) -> None:
        """Delete the webhooks that are too old to be repeated by the provider."""
        await self._database.rows(
            "DELETE FROM inbox WHERE received_at < :before", {"before": now - KEEP_SECONDS}
        )
