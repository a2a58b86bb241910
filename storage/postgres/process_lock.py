"""ProcessLock: lets one process at a time use a PostgreSQL database."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import asyncpg

from storage.files.data_folder import DataInUseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_TAKE = "SELECT pg_try_advisory_lock(hashtext('process'), hashtext(current_schema()))"
_RETAKE_SECONDS = 0.5


class ProcessLock:
    """A lock that is held by a connection of its own, and taken again if the connection is lost."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._retaking: asyncio.Task[None] | None = None
        self._is_closed = False

    def check(self) -> None:
        """Raise an error of a lost connection if the lock is not held."""
        if self._connection is None:
            raise asyncpg.InterfaceError("the lock on the database is lost")

    async def take(self) -> None:
        """Take the lock. Raises DataInUseError if another process has it."""
        connection = await self._connect()
        if not await connection.fetchval(_TAKE):
            await connection.close()
            raise DataInUseError(
                "Another Clapper is running with this DATABASE_URL: stop it, or give this one "
                "another database."
            )
        connection.add_termination_listener(self._on_lost)
        self._connection = connection

    async def release(self) -> None:
        """Release the lock."""
        self._is_closed = True
        if self._retaking is not None:
            self._retaking.cancel()
        if self._connection is not None:
            await self._connection.close()

    def _on_lost(self, _connection: object) -> None:
        self._connection = None
        if not self._is_closed:
            self._retaking = asyncio.create_task(self._retake(), name="database lock")

    async def _retake(self) -> None:
        log.warning("database.lock_lost")
        while True:
            try:
                await self.take()
            except (DataInUseError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await asyncio.sleep(_RETAKE_SECONDS)
            else:
                log.info("database.lock_retaken")
                return
