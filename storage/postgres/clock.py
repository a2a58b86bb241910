"""DatabaseClock: the clock of the database's machine, which all processes share."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.pacing import seconds_since_boot
from storage.errors import StorageError
from storage.postgres.errors import postgres_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg

log = logging.getLogger(__name__)

_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
_PAUSE_SECONDS = 30.0
# An answer that takes longer says too little about the time.
_MAX_SECONDS = 1.0


class DatabaseClock:
    """Returns the database's time. Between two measurements, a steady clock counts the time."""

    def __init__(
        self, pool: asyncpg.Pool, *, steady: Callable[[], float] = seconds_since_boot
    ) -> None:
        self._pool = pool
        self._steady = steady
        self._offset: float | None = None

    def __call__(self) -> float:
        """Return the time in Unix seconds."""
        return self._steady() + (self._offset or 0.0)

    async def measure(self) -> None:
        """Ask the database for its time. A slow answer counts only if there is no other."""
        async with self._pool.acquire() as connection:
            before = self._steady()
            now: float = await connection.fetchval(_NOW)
            taken = self._steady() - before
        if taken <= _MAX_SECONDS or self._offset is None:
            self._offset = now - before - taken / 2

    async def run(self) -> None:
        """Measure again and again, since the clocks of two machines drift apart."""
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                with postgres_errors():
                    await self.measure()
            except StorageError as error:
                log.info("database.clock_unknown error=%s", error)
