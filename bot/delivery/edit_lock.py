"""Turns: a card is edited by one at a time, and what ends a job does not wait for mere progress."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class EditPatience:
    """Seconds that an edit under way gets before it is cut off.

    More where Discord has it already: cut off, it could still land, over what was written after it.
    """

    usual: float = 2.0
    unanswered: float = 10.0


@dataclass(kw_only=True, slots=True)
class _CardLock:
    """Who edits a card now; the last of its users forgets it, so that old cards cost nothing."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    in_passing: asyncio.Task[object] | None = None


class EditLock:
    """Hands out the turns at each card; those of progress can be cut short."""

    def __init__(self, patience: EditPatience) -> None:
        self._patience = patience
        self._edit_lock: dict[str, _CardLock] = {}

    @asynccontextmanager
    async def acquire(self, job_id: str) -> AsyncGenerator[None]:
        """Wait for a turn, in a task that whoever comes with the job's end may cancel."""
        async with self._user(job_id) as turn, turn.lock:
            turn.in_passing = asyncio.current_task()
            try:
                yield
            finally:
                turn.in_passing = None

    @asynccontextmanager
    async def acquire_urgently(
        self, job_id: str, is_unanswered: Callable[[], bool]
    ) -> AsyncGenerator[bool]:
        """Wait for a turn, but not for long on progress; True: that was cut off.

        `is_unanswered` tells whether Discord has the edit under way.
        """
        async with self._user(job_id) as turn:
            cut_off = await self._make_way(job_id, turn.in_passing, is_unanswered)
            async with turn.lock:
                yield cut_off

    @asynccontextmanager
    async def _user(self, job_id: str) -> AsyncGenerator[_CardLock]:
        turn = self._edit_lock.setdefault(job_id, _CardLock())
        turn.users += 1
        try:
            yield turn
        finally:
            turn.users -= 1
            if not turn.users:
                del self._edit_lock[job_id]

    async def _make_way(
        self, job_id: str, task: asyncio.Task[object] | None, is_unanswered: Callable[[], bool]
    ) -> bool:
        if task is None:
            return False
        await asyncio.wait({task}, timeout=self._patience.usual)
        if not task.done() and is_unanswered():
            await asyncio.wait({task}, timeout=self._patience.unanswered)
        if task.done():
            return False
        task.cancel()
        await asyncio.wait({task})
        log.info("card.edit_cut_off id=%s", job_id)
        return True
