"""JobQueue: claims the jobs whose next step is due. Servers and people take turns in the queue."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.jobs.waits.capacity import Room
from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bot.jobs.waits.capacity import ProviderCapacity
    from bot.model import Job
    from storage.access.pause import Pause
    from storage.access.settings import AccessSettingsStore
    from storage.jobs.queue.claims import QueueStore
    from storage.jobs.queue.due_jobs import DueJobStore


class JobQueue:
    """Claims jobs whose next step is due, unless this process may not claim any jobs.

    Servers, and the people in each server, take turns with their queued jobs. No queued jobs are
    claimed while the provider has no capacity, or during a pause that the operator has extended to
    queued jobs.
    """

    def __init__(
        self,
        store: DueJobStore,
        queued: QueueStore,
        capacity: ProviderCapacity,
        access: AccessSettingsStore,
        *,
        clock: Callable[[], float],
        may_claim: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._queued = queued
        self._capacity = capacity
        self._access = access
        self._clock = clock
        self._may_claim = may_claim
        self._lacked_room = True

    @property
    def lacked_room(self) -> bool:
        """Whether the last look may have left queued jobs unclaimed for lack of room."""
        return self._lacked_room

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
        if not self._may_claim():
            return []
        claim_unqueued = self._store.claim(
            [state for state in states if state is not JobState.QUEUED],
            clients_only=clients_only,
            narrated=narrated,
            running=running,
            limit=limit,
            now=self._clock(),
        )
        if JobState.QUEUED not in states:
            return await claim_unqueued
        self._lacked_room = True  # also while it is counted, so that no change meanwhile is missed
        due, pause, room = await asyncio.gather(
            claim_unqueued, self._access.pause(now=self._clock()), self._capacity.room(running)
        )
        room = _room_during(pause, room)
        running = [*running, *(job.id for job in due)]
        while room.free > 0 and len(due) < limit:
            job = await self._queued.claim_next(
                running=running,
                clients_only=clients_only,
                narrated=narrated,
                at_provider=room.limit,
                now=self._clock(),
            )
            if job is None:
                break
            due.append(job)
            running.append(job.id)
            room = replace(room, free=room.free - 1)
        # Other processes may have taken the room that the last jobs need.
        self._lacked_room = room.free < limit
        return due

    def may_start(self, job: Job, *, clients_only: bool) -> bool:
        """Tell whether the due step of a job that has just changed may start without a claim.

        Queued jobs are always claimed, because they take turns.
        """
        is_queued = job.state is JobState.QUEUED
        return not is_queued and self._store.needs_no_claim(job, clients_only=clients_only)

    async def let_go(self, job: Job) -> None:
        """Let the other workers claim a job whose step has ended without a change to the job."""
        await self._store.let_go(job)

    async def seconds_until_due(
        self,
        states: Collection[JobState],
        *,
        running: Collection[str],
        clients_only: bool = False,
        narrated: bool | None = None,
    ) -> float | None:
        """Return the seconds until the next job can be claimed, or None if none is scheduled."""
        if not self._may_claim():
            return None
        now = self._clock()
        due = await self._store.next_due(
            [state for state in states if state is not JobState.QUEUED],
            clients_only=clients_only,
            narrated=narrated,
            running=running,
        )
        if JobState.QUEUED in states and await self._has_room(running):
            queued = await self._queued.next_due(
                running=running, clients_only=clients_only, narrated=narrated, now=now
            )
            due = min((each for each in (due, queued) if each is not None), default=None)
        return None if due is None else max(0.0, due - now)

    def seconds_until(self, job: Job) -> float | None:
        """Return the seconds until a job's next step is due, or None if none is scheduled."""
        return None if job.next_at is None else max(0.0, job.next_at - self._clock())

    async def _has_room(self, running: Collection[str]) -> bool:
        room = await self._room(running)
        self._lacked_room = self._lacked_room or room.free <= 0
        return room.free > 0

    async def _room(self, running: Collection[str]) -> Room:
        """Return the number of queued jobs that may be claimed now."""
        pause, room = await asyncio.gather(
            self._access.pause(now=self._clock()), self._capacity.room(running)
        )
        return _room_during(pause, room)


def _room_during(pause: Pause | None, room: Room) -> Room:
    return Room(limit=0, free=0) if pause is not None and pause.is_drain else room
