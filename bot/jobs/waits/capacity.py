"""ProviderCapacity: limits the number of jobs that the provider works on at the same time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from storage.jobs.queue.claims import QueueStore

log = logging.getLogger(__name__)

# After the limit was lowered, it rises by one job whenever this time has passed.
_RAISE_SECONDS = 60.0


class ProviderCapacity:
    """Limits the number of jobs at the provider.

    After the provider refuses a job with status 429, the limit is lowered. It then slowly rises
    again.
    """

    def __init__(self, store: QueueStore, *, limit: int, steady: Callable[[], float]) -> None:
        self._store = store
        self._max = limit
        self._steady = steady
        self._lowered_to = limit
        self._lowered_at = steady()

    @property
    def limit(self) -> int:
        """The number of jobs that may be at the provider now."""
        raised = int((self._steady() - self._lowered_at) / _RAISE_SECONDS)
        return min(self._max, self._lowered_to + raised)

    async def free(self, running: Collection[str]) -> int:
        """Return how many more jobs may be claimed. The jobs in `running` count as claimed."""
        limit = self.limit
        return max(0, limit - await self._store.occupied(limit=limit, running=running))

    async def give_turns_back(self, job_id: str) -> None:
        """Let the server and the person of a job that was refused keep their turns."""
        await self._store.give_turns_back(job_id)

    async def lower(self) -> None:
        """Lower the limit to the number of jobs at the provider, which has refused another job."""
        before = self.limit
        self._lowered_to = max(1, await self._store.occupied(limit=before))
        self._lowered_at = self._steady()
        if self._lowered_to < before:
            log.warning("capacity.lowered jobs=%d before=%d", self._lowered_to, before)
