"""ProviderCapacity: limits the number of jobs that the provider works on at the same time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from storage.jobs.queue.claims import Occupation, QueueStore

log = logging.getLogger(__name__)

# After the limit was lowered, it rises by one job whenever this time has passed.
_RAISE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """The number of jobs that may be at the provider, and how many more may be claimed."""

    limit: int
    free: int


class ProviderCapacity:
    """Limits the number of jobs at the provider.

    After the provider refuses a job with status 429, the limit is lowered for all processes. It
    then slowly rises again.
    """

    def __init__(self, store: QueueStore, *, limit: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._max = limit
        self._clock = clock

    async def room(self, running: Collection[str] = ()) -> Room:
        """Return the limit, and how many more jobs may be claimed.

        The jobs in `running` count as claimed.
        """
        occupation = await self._store.occupation(limit=self._max, running=running)
        limit = self._limit(occupation)
        return Room(limit=limit, free=max(0, limit - occupation.jobs))

    async def give_turns_back(self, job_id: str) -> None:
        """Let the server and the person of a job that was refused keep their turns."""
        await self._store.give_turns_back(job_id)

    async def lower(self) -> None:
        """Lower the limit to the number of jobs at the provider, which has refused another job."""
        occupation = await self._store.occupation(limit=self._max, of_all=True)
        before = self._limit(occupation)
        lowered_to = max(1, min(occupation.jobs, before))
        await self._store.lower_limit(lowered_to, now=self._clock())
        if lowered_to < before:
            log.warning("capacity.lowered jobs=%d before=%d", lowered_to, before)

    def _limit(self, occupation: Occupation) -> int:
        if occupation.lowered_to is None or occupation.lowered_at is None:
            return self._max
        raised = int((self._clock() - occupation.lowered_at) / _RAISE_SECONDS)
        # A time in the future means that the clock was set back.
        return self._max if raised < 0 else min(self._max, occupation.lowered_to + raised)
