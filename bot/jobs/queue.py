"""JobQueue: claims the jobs whose next step is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bot.model import Job, JobState
    from storage.jobs.store import JobStore


class JobQueue:
    """Claims jobs whose next step is due; with a `client`, only that client's jobs."""

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
        narrated: bool | None = None,
    ) -> list[Job]:
        """Claim due jobs that are not `running`; `clients_only`: claim only API clients' jobs.

        `narrated`: True: claim only jobs with a narration; False: only those without; None: both.
        """
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
        """Return the seconds until the next job is due; None: no job is scheduled."""
        now = self._clock()
        due = await self._store.next_due(
            states,
            backend=self._backend,
            client=self._client,
            clients_only=clients_only,
            narrated=narrated,
            running=running,
            now=now,
        )
        return None if due is None else max(0.0, due - now)
