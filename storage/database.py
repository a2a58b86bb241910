"""The interface of the database, and the function that opens the configured database."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
    from pathlib import Path

Statement: TypeAlias = "tuple[str, Mapping[str, Any]]"

NO_DRIVER = "PostgreSQL needs a library that is not installed; run make scale"

#: The folder of an SQLite database, or the URL of a PostgreSQL database.
Source: TypeAlias = "Path | str"


class Row(Protocol):
    """A row, whose values are read by the names of the columns or by their positions."""

    def __getitem__(self, key: str | int, /) -> Any:  # noqa: ANN401 - the database's values
        """Return the value of a column."""
        ...

    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""
        ...


class Database(Protocol):
    """Runs statements, and returns the result of each only once it is committed.

    A statement is run even if its caller is cancelled meanwhile.
    Every method raises StorageError if the database fails.
    """

    async def rows(self, sql: str, params: Mapping[str, Any]) -> Sequence[Row]:
        """Run one statement, and return all its rows."""
        ...

    async def row(self, sql: str, params: Mapping[str, Any]) -> Row | None:
        """Run one statement, and return its first row, or None if it returns no row."""
        rows = await self.rows(sql, params)
        return rows[0] if rows else None

    async def counting_row(self, sql: str, params: Mapping[str, Any]) -> Row | None:
        """Run one statement that counts rows, and writes only if there are not too many.

        No two of these statements run at the same time, so each counts the rows that the others
        have written.
        """
        ...

    async def sequence(self, *statements: Statement) -> Sequence[Sequence[Row]]:
        """Run statements in one transaction until one of them returns no row.

        Returns the rows of each statement that was run. If a statement fails, all statements are
        undone.
        """
        ...

    def wall(self) -> float:
        """Return the time of the clock that all processes on this database use, in Unix seconds."""
        ...

    async def drain(self) -> None:
        """Wait until all statements have been run."""
        ...

    async def clear_log(self) -> None:
        """Remove deleted content from the log of the database, if the bot writes that log."""
        ...


@asynccontextmanager
async def open_database(source: Source, *, is_shared: bool = False) -> AsyncGenerator[Database]:
    """Open the database, migrate it to the current schema, and close it after the `with` block.

    The folder of an SQLite database must exist.
    `is_shared`: whether other processes that also set `is_shared` may have the database open too.
    Only a PostgreSQL database can be shared.
    Raises DataInUseError if another process has the database open.
    Raises StartupError if the operator has to change something.
    Raises StorageError if the migration fails.
    """
    # The implementations are imported here and not above, because they import this module, and
    # because only PostgreSQL needs asyncpg.
    if isinstance(source, str):
        try:
            from storage.postgres.opening import open_postgres  # noqa: PLC0415
        except ImportError as error:
            raise StartupError(f"DATABASE_URL: {NO_DRIVER}.") from error

        async with open_postgres(source, is_shared=is_shared) as database:
            yield database
    else:
        from storage.sqlite.opening import open_sqlite  # noqa: PLC0415

        async with open_sqlite(source) as database:
            yield database
