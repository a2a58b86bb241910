"""Reads the tables of an SQLite database in batches, because they may not fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.moving.tables import Tally, cleaned

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from storage.database import Database, Row
    from storage.moving.tables import Table

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_WITHOUT_ROWID = "SELECT 1 FROM pragma_table_list(:name) WHERE wr = 1 AND schema = 'main'"
_KEY = 'SELECT group_concat(\'"\' || name || \'"\') AS key FROM pragma_table_info(:name) WHERE pk > 0'
_BATCH_ROWS = 1000


async def table_names(database: Database) -> frozenset[str]:
    """Return the names of all tables."""
    return frozenset(row["name"] for row in await database.rows(_TABLES, {}))


async def batches(database: Database, table: Table) -> AsyncGenerator[Sequence[tuple[Any, ...]]]:
    """Yield the rows of a table, in the order in which they were inserted."""
    if await database.row(_WITHOUT_ROWID, {"name": table.name}):
        reading = _by_key(database, table)
    else:
        reading = _by_rowid(database, table)
    async for batch in reading:
        yield batch


async def tally(database: Database, table: Table) -> Tally:
    """Count the rows of a table."""
    counted = Tally()
    async for batch in batches(database, table):
        counted.add(batch)
    return counted


async def _by_rowid(database: Database, table: Table) -> AsyncGenerator[list[tuple[Any, ...]]]:
    sql = (
        f"SELECT {table.quoted_columns}, rowid AS last_rowid FROM {table.name}"  # noqa: S608 - names of our schema
        " WHERE rowid > :last ORDER BY rowid LIMIT :limit"
    )
    # The smallest integer of SQLite.
    last = -(2**63)
    while rows := await database.rows(sql, {"last": last, "limit": _BATCH_ROWS}):
        yield [_values(row, table) for row in rows]
        last = rows[-1]["last_rowid"]


async def _by_key(database: Database, table: Table) -> AsyncGenerator[list[tuple[Any, ...]]]:
    key = await database.row(_KEY, {"name": table.name})
    sql = (
        f"SELECT {table.quoted_columns} FROM {table.name}"  # noqa: S608 - names of our schema
        f" ORDER BY {key['key'] if key else 1} LIMIT :limit OFFSET :offset"
    )
    offset = 0
    while rows := await database.rows(sql, {"limit": _BATCH_ROWS, "offset": offset}):
        yield [_values(row, table) for row in rows]
        offset += len(rows)


def _values(row: Row, table: Table) -> tuple[Any, ...]:
    return cleaned([row[index] for index in range(len(table.columns))])
