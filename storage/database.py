"""Opens the process's only SQLite connection, and locks out a second process."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import sqlite3
import unicodedata
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosqlite

from bot.errors import StartupError
from storage.connection.statement_groups import StatementGroups
from storage.errors import storage_errors

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

log = logging.getLogger(__name__)

# In earlier versions, two connections in WAL mode can corrupt the file, so the bot opens only one.
_WAL_RESET_FIXED = (3, 51, 3)

_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA busy_timeout = 5000;
PRAGMA secure_delete = ON;
"""


class DataInUseError(StartupError):
    """Another process has the database open."""


class Database:
    """A connection on which a statement is answered when it is committed."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._statements = StatementGroups(connection)

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[sqlite3.Row]:
        """Run one statement and return all its rows; StorageError: it failed."""
        with storage_errors():
            return await self._statements.rows(sql, params)

    async def row(self, sql: str, params: Mapping[str, Any]) -> sqlite3.Row | None:
        """Run one statement and return its first row."""
        rows = await self.rows(sql, params)
        return rows[0] if rows else None

    async def drain(self) -> None:
        """Wait until no statement is waiting."""
        await self._statements.drain()

    async def truncate_wal(self) -> None:
        """Write the WAL into the database, and truncate it so that no deleted content remains.

        If another process, such as `doctor`, is reading the database, the WAL is kept.
        """
        row = await self.row("PRAGMA wal_checkpoint(TRUNCATE)", {})
        if row is None or row["busy"]:
            log.info("database.log_busy")


def fold(text: str) -> str:
    """Normalise a text for a search that ignores case, width and the encoding of accents.

    SQL statements call it as `fold(column)`, because LIKE ignores case only in ASCII letters.
    """
    return unicodedata.normalize("NFKC", text).casefold()


def make_folder(folder: Path) -> None:
    """Create a folder and its parents with access for this user only; existing ones are unchanged.

    Blocks. OSError: the folder can't be created.
    """
    for missing in reversed([path for path in folder.parents if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


@asynccontextmanager
async def open_database(data_dir: Path) -> AsyncGenerator[Database]:
    """Open `clapper.db`, migrate it to the current schema, and close it after the block.

    DataInUseError: another process has it open. StartupError: the folder is not writable, or the
    file is not a database. StorageError: the migration failed.
    """
    path = data_dir / "clapper.db"
    with _exclusive(data_dir):
        await asyncio.to_thread(_make_private, path)
        await asyncio.to_thread(_check_opens, path)
        connection = await aiosqlite.connect(path, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            with storage_errors():
                await connection.executescript(_PRAGMAS)
                await connection.create_function(  # pyright: ignore[reportUnknownMemberType] - its function is untyped
                    "fold", 1, fold, deterministic=True
                )
                await _migrate(connection)
            _log_old_sqlite()
            database = Database(connection)
            try:
                yield database
            finally:
                await asyncio.shield(database.drain())
        finally:
            # If the connection stayed open, its thread would keep the interpreter from exiting.
            await asyncio.shield(connection.close())


@contextmanager
def _exclusive(data_dir: Path) -> Generator[None]:
    try:
        make_folder(data_dir)
        handle = (data_dir / "clapper.lock").open("a")
    except OSError as error:
        raise StartupError(
            f"DATA_DIR: {data_dir} is not writable ({error.strerror}); name another folder."
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataInUseError(
                f"Another Clapper is running with DATA_DIR={data_dir}: "
                "stop it, or give this one another folder."
            ) from error
        yield


def _make_private(path: Path) -> None:
    # The database contains prompts, and other users may be able to read its folder. SQLite creates
    # the WAL with the same mode as the database.
    try:
        path.touch(mode=0o600)
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            file = path.with_name(name)
            if file.is_file() and file.stat().st_mode & 0o077:
                file.chmod(0o600)
    except OSError as error:
        log.warning("database.not_private error=%r", error.strerror)


def _check_opens(path: Path) -> None:
    # Uses sqlite3, because aiosqlite's thread would keep running after a failed connect.
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(_PRAGMAS)
    except sqlite3.DatabaseError as error:
        raise StartupError(
            f"DATA_DIR: {path} can't be used ({error}); restore a backup, or name another folder."
        ) from error


async def _migrate(connection: aiosqlite.Connection) -> None:
    rows = list(await connection.execute_fetchall("PRAGMA user_version"))
    version: int = rows[0][0]
    scripts = await asyncio.to_thread(_migrations)
    if version > len(scripts):
        raise StartupError(
            f"DATA_DIR: the database is from a newer Clapper (schema {version}, this one supports "
            f"{len(scripts)}): start the newer one again."
        )
    if version == len(scripts):
        return
    # A script may recreate a table, which must not delete the rows that refer to the old table.
    await connection.execute("PRAGMA foreign_keys = OFF")
    # All scripts run in one transaction, so that the schema and its number change together or not
    # at all.
    pending = "\n".join(scripts[version:])
    await connection.executescript(
        f"BEGIN IMMEDIATE;\n{pending}\nPRAGMA user_version = {len(scripts)};\nCOMMIT;"
    )
    log.info("database.migrated schema=%d", len(scripts))
    await connection.execute("PRAGMA foreign_keys = ON")


def _migrations() -> list[str]:
    folder = Path(__file__).parent / "migrations"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("[0-9]*.sql"))]


def _log_old_sqlite() -> None:
    if sqlite3.sqlite_version_info < _WAL_RESET_FIXED:
        log.info(
            "database.old_sqlite version=%s advice='nothing has to be done, but open clapper.db"
            " with no other program while the bot runs'",
            sqlite3.sqlite_version,
        )
