"""Vacuum: removes deleted rows from the tables of a PostgreSQL database."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from storage.errors import StorageError
from storage.postgres.errors import postgres_errors

if TYPE_CHECKING:
    import asyncpg

log = logging.getLogger(__name__)

_TABLES = """
SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
WHERE schemaname = current_schema() AND tableowner = current_user
"""
# A small number of deleted rows would otherwise stay in the indexes. Shortening the file of a table
# would lock the table.
_VACUUM = "VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF)"
_SECONDS = 30 * 60.0
_PAUSE_SECONDS = 60.0


class Vacuum:
    """Vacuums all tables soon after a request, but not more often than once a minute.

    PostgreSQL also vacuums by itself, but only once a fifth of a table's rows has changed.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._requested = asyncio.Event()

    def request(self) -> None:
        """Have the tables vacuumed."""
        self._requested.set()

    async def run(self) -> None:
        """Wait for requests, and vacuum the tables. A failure is logged."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            try:
                with postgres_errors():
                    await self._vacuum()
            except (StorageError, TimeoutError) as error:
                log.warning("database.vacuum_failed error=%r", str(error))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _vacuum(self) -> None:
        async with self._pool.acquire() as connection:
            tables: str = await connection.fetchval(_TABLES)
            # VACUUM must not run in a transaction. A statement with parameters would begin one.
            await connection.execute(f"{_VACUUM} {tables}", timeout=_SECONDS)
