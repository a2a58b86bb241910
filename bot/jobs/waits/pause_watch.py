"""PauseWatch: updates the cards of queued jobs when the operator begins or ends a pause."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.service import JobService
    from storage.access.pause import Pause
    from storage.access.settings import AccessSettingsStore

log = logging.getLogger(__name__)

# A pause can also be set from the command line, and ends by itself.
_LOOK_SECONDS = 5.0


class PauseWatch:
    """Publishes the queue when queued jobs begin to wait for the operator, or may start again."""

    def __init__(
        self, access: AccessSettingsStore, jobs: JobService, *, clock: Callable[[], float]
    ) -> None:
        self._access = access
        self._jobs = jobs
        self._clock = clock
        self._drain: Pause | None = None

    async def run(self) -> None:
        """Look for changes until cancelled."""
        while True:
            try:
                await self.look()
            except StorageError as error:
                log.warning("pause.unread error=%r", str(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Publish the queue if the pause has changed. Publishing also wakes the workers."""
        pause = await self._access.pause(now=self._clock())
        drain = pause if pause is not None and pause.is_drain else None
        if drain != self._drain:
            log.info("queue.drain is_on=%s", drain is not None)
            await self._jobs.publish_queue()
            self._drain = drain
