"""Measures the CPU time of one job's change while many jobs are open."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.events import EventBus
from bot.jobs.admission import Admission, new_job
from bot.jobs.queue import JobQueue
from bot.jobs.service import JobService
from bot.jobs.waits.holds import Holds
from bot.jobs.worker import Worker, make_lanes
from bot.model import JobState, VideoRequest
from bot.moderation.words import BlockedWords
from storage.database import open_database
from storage.jobs.caps import Caps
from storage.jobs.holds import HoldStore
from storage.jobs.inbox import Inbox
from storage.jobs.store import JobStore
from tests.support.fakes.clock import Clock
from tests.support.fakes.orders import origin

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job
    from storage.database import Database

_BACKEND = "openai"
_CHANGES = 100
_LATER = 24 * 60 * 60.0
_MANY = 1_000_000
# All are being generated, and none of them is due.
_FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs)
INSERT INTO jobs (
    id, state, next_at, created_at, updated_at, backend, prompt, model, seconds, size, fingerprint,
    interaction_id, application_id, user_id, channel_id, locale, token_until, upload_limit,
    message_id, remote_id, by_bot)
SELECT printf('%032x', n), 'generating', :later, :now, :now, :backend, 'p', 'm', 8, '1280x720',
    printf('%x', n), n, 1, n, 1, 'en', 0, 1, n, printf('video_%d', n), 1
FROM numbers
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenJobsResult:
    """The CPU milliseconds of one change, beside a number of open jobs."""

    jobs: int
    milliseconds: float


async def measure_open_jobs(folder: Path, jobs: int) -> OpenJobsResult:
    """Postpone one job again and again, with the workers of all lanes running."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    async with open_database(folder) as database:
        service, workers = _assemble(database, clock)
        await database.rows(
            _FILL,
            {"jobs": jobs, "later": clock() + _LATER, "now": clock(), "backend": _BACKEND},
        )
        job = await _generating_job(database, service, clock)
        tasks = [asyncio.create_task(worker.run(), name="worker") for worker in workers]
        await asyncio.sleep(0.5)
        before = time.process_time()
        for _ in range(_CHANGES):
            await service.postpone(job, after=_LATER)
            await asyncio.sleep(0.01)  # so that every lane reads the table anew
        spent = time.process_time() - before
        for worker in workers:
            await worker.stop(grace=0)
        await asyncio.gather(*tasks)
    return OpenJobsResult(jobs=jobs, milliseconds=spent / _CHANGES * 1000)


def _assemble(database: Database, clock: Clock) -> tuple[JobService, list[Worker]]:
    bus, store = EventBus(), JobStore(database)
    caps = Caps(open_per_user=_MANY, open_in_all=_MANY, per_day=_MANY)
    service = JobService(
        store,
        Inbox(database),
        bus,
        backend=_BACKEND,
        account="benchmark",
        admission=Admission(store, caps, BlockedWords(()), clock=clock),
        acknowledge_seconds=10.0,
        deadline_seconds=_LATER,
        clock=clock,
    )
    holds = Holds(HoldStore(database), service, bus, backend=_BACKEND, clock=clock)
    queue = JobQueue(store, backend=_BACKEND, clock=clock)
    lanes = make_lanes(dict.fromkeys(JobState, _no_step))
    workers = [Worker(service, queue, lane, holds=holds, jitter=lambda: 0.0) for lane in lanes]
    for worker in workers:
        bus.subscribe(worker.on_job_changed)
    return service, workers


async def _generating_job(database: Database, service: JobService, clock: Clock) -> Job:
    request = VideoRequest(prompt="p", model="m", seconds=8, size="1280x720")
    job = new_job(request, origin(), None, backend=_BACKEND, now=clock(), next_at=clock() + _LATER)
    await database.rows(
        _FILL.replace("SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs", "SELECT 0"),
        {"later": clock() + _LATER, "now": clock(), "backend": _BACKEND},
    )
    found = await service.get("0" * 32)
    if found is None:
        raise LookupError(job.id)
    return found


async def _no_step(job: Job) -> None:
    raise NotImplementedError(job.id)
