"""DeskLock: lets one process at a time be the desk, which alone speaks to Discord."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

import asyncpg

from bot.errors import DeskLostError
from bot.pacing import seconds_since_boot
from storage.postgres.opening import connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

#: The server releases the lock of a desk that sends nothing for this many seconds.
DESK_SECONDS = 10.0

_TAKE = "SELECT pg_try_advisory_lock(hashtext('desk'), hashtext(current_schema()))"
_BEAT = "SELECT 1"
_BEATS = 10
_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class DeskLock:
    """A lock that lasts as long as the session of a connection.

    The server ends the session if the holder is silent for `seconds` seconds. The holder sends a
    beat every tenth of this time. An answer proves that the lock was still held when the beat was
    sent.
    """

    def __init__(
        self,
        open_session: Callable[[float], Awaitable[asyncpg.Connection]],
        *,
        seconds: float = DESK_SECONDS,
        steady: Callable[[], float] = seconds_since_boot,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._open_session = open_session
        self._seconds = seconds
        self._steady = steady
        self._sleep = sleep
        self._connection: asyncpg.Connection | None = None
        self._is_taken = False
        self._proven_at = 0.0

    @property
    def is_held(self) -> bool:
        """Whether the last answered beat was sent less than `seconds / 2` seconds ago."""
        return self._is_taken and self._steady() - self._proven_at < self._seconds / 2

    async def take(self) -> None:
        """Wait until no other process has the lock, and take it."""
        while True:
            try:
                if await self._try():
                    return
            except _FAILURES as error:
                log.info("desk.lock_unreachable error=%r", str(error))
                await self.release()
            await self._sleep(self._seconds / _BEATS)

    async def keep(self) -> None:
        """Send beats for as long as the lock is held.

        Raises DeskLostError if a beat gets no answer. The process must then end, because another
        process may be the desk.
        """
        while True:
            await self._sleep(self._seconds / _BEATS)
            await self._beat()

    async def release(self) -> None:
        """Release the lock, and close its session."""
        connection, self._connection, self._is_taken = self._connection, None, False
        if connection is not None:
            # A server that does not answer releases the lock by itself.
            connection.terminate()

    async def _try(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._open_session(self._seconds)
        sent_at = self._steady()
        async with asyncio.timeout(self._seconds / 2):
            self._is_taken = await self._connection.fetchval(_TAKE)
        self._proven_at = sent_at
        return self._is_taken

    async def _beat(self) -> None:
        assert self._connection is not None  # noqa: S101 - `take` has opened it
        sent_at = self._steady()
        try:
            async with asyncio.timeout(self._seconds / 2):
                await self._connection.execute(_BEAT)
        except _FAILURES as error:
            self._is_taken = False
            raise DeskLostError(str(error) or type(error).__name__) from None
        self._proven_at = sent_at


def desk_lock(url: str, *, seconds: float = DESK_SECONDS) -> DeskLock:
    """Return the lock of the desk on the database at `url`. It is not taken yet."""
    return DeskLock(partial(open_session, url), seconds=seconds)


async def open_session(url: str, seconds: float) -> asyncpg.Connection:
    """Open a connection that the server closes after `seconds` seconds of silence."""
    milliseconds = str(round(seconds * 1000))
    settings = {
        "application_name": "clapper-desk",
        "idle_session_timeout": milliseconds,
        # Closes the connection if this machine is lost while it waits for an answer.
        "tcp_user_timeout": milliseconds,
    }
    return await connect(url, settings)
