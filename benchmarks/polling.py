"""Measures the polling of many jobs at a provider with a list: by the list, and each by itself.

The provider is a separate process. The bot's polling components are assembled as in the bot.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.environment import ROOT
from bot.errors import DeliveryError
from bot.runtime.adapters import open_backend
from bot.runtime.engine import open_engine
from bot.runtime.resources import open_resources
from bot.runtime.workers import make_list_polling, make_workers
from bot.settings.fields import load_settings
from tests.support.providers.videos_api import VideosApi
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path
    from typing import NoReturn

    from bot.artifacts import Artifact, Handover
    from bot.model import Job
    from bot.runtime.engine import Engine
    from storage.database import Database

_PROMPT = "a prompt of about a hundred characters, because people describe what a video should show"
_SECONDS = 30.0
PROGRESS = 50  # the percentage that the provider reports for all jobs
_TIMEOUT = 120.0
_DAY = 24 * 60 * 60.0
# All of these jobs were last polled before a downtime of a minute.
_FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs)
INSERT INTO jobs (
    id, state, next_at, created_at, updated_at, backend, prompt, model, seconds, size, fingerprint,
    interaction_id, application_id, user_id, channel_id, locale, token_until, upload_limit,
    message_id, by_bot, remote_id, remote_made_at, generating_at, deadline_at, attempts, progress)
SELECT printf('%032x', n), 'generating', :now - 60 + n % 15, :now - 300, :now - 75 + n % 15,
    'openai', :prompt, 'sora-2', 8, '1280x720', printf('%x', n), n, 1, n, 1, 'en', 0, 1, n, 1,
    printf('video_%d', n), :now - 300, :now - 300, :now + :day, 20, :progress
FROM numbers
"""
_LATEST = "SELECT count(*) AS asked, min(updated_at) AS oldest FROM jobs WHERE updated_at >= :since"


@dataclass(frozen=True, kw_only=True, slots=True)
class PollingResult:
    """The cost of polling `jobs` jobs, by pages of the list or each by itself.

    `restart`: the seconds until all jobs were polled after a restart, or infinite if that took too
    long.
    `share`: the share of a core, in percent.
    `longest`: the longest time since a job's last poll, in seconds.
    `share` and `longest` were measured after `restart`.
    """

    jobs: int
    by_list: bool
    restart: float
    share: float
    longest: float


async def measure_polling(folder: Path, jobs: int, *, by_list: bool) -> PollingResult:
    """Start the polling components with a database of many jobs, and let them poll for a while."""
    async with open_provider(jobs) as base_url, _engine(folder, base_url) as engine:
        database = engine.resources.database
        now = engine.resources.clock()
        await store_jobs(database, jobs, now=now)
        workers = make_workers(engine, _NoDiscord())
        parts = [worker.run for worker in workers]
        if by_list and (polling := make_list_polling(engine)):
            parts.append(polling.run)
        started = engine.resources.clock()
        tasks = [asyncio.create_task(part(), name="part") for part in parts]
        try:
            restart = await _until_all_are_polled(engine, jobs, since=started)
            share, longest = await _watch(engine)
        finally:
            await asyncio.gather(*(worker.stop(grace=1) for worker in workers))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return PollingResult(jobs=jobs, by_list=by_list, restart=restart, share=share, longest=longest)


async def store_jobs(
    database: Database, jobs: int, *, now: float, progress: int | None = None
) -> None:
    """Store `jobs` jobs of the provider that `open_provider` runs."""
    fields = {"jobs": jobs, "now": now, "prompt": _PROMPT, "day": _DAY, "progress": progress}
    await database.rows(_FILL, fields)


async def _until_all_are_polled(engine: Engine, jobs: int, *, since: float) -> float:
    clock, database = engine.resources.clock, engine.resources.database
    while (waited := clock() - since) < _TIMEOUT:
        if await _polled(database, since=since) >= jobs:
            return waited
        await asyncio.sleep(0.1)
    return math.inf


async def _polled(database: Database, *, since: float) -> int:
    row = await database.row(_LATEST, {"since": since})
    return row["asked"] if row else 0


async def _watch(engine: Engine) -> tuple[float, float]:
    """Return the share of a core in percent, and the longest time between two polls of a job."""
    clock, longest = engine.resources.clock, 0.0
    before, started = time.process_time(), time.monotonic()
    while time.monotonic() - started < _SECONDS:
        await asyncio.sleep(1)
        row = await engine.resources.database.row(_LATEST, {"since": 0})
        longest = max(longest, clock() - row["oldest"] if row else 0.0)
    share = (time.process_time() - before) / (time.monotonic() - started)
    return share * 100, longest


@asynccontextmanager
async def _engine(folder: Path, base_url: str) -> AsyncGenerator[Engine]:
    settings = load_settings(
        discord_token="made.up.token",  # noqa: S106 - nothing logs in
        data_dir=folder,
        http_port=free_port(),
        video_backend="openai",
        openai_base_url=base_url,
        openai_webhook_secret="",
        max_jobs=1_000_000,
    )
    async with AsyncExitStack() as stack:
        resources = await open_resources(settings, stack)
        backend = await open_backend(resources, stack)
        yield await open_engine(resources, backend, stack)


@asynccontextmanager
async def open_provider(jobs: int) -> AsyncGenerator[str]:
    """Run a provider with `jobs` jobs as a process, and yield its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.polling",
        str(jobs),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


class _NoDiscord:
    """Raises DeliveryError for all deliveries, because there is no Discord in this process."""

    async def find_message(self, job: Job) -> int | None:
        """Raise DeliveryError always."""
        self._refuse(job)

    async def show(self, job: Job) -> None:
        """Raise DeliveryError always."""
        self._refuse(job)

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:
        """Raise DeliveryError always."""
        del artifact
        self._refuse(job)

    async def notify(self, job: Job, video: Artifact | None) -> bool:
        """Raise DeliveryError always."""
        del video
        self._refuse(job)

    def _refuse(self, job: Job) -> NoReturn:
        raise DeliveryError(job.id)


async def _serve(jobs: int) -> None:
    """Serve a list of jobs that are running and never end."""
    api = VideosApi()
    for number in range(1, jobs + 1):
        ref = f"video_{number}"
        api.jobs[ref] = {
            "id": ref,
            "object": "video",
            "model": "sora-2",
            "status": "in_progress",
            "progress": PROGRESS,
            "created_at": int(api.clock()) - 300,
            "completed_at": None,
            "expires_at": None,
            "prompt": _PROMPT,
            "size": "1280x720",
            "seconds": "8",
            "remixed_from_video_id": None,
            "error": None,
        }
    async with api:
        print(api.base_url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Videos API server with jobs that never end.")
    parser.add_argument("jobs", type=int)
    asyncio.run(_serve(parser.parse_args().jobs))
