"""ProcessLock: keeps out processes that must not share a PostgreSQL database with this one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import asyncpg

from storage.files.data_folder import DataInUseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_KEY = "(hashtext('process'), hashtext(current_schema()))"
_TAKE = f"SELECT pg_try_advisory_lock{_KEY}"
_TAKE_SHARED = f"SELECT pg_try_advisory_lock_shared{_KEY}"
_RETAKE_SECONDS = 0.5

_IN_USE = (
    "Another Clapper is running with this DATABASE_URL: stop it, or give this one another database."
)
_IN_USE_ALONE = (
    "Another Clapper is running with this DATABASE_URL and without --role: stop it, or start it "
    "with --role desk or --role worker."
)


class ProcessLock:
    """A lock on a connection of its own. If the connection is lost, the lock is taken again.

    `is_shared`: whether other processes may use the database too, if their locks are also shared.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        is_shared: bool = False,
    ) -> None:
        self._connect = connect
        self._is_shared = is_shared
        self._connection: asyncpg.Connection | None = None
        self._retaking: asyncio.Task[None] | None = None
        self._is_closed = False

    def check(self) -> None:
        """Raise InterfaceError, as for a lost connection, if the lock is not held."""
        if self._connection is None:
            raise asyncpg.InterfaceError("the lock on the database is lost")

    async def take(self) -> None:
        """Take the lock. Raises DataInUseError if another process has it."""
        connection = await self._connect()
        try:
            is_taken = await connection.fetchval(_TAKE_SHARED if self._is_shared else _TAKE)
        except BaseException:
            connection.terminate()
            raise
        if not is_taken:
            await connection.close()
            raise DataInUseError(_IN_USE_ALONE if self._is_shared else _IN_USE)
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
