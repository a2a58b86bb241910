"""Measures the wall time of claims, starts and places while many jobs are queued."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from bot.jobs.queue import JobQueue
from bot.jobs.waits.capacity import ProviderCapacity
from bot.model import JobState
from storage.access.settings import AccessSettingsStore
from storage.database import open_database
from storage.jobs.queue.claims import QueueStore
from storage.jobs.queue.due_jobs import DueJobStore
from storage.jobs.queue.places import QueuePlaces
from storage.jobs.store import JobStore
from tests.support.fakes.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bot.model import Job
    from storage.database import Database

_T = TypeVar("_T")

_BACKEND = "openai"
_TURNS = 200
_MANY = 1_000_000
_PEOPLE, _SERVERS = 3_000, 100
_FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs)
INSERT INTO jobs (
    id, state, next_at, created_at, updated_at, backend, prompt, model, seconds, size, fingerprint,
    interaction_id, application_id, user_id, guild_id, channel_id, locale, token_until,
    upload_limit, message_id, by_bot)
SELECT printf('%032x', n), 'queued', :now - :jobs + n, :now - :jobs + n, :now, :backend, 'p', 'm',
    8, '1280x720', printf('%x', n), n, 1, n % :people, n % :servers, 1, 'en', 0, 1, n, 1
FROM numbers
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedJobsResult:
    """The median milliseconds of each step while a number of jobs are queued.

    `start`: the commit before the POST, which waits for the disk.
    """

    jobs: int
    claim: float
    slowest_claim: float
    start: float
    place: float
    all_places: float


async def measure_queued_jobs(folder: Path, jobs: int) -> QueuedJobsResult:
    """Claim and start jobs of many people on many servers, and read places in between."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    async with open_database(folder) as database:
        await _fill(database, jobs, now=clock())
        store, queued = JobStore(database), QueueStore(database, backend=_BACKEND)
        capacity = ProviderCapacity(queued, limit=_MANY, clock=clock)
        access = AccessSettingsStore(database)
        due = DueJobStore(database, backend=_BACKEND)
        queue = JobQueue(due, queued, capacity, access, clock=clock)
        places = QueuePlaces(database)
        claims, starts, ranks, lists = list[float](), list[float](), list[float](), list[float]()
        for _ in range(min(_TURNS, jobs)):
            [job] = await _timed(claims, lambda: _claim(queue))
            await _timed(ranks, lambda job=job: places.of(job))
            await _timed(starts, lambda job=job: _start(store, job, clock()))
        for _ in range(5):
            await _timed(lists, places.first)
    return QueuedJobsResult(
        jobs=jobs,
        claim=median(claims),
        slowest_claim=max(claims),
        start=median(starts),
        place=median(ranks),
        all_places=median(lists),
    )


async def _fill(database: Database, jobs: int, *, now: float) -> None:
    spread = {"people": _PEOPLE, "servers": _SERVERS}
    await database.rows(_FILL, {"jobs": jobs, "now": now, "backend": _BACKEND, **spread})


async def _claim(queue: JobQueue) -> list[Job]:
    return await queue.claim((JobState.QUEUED,), running=(), limit=1)


async def _start(store: JobStore, job: Job, now: float) -> Job | None:
    return await store.begin_submit(
        job, shows_length=True, backend=_BACKEND, account="benchmark", create_key=job.id, now=now
    )


async def _timed(times: list[float], step: Callable[[], Awaitable[_T]]) -> _T:
    before = time.perf_counter()
    result = await step()
    times.append((time.perf_counter() - before) * 1000)
    return result
