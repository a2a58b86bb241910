"""Everything that a database stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.database import Database


async def rows_of(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each table of an SQLite database."""
    tables = await database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'", {})
    return {
        name: [tuple(row) for row in await database.rows(f"SELECT * FROM {name}", {})]  # noqa: S608 - a table
        for (name,) in tables
    }
