"""Reads whole tables of an SQLite database in batches, because they may not fit into memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from storage.database import Database, Row

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_WITHOUT_ROWID = "SELECT 1 FROM pragma_table_list(:name) WHERE wr = 1 AND schema = 'main'"
_KEY = """
SELECT group_concat('"' || name || '"') AS key FROM pragma_table_info(:name) WHERE pk > 0
"""
_BATCH_ROWS = 1000
_DIGEST_BYTES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table with the columns that are moved. The database computes the others."""

    name: str
    columns: tuple[str, ...]

    @property
    def quoted_columns(self) -> str:
        """The columns as they are written in a statement."""
        return ", ".join(f'"{column}"' for column in self.columns)


@dataclass(kw_only=True, slots=True)
class Tally:
    """The number of rows, and the sum of their digests, which is the same in any order."""

    rows: int = 0
    digests: int = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Count rows."""
        for row in rows:
            text = repr(tuple(row)).encode()
            digest = hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest()
            self.rows += 1
            self.digests += int.from_bytes(digest)


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
    return _cleaned([row[index] for index in range(len(table.columns))])


def _cleaned(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row without NUL characters, which PostgreSQL's texts can't contain."""
    return tuple(
        value.replace("\0", "") if isinstance(value, str) and "\0" in value else value
        for value in row
    )
