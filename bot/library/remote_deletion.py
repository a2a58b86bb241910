"""RemoteDeletion: asks the provider to delete its data about jobs that the bot has deleted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import BackendError, FirstError
from bot.jobs.remote.identity import may_delete
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import VideoBackend
    from storage.jobs.remote_jobs import RemoteRecord
    from storage.retention import RetentionStore

log = logging.getLogger(__name__)

_RETRY_SECONDS = 60 * 60.0


class RemoteDeletion:
    """Asks the provider to delete its data about deleted jobs.

    A request is repeated hourly until the provider confirms the deletion, or the job's row is
    removed. Not every provider can delete prompts and clips.
    """

    def __init__(
        self, store: RetentionStore, backend: VideoBackend, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._backend = backend
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Make `run` ask the provider again now, because another job was deleted."""
        self._woken.set()

    async def run(self) -> None:
        """Ask the provider to delete its data about deleted jobs, until cancelled.

        Asks once an hour, and whenever `wake` is called.
        """
        while True:
            self._woken.clear()
            try:
                await self.delete_remote_jobs()
            except StorageError:
                log.exception("erase.failed")  # the next round tries again
            await self._sleep()

    async def delete_remote_jobs(self) -> None:
        """For each deleted job, send the provider one request to delete its data."""
        first_error = FirstError()
        for deleted in await self._store.remote_jobs(self._backend.name):
            with first_error.deferred():
                await self._delete_one(deleted)
        first_error.raise_if_any()

    async def _delete_one(self, deleted: RemoteRecord) -> None:
        if await self._delete(deleted):
            await self._store.mark_remote_deleted(deleted.job_id, now=self._clock())
            log.info("job.erased id=%s ref=%s", deleted.job_id, deleted.remote_id)

    async def _delete(self, deleted: RemoteRecord) -> bool:
        """Ask the provider to delete one job.

        Returns True if nothing is left to delete.
        """
        ref = deleted.remote_id
        try:
            if await may_delete(self._backend, deleted):
                return await self._backend.cancel(ref)
        except BackendError as error:
            log.warning("erase.refused ref=%s error=%r", ref, str(error))
            return False
        log.warning("erase.not_ours id=%s ref=%s", deleted.job_id, ref)
        return True

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(_RETRY_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return
