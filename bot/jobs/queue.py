"""JobQueue: claims the jobs whose next step is due. Servers and people take turns in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bot.jobs.waits.capacity import ProviderCapacity
    from bot.model import Job
    from storage.access.settings import AccessSettingsStore
    from storage.jobs.queue.claims import QueueStore
    from storage.jobs.store import JobStore


class JobQueue:
    """Claims jobs whose next step is due. With a `client`, it claims only that API client's jobs.

    Servers, and the people in each server, take turns with their queued jobs. No queued jobs are
    claimed while the provider has no capacity, or while the operator's pause makes queued jobs wait
    too.
    """

    def __init__(
        self,
        store: JobStore,
        queued: QueueStore,
        capacity: ProviderCapacity,
        access: AccessSettingsStore,
        *,
        backend: str,
        clock: Callable[[], float],
        client: str | None = None,
    ) -> None:
        self._store = store
        self._queued = queued
        self._capacity = capacity
        self._access = access
        self._backend = backend
        self._clock = clock
        self._client = client

    async def claim(
        self,
        states: Collection[JobState],
        *,
        running: Collection[str],
        limit: int,
        clients_only: bool = False,
        narrated: bool | None = None,
    ) -> list[Job]:
        """Claim due jobs that are not in `running`.

        `clients_only`: whether to claim only the jobs of API clients, and none from Discord.
        `narrated`: True for jobs with a narration, False for jobs without one, None for both.
        """
        unqueued = [state for state in states if state is not JobState.QUEUED]
        due: list[Job] = []
        if unqueued:
            due = await self._claim_unqueued(
                unqueued,
                running=running,
                limit=limit,
                clients_only=clients_only,
                narrated=narrated,
            )
        if JobState.QUEUED not in states:
            return due
        running = [*running, *(job.id for job in due)]
        for _ in range(min(limit - len(due), await self._free(running))):
            job = await self._queued.claim_next(
                running=running, clients_only=clients_only, narrated=narrated, now=self._clock()
            )
            if job is None:
                break
            due.append(job)
            running.append(job.id)
        return due

    async def _claim_unqueued(
        self,
        states: Collection[JobState],
        *,
        running: Collection[str],
        limit: int,
        clients_only: bool,
        narrated: bool | None,
    ) -> list[Job]:
        return await self._store.claim(
            states,
            backend=self._backend,
            client=self._client,
            clients_only=clients_only,
            narrated=narrated,
            running=running,
            limit=limit,
            now=self._clock(),
        )

    async def seconds_until_due(
        self,
        states: Collection[JobState],
        *,
        running: Collection[str],
        clients_only: bool = False,
        narrated: bool | None = None,
    ) -> float | None:
        """Return the seconds until the next job can be claimed, or None if none is scheduled."""
        now = self._clock()
        due = await self._store.next_due(
            [state for state in states if state is not JobState.QUEUED],
            backend=self._backend,
            client=self._client,
            clients_only=clients_only,
            narrated=narrated,
            running=running,
            now=now,
        )
        if JobState.QUEUED in states and await self._free(running) > 0:
            queued = await self._queued.next_due(
                running=running, clients_only=clients_only, narrated=narrated, now=now
            )
            due = min((each for each in (due, queued) if each is not None), default=None)
        return None if due is None else max(0.0, due - now)

    async def _free(self, running: Collection[str]) -> int:
        """Return the number of queued jobs that may be claimed now."""
        pause = await self._access.pause(now=self._clock())
        if pause is not None and pause.is_drain:
            return 0
        return await self._capacity.free(running)
