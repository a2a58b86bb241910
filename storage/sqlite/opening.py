"""Opens the process's only SQLite connection, and migrates the file."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import aiosqlite

from bot.errors import StartupError
from storage.errors import storage_errors
from storage.files.data_folder import exclusive
from storage.jobs.rows import fold
from storage.sqlite.database import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

log = logging.getLogger(__name__)

# Before this version of SQLite, two connections in WAL mode can corrupt the file. Therefore the bot
# opens only one.
_WAL_RESET_FIXED = (3, 51, 3)

_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA busy_timeout = 5000;
PRAGMA secure_delete = ON;
"""

# The only migration that is partly written in Python.
_ADDS_FOLDED_PROMPTS = "ADD COLUMN prompt_folded"
_SOME_PROMPTS = "SELECT id, prompt FROM jobs WHERE id > :last ORDER BY id LIMIT 1000"
_SET_FOLDED_PROMPT = "UPDATE jobs SET prompt_folded = :folded WHERE id = :id"


@asynccontextmanager
async def open_sqlite(data_dir: Path) -> AsyncGenerator[SqliteDatabase]:
    """Open `clapper.db`, migrate it to the current schema, and close it after the `with` block.

    The folder must exist.
    Raises DataInUseError if another process has the database open.
    Raises StartupError if the folder is not writable, or if the file is not a database.
    Raises StorageError if the migration fails.
    """
    path = data_dir / "clapper.db"
    with exclusive(data_dir):
        await asyncio.to_thread(_make_private, path)
        await asyncio.to_thread(_check_opens, path)
        connection = await aiosqlite.connect(path, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            with storage_errors():
                await connection.executescript(_PRAGMAS)
                await _migrate(connection)
            _log_old_sqlite()
            database = SqliteDatabase(connection)
            try:
                yield database
            finally:
                await asyncio.shield(database.drain())
        finally:
            # If the connection stayed open, its thread would prevent the interpreter from exiting.
            await asyncio.shield(connection.close())


def _make_private(path: Path) -> None:
    # No other user may read the database, because it contains prompts. Other users may be able
    # to read its folder. SQLite creates the WAL with the same mode as the database.
    try:
        path.touch(mode=0o600)
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            file = path.with_name(name)
            if file.is_file() and file.stat().st_mode & 0o077:
                file.chmod(0o600)
    except OSError as error:
        log.warning("database.not_private error=%r", error.strerror)


def _check_opens(path: Path) -> None:
    # The check uses sqlite3, because aiosqlite's thread would keep running after a failed
    # connection.
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
    # A script may drop and recreate a table. With foreign keys on, that would also delete the rows
    # of other tables that refer to it.
    await connection.execute("PRAGMA foreign_keys = OFF")
    # All scripts run in one transaction, so that the schema never changes without its number.
    pending = "\n".join(scripts[version:])
    await connection.executescript(f"BEGIN IMMEDIATE;\n{pending}")
    if _ADDS_FOLDED_PROMPTS in pending:
        await _fold_prompts(connection)
    await connection.execute(f"PRAGMA user_version = {len(scripts)}")
    await connection.execute("COMMIT")
    log.info("database.migrated schema=%d", len(scripts))
    await connection.execute("PRAGMA foreign_keys = ON")


async def _fold_prompts(connection: aiosqlite.Connection) -> None:
    """Store the folded prompts of all jobs, in batches."""
    last = ""
    while rows := list(await connection.execute_fetchall(_SOME_PROMPTS, {"last": last})):
        folded = [{"id": row["id"], "folded": fold(row["prompt"])} for row in rows]
        await connection.executemany(_SET_FOLDED_PROMPT, folded)
        last = rows[-1]["id"]


def _migrations() -> list[str]:
    folder = Path(__file__).parents[1] / "migrations"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("[0-9]*.sql"))]


def _log_old_sqlite() -> None:
    if sqlite3.sqlite_version_info < _WAL_RESET_FIXED:
        log.info(
            "database.old_sqlite version=%s advice='nothing has to be done, but open clapper.db"
            " with no other program while the bot runs'",
            sqlite3.sqlite_version,
        )
