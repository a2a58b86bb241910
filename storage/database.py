"""The one SQLite connection of the process, locked against a second process."""

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

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

log = logging.getLogger(__name__)

# Before it, two connections in WAL mode could corrupt the file; we hold one.
_WAL_RESET_FIXED = (3, 51, 3)

_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA busy_timeout = 5000;
PRAGMA secure_delete = ON;
"""


class Database:
    """A connection in autocommit mode: each statement is a transaction of its own."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[sqlite3.Row]:
        """Run one statement and return all its rows."""
        return list(await self._connection.execute_fetchall(sql, params))

    async def row(self, sql: str, params: Mapping[str, Any]) -> sqlite3.Row | None:
        """Run one statement and return its first row."""
        rows = await self.rows(sql, params)
        return rows[0] if rows else None

    async def empty_log(self) -> None:
        """Write the log of changes into the file, and cut it to nothing: what was in it is gone.

        While somebody else reads the file, for instance `doctor`, the log stays.
        """
        row = await self.row("PRAGMA wal_checkpoint(TRUNCATE)", {})
        if row is None or row["busy"]:
            log.info("database.log_busy")


def fold(text: str) -> str:
    """Return a text so that capitals, widths and accents written otherwise make no difference.

    In SQL it is `fold(column)`: LIKE knows capitals of English alone.
    """
    return unicodedata.normalize("NFKC", text).casefold()


def make_folder(folder: Path) -> None:
    """Make a folder, and those that lead to it, for this user alone; what is there stays as it is.

    OSError: it can't be made (blocking).
    """
    for missing in reversed([path for path in folder.parents if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


@asynccontextmanager
async def open_database(data_dir: Path) -> AsyncGenerator[Database]:
    """Open `clapper.db`, bring it up to date, and close it at the end.

    StartupError: another process has it, the folder can't be written, or the file is no database.
    """
    path = data_dir / "clapper.db"
    with _exclusive(data_dir):
        await asyncio.to_thread(_make_private, path)
        await asyncio.to_thread(_try_to_open, path)
        connection = await aiosqlite.connect(path, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            await connection.executescript(_PRAGMAS)
            await connection.create_function(  # pyright: ignore[reportUnknownMemberType] - its function is untyped
                "fold", 1, fold, deterministic=True
            )
            await _migrate(connection)
            _warn_about_old_sqlite()
            yield Database(connection)
        finally:
            # An open connection's thread would keep the interpreter from ending.
            await asyncio.shield(connection.close())


@contextmanager
def _exclusive(data_dir: Path) -> Generator[None]:
    try:
        make_folder(data_dir)
        handle = (data_dir / "clapper.lock").open("a")
    except OSError as error:
        raise StartupError(
            f"DATA_DIR: {data_dir} can't be written ({error.strerror}); name a folder that can."
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartupError(
                f"Another Clapper is running on DATA_DIR={data_dir}: "
                "stop it, or give this one a folder of its own."
            ) from error
        yield


def _make_private(path: Path) -> None:
    # It holds prompts, and the folder may be open to all. SQLite gives the same mode to its log.
    try:
        path.touch(mode=0o600)
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            file = path.with_name(name)
            if file.is_file() and file.stat().st_mode & 0o077:
                file.chmod(0o600)
    except OSError as error:
        log.warning("database.not_private error=%r", error.strerror)


def _try_to_open(path: Path) -> None:
    # By itself, because a connect that fails leaves aiosqlite's thread without a loop to tell.
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(_PRAGMAS)
    except sqlite3.DatabaseError as error:
        raise StartupError(
            f"DATA_DIR: {path} can't be used ({error}); restore it, or name another folder."
        ) from error


async def _migrate(connection: aiosqlite.Connection) -> None:
    rows = list(await connection.execute_fetchall("PRAGMA user_version"))
    done: int = rows[0][0]
    scripts = await asyncio.to_thread(_migrations)
    if done > len(scripts):
        raise StartupError(
            f"DATA_DIR: the database is of a newer Clapper (schema {done}, this one knows "
            f"{len(scripts)}): start that one again."
        )
    if done == len(scripts):
        return
    # A script may make a table anew: what refers to it must outlive that.
    await connection.execute("PRAGMA foreign_keys = OFF")
    # All in one, so that schema and number change together or not at all.
    pending = "\n".join(scripts[done:])
    await connection.executescript(
        f"BEGIN IMMEDIATE;\n{pending}\nPRAGMA user_version = {len(scripts)};\nCOMMIT;"
    )
    log.info("database.migrated schema=%d", len(scripts))
    await connection.execute("PRAGMA foreign_keys = ON")


def _migrations() -> list[str]:
    folder = Path(__file__).parent / "migrations"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("[0-9]*.sql"))]


def _warn_about_old_sqlite() -> None:
    if sqlite3.sqlite_version_info < _WAL_RESET_FIXED:
        log.warning(
            "database.old_sqlite version=%s advice='leave %s alone while the bot runs'",
            sqlite3.sqlite_version,
            "clapper.db",
        )
