"""Reads the data that helps to identify the remote job of an unconfirmed create."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from storage.jobs.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.model import Job
    from storage.database import Database

_BOUND = """
SELECT remote_id FROM jobs
WHERE backend = :backend AND remote_id IN (SELECT value FROM json_each(:refs))
UNION SELECT remote_id FROM spent_refs
WHERE backend = :backend AND remote_id IN (SELECT value FROM json_each(:refs))
"""

_OTHER_UNCONFIRMED = """
SELECT 1 FROM jobs
WHERE backend = :backend AND id <> :id AND state IN ('submitting', 'unconfirmed') LIMIT 1
"""


class UnconfirmedStore:
    """Reads which remote jobs an unconfirmed create may have started; never writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inbox = Inbox(database)

    async def unclaimed(self, backend: str, *, since: float) -> tuple[str, ...]:
        """List remote ids that webhooks named and that belong to no job."""
        return await self._inbox.unbound(backend, since=since)

    async def others(self, job: Job) -> bool:
        """Return whether another create of the job's backend is unconfirmed."""
        params = {"backend": job.backend, "id": job.id}
        return await self._database.row(_OTHER_UNCONFIRMED, params) is not None

    async def bound(self, backend: str, refs: Iterable[str]) -> frozenset[str]:
        """Return the remote ids that already belong to a job."""
        rows = await self._database.rows(
            _BOUND, {"backend": backend, "refs": json.dumps(list(refs))}
        )
        return frozenset(row["remote_id"] for row in rows)
