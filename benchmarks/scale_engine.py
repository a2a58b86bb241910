"""An engine in a process of its own, whose steps do nothing but move their jobs.

`python -m benchmarks.scale_engine SOURCE NAME`: SOURCE is a folder or the URL of a PostgreSQL
database, NAME the engine's name if it shares the database with others, or `-`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bot.backends.base import BackendUpdate, RemoteState
from bot.jobs.worker import Lane, make_lanes
from bot.model import JobState
from bot.pacing import WatchedClock, seconds_since_boot
from storage.database import open_database
from storage.workers.leases import Lease, alone
from storage.workers.table import WorkerState, WorkerTable
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import CAPS, Bench
from tests.support.fakes.deliverer import FakeDeliverer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.model import Job
    from storage.database import Database, Source
    from tests.support.fakes.clock import Clock

_FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs)
INSERT INTO jobs (id, state, next_at, created_at, updated_at, backend, prompt, seconds, size,
    fingerprint, interaction_id, application_id, user_id, guild_id, channel_id, locale,
    token_until, upload_limit, message_id)
SELECT '5ca1e' || substr('000000000000000000000000000', 1, 27 - length(CAST(n AS TEXT)))
        || CAST(n AS TEXT),
    'received', CAST(:now AS DOUBLE PRECISION), CAST(:now AS DOUBLE PRECISION),
    CAST(:now AS DOUBLE PRECISION), 'fake', 'a cat', 8, '1280x720',
    'fingerprint ' || CAST(n AS TEXT), n, 1, n % 100 + 1, n % 20 + 1, 1, 'en',
    CAST(:now AS DOUBLE PRECISION), 1, n
FROM numbers
"""
_OPEN = "SELECT count(*) AS n FROM jobs WHERE state <> 'succeeded'"
_LOOK_SECONDS = 0.25
_NEXT = {
    JobState.RECEIVED: JobState.QUEUED,
    JobState.GENERATING: JobState.DOWNLOADING,
    JobState.DOWNLOADING: JobState.MERGING,
    JobState.MERGING: JobState.DELIVERING,
    JobState.DELIVERING: JobState.NOTIFYING,
    JobState.NOTIFYING: JobState.SUCCEEDED,
}


class _MachineClock(WatchedClock):
    """The real clock, with the method that the tests' clock has too."""

    async def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        await asyncio.sleep(seconds)


def make_bench(database: Database, root: Path, *, name: str | None) -> Bench:
    """Assemble an engine on a database. `name`: its name among others, or None if it is alone."""
    clock = _MachineClock(wall=database.wall, steady=seconds_since_boot)
    as_fake = cast("Clock", clock)
    return Bench(
        database,
        root,
        clock=as_fake,
        backend=FakeBackend(as_fake),
        deliverer=FakeDeliverer(),
        caps=CAPS,
        at_provider=10**6,
        lease=Lease(worker=name, clock=clock) if name else alone(),
    )


async def fill_jobs(database: Database, count: int) -> list[str]:
    """Store new jobs, and return their ids."""
    await database.rows(_FILL, {"jobs": count, "now": time.time() - 60})
    return [f"5ca1e{number:027}" for number in range(1, count + 1)]


def empty_steps(bench: Bench) -> Mapping[JobState, Callable[[Job], Awaitable[None]]]:
    """Return steps that only move their job to its next state, as the real ones do at their end."""

    async def move(job: Job) -> None:
        await bench.jobs.move(job, _NEXT[job.state])

    async def submit(job: Job) -> None:
        if (submitting := await bench.jobs.begin_submit(job)) is not None:
            update = BackendUpdate(ref=f"video_{job.id}", state=RemoteState.DONE)
            await bench.jobs.bind(submitting, update, after=0)

    return {state: submit if state is JobState.QUEUED else move for state in JobState}


async def _run(source: Source, name: str | None) -> None:
    root = source if isinstance(source, Path) else Path.cwd()
    async with open_database(source, is_shared=name is not None) as database:
        bench = make_bench(database, root, name=name)
        lanes: tuple[Lane, ...] = make_lanes(empty_steps(bench))
        workers = [bench.worker(lane) for lane in lanes]
        for worker in workers:
            bench.bus.subscribe(worker.on_job_changed)
        if name:
            await _beat(database, name)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        before = time.process_time()
        running = [asyncio.create_task(worker.run(), name=worker.name) for worker in workers]
        while await _open_jobs(database):
            if name:
                await _beat(database, name)
            await asyncio.sleep(_LOOK_SECONDS)
        ended_at = time.time()
        for worker in workers:
            await worker.stop(grace=10)
        await asyncio.gather(*running)
    moved = sum(change.job.state is JobState.SUCCEEDED for change in bench.changes)
    cpu = time.process_time() - before
    sys.stdout.write(f"{json.dumps({'ended_at': ended_at, 'cpu': cpu, 'jobs': moved})}\n")


async def _open_jobs(database: Database) -> int:
    row = await database.row(_OPEN, {})
    return row["n"] if row else 0


async def _beat(database: Database, name: str) -> None:
    table = WorkerTable(database, clock=database.wall)
    await table.beat(WorkerState(id=name, schema=0, digest="", desk_since=None))


if __name__ == "__main__":
    given, called = sys.argv[1:]
    chosen = given if "://" in given else Path(given)
    asyncio.run(_run(chosen, None if called == "-" else called))
