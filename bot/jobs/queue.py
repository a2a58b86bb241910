"""JobQueue: what is due, and who takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bot.model import Job, JobState
    from storage.jobs.store import JobStore


class JobQueue:
    """Hands out the jobs whose step is due; with a `client`, that client's alone."""

    def __init__(
        self,
        store: JobStore,
        *,
        backend: str,
        clock: Callable[[], float],
        client: str | None = None,
    ) -> None:
        self._store = store
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
    ) -> list[Job]:
        """Take jobs whose step is due; `clients_only`: none that comes from Discord."""
        return await self._store.claim(
            states,
            backend=self._backend,
            client=self._client,
            clients_only=clients_only,
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
    ) -> float | None:
        """Tell how long there is nothing to do."""
        now = self._clock()
        due = await self._store.next_due(
            states,
            backend=self._backend,
            client=self._client,
            clients_only=clients_only,
            running=running,
            now=now,
        )
        return None if due is None else max(0.0, due - now)
