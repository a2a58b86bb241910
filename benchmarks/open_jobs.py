"""Measures the CPU time of one job's change while many jobs are open."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from bot.events import EventBus
from bot.jobs.admission import Admission
from bot.jobs.changes.publisher import ChangePublisher
from bot.jobs.changes.webhook_receiver import WebhookReceiver
from bot.jobs.costs.budgeting import Budgeting
from bot.jobs.costs.calendar import Calendar
from bot.jobs.costs.payers import Payers
from bot.jobs.costs.prices import Prices
from bot.jobs.queue import JobQueue
from bot.jobs.service import JobService
from bot.jobs.waits.capacity import ProviderCapacity
from bot.jobs.waits.holds import Holds
from bot.jobs.waits.step_retries import StepRetries
from bot.jobs.worker import Worker, make_lanes
from bot.model import JobState
from bot.moderation.access.gate import Gate
from bot.moderation.access.place import Reach
from bot.moderation.words import BlockedWords
from bot.presets import ClipLengths
from storage.access.settings import AccessSettingsStore
from storage.database import open_database
from storage.jobs.caps import Caps, CapStore
from storage.jobs.holds import HoldStore
from storage.jobs.inbox import Inbox
from storage.jobs.queue.claims import QueueStore
from storage.jobs.queue.due_jobs import DueJobStore
from storage.jobs.store import JobStore
from storage.ledger.budgets import Budgets, LedgerStore
from storage.ledger.notices import BudgetNoticeStore
from tests.support.fakes.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job
    from storage.database import Database

_BACKEND = "openai"
_CHANGES = 100
_LATER = 24 * 60 * 60.0
_MANY = 1_000_000
# All of these jobs are being generated, and none of them is due.
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
    """The CPU milliseconds of one change while a number of jobs are open."""

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
        job = await _any_job(service)
        tasks = [asyncio.create_task(worker.run(), name="worker") for worker in workers]
        await asyncio.sleep(0.5)
        before = time.process_time()
        for _ in range(_CHANGES):
            await service.postpone(job, after=_LATER)
            await asyncio.sleep(0.01)  # until every lane has read the table again
        spent = time.process_time() - before
        for worker in workers:
            await worker.stop(grace=0)
        await asyncio.gather(*tasks)
    return OpenJobsResult(jobs=jobs, milliseconds=spent / _CHANGES * 1000)


def _assemble(database: Database, clock: Clock) -> tuple[JobService, list[Worker]]:
    bus, store, ledger = EventBus(), JobStore(database), LedgerStore(database)
    access = AccessSettingsStore(database)
    caps = Caps(open_per_user=_MANY, open_in_all=_MANY, per_day=_MANY)
    changes = ChangePublisher(bus)
    service = JobService(
        store,
        changes,
        WebhookReceiver(store, Inbox(database), changes, clock=clock),
        backend=_BACKEND,
        account="benchmark",
        admission=Admission(
            CapStore(database),
            caps,
            BlockedWords(()),
            gate=Gate(Reach(), access, clock=clock),
            clock=clock,
        ),
        budgeting=Budgeting(
            ledger,
            Payers(ledger),
            Calendar(UTC),
            BudgetNoticeStore(database),
            prices=Prices(),
            lengths=ClipLengths(usual=8),
            budgets=Budgets(),
            clock=clock,
        ),
        acknowledge_seconds=10.0,
        deadline_seconds=_LATER,
        clock=clock,
    )
    holds = Holds(HoldStore(database), service, bus, backend=_BACKEND, clock=clock)
    queued = QueueStore(database, backend=_BACKEND)
    capacity = ProviderCapacity(queued, limit=_MANY, clock=clock)
    due = DueJobStore(database, backend=_BACKEND)
    queue = JobQueue(due, queued, capacity, access, clock=clock)
    lanes = make_lanes(dict.fromkeys(JobState, _no_step))
    retries = StepRetries(service, holds, jitter=lambda: 0.0)
    workers = [Worker(queue, lane, retries) for lane in lanes]
    for worker in workers:
        bus.subscribe(worker.on_job_changed)
    return service, workers


async def _any_job(service: JobService) -> Job:
    job = await service.get(f"{1:032x}")
    if job is None:
        raise LookupError("no job was inserted")
    return job


async def _no_step(job: Job) -> None:
    """Fail, because no job of this benchmark is ever due."""
    raise AssertionError(job.id)
