"""Locks cards, so that two edits of the same card never overlap.

A final edit waits briefly for a running progress edit, and then cancels it.
"""

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
class EditGracePeriods:
    """The time that a running progress edit gets before it is cancelled, in seconds.

    `unanswered`: the extra time that the edit gets if Discord may have received it. Without this
    time, Discord could apply the cancelled edit last, and so overwrite the final edit.
    """

    usual: float = 2.0
    unanswered: float = 10.0


@dataclass(kw_only=True, slots=True)
class _CardLock:
    """A card's lock. It is deleted when no task holds it or waits for it (`users` is 0).

    `progress_edit`: the task that holds the lock, if a final edit may cancel that task.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    progress_edit: asyncio.Task[object] | None = None


class EditLock:
    """Lets only one task at a time edit a card."""

    def __init__(self, grace_periods: EditGracePeriods) -> None:
        self._grace_periods = grace_periods
        self._locks: dict[str, _CardLock] = {}

    @asynccontextmanager
    async def acquire(self, job_id: str) -> AsyncGenerator[None]:
        """Lock the card for a progress edit.

        A final edit may cancel the task that holds the lock.
        """
        async with self._lock_of(job_id) as card, card.lock:
            card.progress_edit = asyncio.current_task()
            try:
                yield
            finally:
                card.progress_edit = None

    @asynccontextmanager
    async def acquire_urgently(
        self, job_id: str, is_unanswered: Callable[[], bool]
    ) -> AsyncGenerator[bool]:
        """Lock the card for a final edit, and yield whether a progress edit was cancelled.

        `is_unanswered` tells whether the progress edit was sent to Discord and has no response yet.
        """
        async with self._lock_of(job_id) as card:
            cut_off = await self._cut_off(job_id, card.progress_edit, is_unanswered)
            async with card.lock:
                yield cut_off

    @asynccontextmanager
    async def _lock_of(self, job_id: str) -> AsyncGenerator[_CardLock]:
        card = self._locks.setdefault(job_id, _CardLock())
        card.users += 1
        try:
            yield card
        finally:
            card.users -= 1
            if not card.users:
                del self._locks[job_id]

    async def _cut_off(
        self, job_id: str, task: asyncio.Task[object] | None, is_unanswered: Callable[[], bool]
    ) -> bool:
        if task is None:
            return False
        await asyncio.wait({task}, timeout=self._grace_periods.usual)
        if not task.done() and is_unanswered():
            await asyncio.wait({task}, timeout=self._grace_periods.unanswered)
        if task.done():
            return False
        task.cancel()
        await asyncio.wait({task})
        log.info("card.edit_cut_off id=%s", job_id)
        return True
