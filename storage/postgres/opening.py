"""Opens a PostgreSQL database, and closes it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import asyncpg

from bot.errors import StartupError
from storage.postgres.clock import DatabaseClock
from storage.postgres.database import PostgresDatabase
from storage.postgres.errors import postgres_errors
from storage.postgres.process_lock import ProcessLock
from storage.postgres.schema import migrate
from storage.postgres.vacuum import Vacuum

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

_MAX_CONNECTIONS = 12
_CONNECT_SECONDS = 10.0
_STATEMENT_SECONDS = 60.0
_MIN_VERSION = 140_000

#: The settings of each connection.
SESSION = {
    "application_name": "clapper",
    "jit": "off",
    # A plan for any values would read whole tables where few rows are wanted.
    "plan_cache_mode": "force_custom_plan",
    # The default is for disks that have to move a head from page to page.
    "random_page_cost": "1.1",
    # A connection whose machine is lost is closed, and its lock is released.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# A process that is stopped within a transaction would otherwise keep its locks, and all other
# processes would wait for it.
_TRANSACTIONS = {"idle_in_transaction_session_timeout": "5000"}
_NO_SETTINGS: Mapping[str, str] = {}
_SETUP = """
SELECT current_setting('server_encoding') AS encoding,
    CAST(current_setting('server_version_num') AS INTEGER) AS version,
    -- A commit that is lost in a crash could mean that a video is paid for twice.
    CASE WHEN current_setting('synchronous_commit') = 'off'
        THEN set_config('synchronous_commit', 'on', false) END AS commits
"""


@asynccontextmanager
async def open_postgres(url: str, *, is_shared: bool = False) -> AsyncGenerator[PostgresDatabase]:
    """Open the database at `url`, migrate it to the current schema, and close it after the block.

    `is_shared`: whether other processes that also set `is_shared` may have the database open too.

    Raises DataInUseError if another process has the database open.
    Raises StartupError if the operator has to change something.
    Raises StorageError if the migration fails.
    """
    lock = ProcessLock(partial(connect, url), is_shared=is_shared)
    try:
        await lock.take()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StartupError(
            f"DATABASE_URL: the database can't be opened ({_without_url(error, url)}); check the "
            "address, the name and the password, and that PostgreSQL runs."
        ) from None
    try:
        async with _pool(url) as pool:
            clock = DatabaseClock(pool)
            with postgres_errors():
                async with pool.acquire() as connection:
                    await migrate(connection)
                await clock.measure()
            vacuum = Vacuum(pool)
            running = (
                asyncio.create_task(clock.run(), name="database clock"),
                asyncio.create_task(vacuum.run(), name="database vacuum"),
            )
            database = PostgresDatabase(pool, lock, clock, vacuum)
            try:
                yield database
            finally:
                for task in running:
                    task.cancel()
                await asyncio.shield(database.drain())
    finally:
        await asyncio.shield(lock.release())


@asynccontextmanager
async def _pool(url: str) -> AsyncGenerator[asyncpg.Pool]:
    pool = asyncpg.create_pool(
        url,
        min_size=1,
        max_size=_MAX_CONNECTIONS,
        timeout=_CONNECT_SECONDS,
        command_timeout=_STATEMENT_SECONDS,
        statement_cache_size=400,
        server_settings=SESSION | _TRANSACTIONS,
        init=_set_up,
        reset=_keep,
    )
    with postgres_errors():
        await pool
    try:
        yield pool
    finally:
        await asyncio.shield(pool.close())


async def connect(url: str, settings: Mapping[str, str] = _NO_SETTINGS) -> asyncpg.Connection:
    """Open a connection outside of the pool. `settings`: settings of its session."""
    session = {**SESSION, **settings}
    return await asyncpg.connect(url, timeout=_CONNECT_SECONDS, server_settings=session)


async def _set_up(connection: asyncpg.Connection) -> None:
    row = await connection.fetchrow(_SETUP)
    if row is None or row["encoding"] != "UTF8" or row["version"] < _MIN_VERSION:
        raise StartupError(
            "DATABASE_URL: Clapper needs PostgreSQL 14 or newer, and a database with the encoding "
            "UTF8; create one with these."
        )
    await connection.set_type_codec(
        "numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text"
    )


async def _keep(_connection: object) -> None:
    # The statements leave nothing in a session that would have to be reset.
    pass


def _number(text: str) -> float:
    """Convert a sum to the type that SQLite returns. PostgreSQL returns a decimal number."""
    return float(text) if "." in text else int(text)


def _without_url(error: Exception, url: str) -> str:
    """Return the message of an error. The URL, which has a password, is left out."""
    return str(error).replace(url, "...") or type(error).__name__
