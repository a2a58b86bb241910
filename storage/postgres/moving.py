"""RowMove: moves the rows of an SQLite database into a PostgreSQL database, in one transaction."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from bot.errors import StartupError
from storage.errors import StorageError
from storage.postgres.errors import postgres_errors
from storage.sqlite import contents
from storage.sqlite.contents import Table, Tally

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from storage.database import Database

_SESSION = {"application_name": "clapper move"}
_CONNECT_SECONDS = 10.0
_BATCH_ROWS = 1000

# Tables that others refer to come first.
_COLUMNS = """
SELECT tables.table_name AS name, string_agg(column_name, ',' ORDER BY ordinal_position) AS columns,
    (SELECT count(*) FROM pg_constraint
     WHERE contype = 'f' AND conrelid = CAST(quote_ident(tables.table_name) AS regclass)) AS refers
FROM information_schema.tables JOIN information_schema.columns USING (table_schema, table_name)
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
    AND tables.table_name <> 'schema_number'
GROUP BY tables.table_name ORDER BY refers, name
"""
_NUMBERED = """
SELECT table_name AS name, column_name AS column FROM information_schema.columns
WHERE table_schema = current_schema() AND is_identity = 'YES'
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsMoved:
    """The number of moved rows, by table name.

    `were_there`: whether an earlier move had already moved the rows.
    """

    rows: Mapping[str, int]
    were_there: bool


class RowMove:
    """Moves all rows of `database` to the target, which is the database at `url`.

    The target must have the current schema.
    Raises StartupError if the target has rows that are not the same as those of `database`.
    Raises StorageError if a database fails. Then nothing was moved.
    """

    def __init__(self, database: Database, url: str) -> None:
        self._database = database
        self._url = url

    async def check(self) -> None:
        """Find out whether the rows can be moved, and change nothing."""
        async with self._transaction() as connection:
            await self._is_done(connection, await self._tables(connection))

    async def run(self) -> RowsMoved:
        """Move the rows, read them back, and compare them with those of `database`."""
        async with self._transaction() as connection:
            tables = await self._tables(connection)
            names = ", ".join(table.name for table in tables)
            # A bot that starts during the move waits for this lock. If it has already written rows,
            # the check below finds them.
            await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            if were_there := await self._is_done(connection, tables):
                tallies = {table.name: await _tally(connection, table) for table in tables}
            else:
                tallies = {table.name: await self._copy(connection, table) for table in tables}
                await _set_numbers(connection)
        rows = {name: tally.rows for name, tally in tallies.items() if tally.rows}
        return RowsMoved(rows=rows, were_there=were_there)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[asyncpg.Connection]:
        with postgres_errors():
            connection = await asyncpg.connect(
                self._url, timeout=_CONNECT_SECONDS, server_settings=_SESSION
            )
            try:
                async with connection.transaction():
                    yield connection
            finally:
                await asyncio.shield(connection.close())

    async def _tables(self, connection: asyncpg.Connection) -> Sequence[Table]:
        rows = await connection.fetch(_COLUMNS)
        tables = [Table(name=row["name"], columns=tuple(row["columns"].split(","))) for row in rows]
        if unknown := await contents.table_names(self._database) - {table.name for table in tables}:
            raise StorageError(f"the target has no tables {', '.join(sorted(unknown))}")
        return tables

    async def _is_done(self, connection: asyncpg.Connection, tables: Sequence[Table]) -> bool:
        """Return True if the target has the same rows as `database`, or False if it has none."""
        held = {table.name: await _tally(connection, table) for table in tables}
        if not any(tally.rows for tally in held.values()):
            return False
        for table in tables:
            if held[table.name] != await contents.tally(self._database, table):
                raise StartupError(
                    f"--to: the table {table.name} of that database has other rows than DATA_DIR. "
                    "They may be another bot's, or a bot has used that database since an earlier "
                    "move: name an empty database (createdb)."
                )
        return True

    async def _copy(self, connection: asyncpg.Connection, table: Table) -> Tally:
        # In `database`, the triggers have already written their rows. These are copied like all
        # others.
        await connection.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
        wanted = Tally()
        async for batch in contents.batches(self._database, table):
            wanted.add(batch)
            await connection.copy_records_to_table(table.name, records=batch, columns=table.columns)
        await connection.execute(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")
        written = await _tally(connection, table)
        if written != wanted:
            raise StorageError(
                f"{table.name}: {wanted.rows} rows were read and {written.rows} written, or they "
                "differ"
            )
        return written


async def _tally(connection: asyncpg.Connection, table: Table) -> Tally:
    tally = Tally()
    sql = f"SELECT {table.quoted_columns} FROM {table.name}"  # noqa: S608 - names of our schema
    async for row in connection.cursor(sql, prefetch=_BATCH_ROWS):
        tally.add((tuple(row.values()),))
    return tally


async def _set_numbers(connection: asyncpg.Connection) -> None:
    """Have each identity column continue after its greatest number, as in SQLite."""
    for row in await connection.fetch(_NUMBERED):
        name, column = row["name"], row["column"]
        await connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'),"  # noqa: S608 - names of our schema
            f" (SELECT coalesce(max({column}), 0) + 1 FROM {name}), false)"
        )
