"""SqliteDatabase: runs statements on one connection, in the order in which they are given."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from storage.database import Database
from storage.errors import storage_errors
from storage.sqlite.statement_groups import StatementGroups

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    import aiosqlite

    from storage.database import Statement

log = logging.getLogger(__name__)


class SqliteDatabase(Database):
    """A connection on which each statement returns its result only once it is committed.

    SQLite runs one writing statement at a time, so a statement that counts needs no lock.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._statements = StatementGroups(connection)

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[sqlite3.Row]:
        """Run one statement, and return all its rows."""
        with storage_errors():
            [rows] = await self._statements.run((sql, params))
        return rows

    async def counting_row(self, sql: str, params: Mapping[str, Any]) -> sqlite3.Row | None:
        """Run one statement that counts rows. No other statement runs at the same time."""
        rows = await self.rows(sql, params)
        return rows[0] if rows else None

    async def sequence(self, *statements: Statement) -> list[list[sqlite3.Row]]:
        """Run statements in one transaction until one of them returns no row."""
        with storage_errors():
            return await self._statements.run(*statements)

    def wall(self) -> float:
        """Return the time of the machine's clock in Unix seconds."""
        return time.time()

    async def drain(self) -> None:
        """Wait until all statements have been run."""
        await self._statements.drain()

    async def clear_log(self) -> None:
        """Copy the WAL into the database file, and empty it, so that it keeps no deleted content.

        While another process, such as `doctor`, is reading the database, the WAL can't be emptied.
        """
        row = await self.row("PRAGMA wal_checkpoint(TRUNCATE)", {})
        if row is None or row["busy"]:
            log.info("database.log_busy")
