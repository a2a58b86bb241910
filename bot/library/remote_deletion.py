"""Eraser: has the video service delete what it keeps of deleted jobs."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING

from bot.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import VideoBackend
    from storage.retention import RetentionStore

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 60 * 60.0


class RemoteDeletion:
    """Asks after each deletion, and again each hour for as long as the deleted job has its row.

    Prompt and clip go where the service can delete them, as our own renderer does.
    """

    def __init__(
        self, store: RetentionStore, backend: VideoBackend, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._backend = backend
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that something was deleted."""
        self._woken.set()

    async def run(self) -> None:
        """Erase for ever."""
        while True:
            self._woken.clear()
            try:
                await self.erase()
            except sqlite3.Error:
                log.exception("erase.failed")  # the next time finds it
            await self._sleep()

    async def erase(self) -> None:
        """Ask once for each job."""
        for remains in await self._store.upstream(self._backend.name):
            if await self._delete(remains.remote_id):
                await self._store.mark_erased(remains.job_id, now=self._clock())
                log.info("job.erased id=%s ref=%s", remains.job_id, remains.remote_id)

    async def _delete(self, ref: str) -> bool:
        try:
            return await self._backend.cancel(ref)
        except BackendError as error:
            log.warning("erase.refused ref=%s error=%r", ref, str(error))
            return False

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(_AGAIN_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return
