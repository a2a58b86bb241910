"""What is known of creates that have no answer."""

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

_OTHERS_IN_DOUBT = """
SELECT 1 FROM jobs
WHERE backend = :backend AND id <> :id AND state IN ('submitting', 'unconfirmed') LIMIT 1
"""


class UnconfirmedStore:
    """Tells which remote jobs may belong to whom; writes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inbox = Inbox(database)

    async def unclaimed(self, backend: str, *, since: float) -> tuple[str, ...]:
        """List remote ids that webhooks named and no job has."""
        return await self._inbox.unbound(backend, since=since)

    async def others(self, job: Job) -> bool:
        """Tell whether another create of the job's backend has no answer yet."""
        params = {"backend": job.backend, "id": job.id}
        return await self._database.row(_OTHERS_IN_DOUBT, params) is not None

    async def bound(self, backend: str, refs: Iterable[str]) -> frozenset[str]:
        """Tell which of these remote ids belong to a job."""
        rows = await self._database.rows(
            _BOUND, {"backend": backend, "refs": json.dumps(list(refs))}
        )
        return frozenset(row["remote_id"] for row in rows)
