"""PostgresDatabase: runs statements on the connections of a pool."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import asyncpg

from storage.database import Database
from storage.postgres.errors import UNDONE, is_lost_connection, postgres_errors
from storage.postgres.statements import for_postgres, is_read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from storage.database import Row, Statement
    from storage.postgres.clock import DatabaseClock
    from storage.postgres.process_lock import ProcessLock
    from storage.postgres.vacuum import Vacuum

    Connection: TypeAlias = "asyncpg.Executor"

_Result = TypeVar("_Result")

# Pauses in seconds between attempts. They are long enough for a restart of the database.
_PAUSES = (0.1, 0.5, 2.0)

#: Runs before each counting statement. Within the counting statement, the lock would come too
#: late: the statement sees only what was committed before it began.
LOCK_COUNTS = "SELECT pg_advisory_xact_lock(hashtext('counts'), hashtext(current_schema()))"


class PostgresDatabase(Database):
    """Runs statements at the same time, each in a transaction of its own.

    If the connection is lost, a statement is repeated unless it may have changed something.
    """

    def __init__(
        self, pool: asyncpg.Pool, lock: ProcessLock, clock: DatabaseClock, vacuum: Vacuum
    ) -> None:
        self._pool = pool
        self._lock = lock
        self._clock = clock
        self._vacuum = vacuum
        self._running = set[asyncio.Task[Any]]()

    async def rows(self, sql: str, params: Mapping[str, Any]) -> Sequence[Row]:
        """Run one statement, and return all its rows."""
        work = partial(_fetch, sql=sql, params=params)
        return await self._run_uncancelled(self._run(work, is_repeatable=is_read(sql)))

    async def counting_row(self, sql: str, params: Mapping[str, Any]) -> Row | None:
        """Run one counting statement, after all earlier counting statements have been committed."""
        work = partial(_fetch_counting, sql=sql, params=params)
        rows = await self._run_uncancelled(self._run(work, is_repeatable=False))
        return rows[0] if rows else None

    async def sequence(self, *statements: Statement) -> Sequence[Sequence[Row]]:
        """Run statements in one transaction until one of them returns no row."""
        work = partial(_fetch_sequence, statements=statements)
        return await self._run_uncancelled(self._run(work, is_repeatable=False))

    def wall(self) -> float:
        """Return the time of the database's clock in Unix seconds."""
        return self._clock()

    async def drain(self) -> None:
        """Wait until all statements have been run."""
        while self._running:
            await asyncio.wait(self._running)

    async def clear_log(self) -> None:
        """Request that deleted rows be removed soon. The log is left to PostgreSQL's operator."""
        self._vacuum.request()

    async def _run_uncancelled(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a statement to its end, even if the caller is cancelled meanwhile."""
        task = asyncio.create_task(work, name="statement")
        self._running.add(task)
        task.add_done_callback(self._discard)
        return await asyncio.shield(task)

    def _discard(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may have been cancelled, and never ask for it

    async def _run(
        self, work: Callable[[Connection], Awaitable[_Result]], *, is_repeatable: bool
    ) -> _Result:
        with postgres_errors():
            for pause in _PAUSES:
                is_sent = False
                try:
                    self._lock.check()
                    async with self._pool.acquire() as connection:
                        is_sent = True
                        return await work(connection)
                except UNDONE:
                    pass
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                    if not is_lost_connection(error) or (is_sent and not is_repeatable):
                        raise
                await asyncio.sleep(pause)
            self._lock.check()
            async with self._pool.acquire() as connection:
                return await work(connection)


async def _fetch(connection: Connection, sql: str, params: Mapping[str, Any]) -> Sequence[Row]:
    query, values = for_postgres(sql, params)
    return await connection.fetch(query, *values)


async def _fetch_counting(
    connection: Connection, sql: str, params: Mapping[str, Any]
) -> Sequence[Row]:
    async with connection.transaction():
        await connection.execute(LOCK_COUNTS)
        return await _fetch(connection, sql, params)


async def _fetch_sequence(
    connection: Connection, statements: Sequence[Statement]
) -> Sequence[Sequence[Row]]:
    results: list[Sequence[Row]] = []
    async with connection.transaction():
        for sql, params in statements:
            results.append(await _fetch(connection, sql, params))
            if not results[-1]:
                break
    return results
