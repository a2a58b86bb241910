"""Two workers that share one PostgreSQL database, and what can happen to one of them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from bot.jobs.leases.heartbeat import Heartbeat
from bot.jobs.leases.shared_settings import digest_of
from storage.database import Database
from storage.workers.leases import Lease
from storage.workers.table import WorkerState, WorkerTable
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import CAPS, Bench
from tests.support.fakes.deliverer import FakeDeliverer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from storage.database import Row, Statement
    from tests.support.fakes.clock import Clock
    from tests.support.postgres import PostgresServer

KEY = b"the key of the tests"
SCHEMA = 41


class SharedDatabase(Database):
    """The database as one process sees it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sequence(self, *statements: Statement) -> Sequence[Sequence[Row]]:
        return await self._database.sequence(*statements)

    async def rows(self, sql: str, params: Mapping[str, Any]) -> Sequence[Row]:
        return await self._database.rows(sql, params)

    async def counting_row(self, sql: str, params: Mapping[str, Any]) -> Row | None:
        return await self._database.counting_row(sql, params)

    def wall(self) -> float:
        return self._database.wall()

    async def drain(self) -> None:
        await self._database.drain()

    async def clear_log(self) -> None:
        await self._database.clear_log()


class StoppableDatabase(SharedDatabase):
    """The database of a process that is stopped, as by SIGSTOP, before it learns of a commit.

    `stops_after`: a part of the counting statement after which the process is stopped.
    """

    def __init__(self, database: Database, *, stops_after: str) -> None:
        super().__init__(database)
        self.stopped, self.continued = asyncio.Event(), asyncio.Event()
        self._stops_after = stops_after

    async def counting_row(self, sql: str, params: Mapping[str, Any]) -> Row | None:
        row = await super().counting_row(sql, params)
        if self._stops_after in sql:
            self.stopped.set()
            await self.continued.wait()
        return row


class TimeIsUpError(Exception):
    """Ends a loop that would run as long as the process."""


class Workers:
    """The workers of one database. They share the provider and Discord, and one clock."""

    def __init__(self, database: Database, root: Path, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.backend, self.deliverer = FakeBackend(clock), FakeDeliverer()
        self.table = WorkerTable(database, clock=clock)
        self._root = root
        self._ends_at = 0.0

    async def beat_for(self, seconds: float, heartbeat: Heartbeat) -> None:
        """Let a heart beat for a time."""
        self._ends_at = self.clock.now + seconds
        with contextlib.suppress(TimeIsUpError):
            await heartbeat.run()

    async def _sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        if self.clock.now >= self._ends_at:
            raise TimeIsUpError

    async def start(
        self, name: str, *, database: Database | None = None, at_provider: int = 1000
    ) -> Bench:
        """Start a worker that has beaten once."""
        await self.heartbeat(name).beat()
        return Bench(
            database or self.database,
            self._root,
            clock=self.clock,
            backend=self.backend,
            deliverer=self.deliverer,
            caps=CAPS,
            at_provider=at_provider,
            lease=Lease(worker=name, clock=self.clock),
        )

    def heartbeat(
        self,
        name: str,
        *,
        database: Database | None = None,
        schema: int = SCHEMA,
        key: bytes = KEY,
        **settings: str,
    ) -> Heartbeat:
        state = WorkerState(
            id=name, schema=schema, digest=digest_of(settings, key=key), desk_since=None
        )
        table = WorkerTable(database or self.database, clock=self.clock)
        return Heartbeat(table, state, steady=self.clock.steady, sleep=self._sleep)

    async def beat(self, *names: str) -> None:
        for name in names:
            await self.heartbeat(name).beat()


@contextlib.asynccontextmanager
async def open_workers(
    postgres: PostgresServer, root: Path, clock: Clock
) -> AsyncGenerator[Workers]:
    async with postgres.open(root) as database:
        yield Workers(database, root, clock)
    await postgres.empty_databases()
