"""Measures how soon a bot with many open jobs asks about all of them after a kill -9."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.environment import SECRET, run_module
from benchmarks.polling import PROGRESS, open_provider, store_jobs
from bot.demo.fake_discord.server import FakeDiscord
from storage.database import open_database
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

# In seconds.
_TIMEOUT = 120.0
_INTERVAL = 0.05
_POLLED = "SELECT count(*) FROM jobs WHERE updated_at >= ?"


@dataclass(frozen=True, kw_only=True, slots=True)
class KillRestart:
    """The seconds until all of `jobs` jobs were polled after a kill -9.

    `from_start`: counted from the start of the second process.
    `from_ready`: counted from the moment at which the second process was ready for commands.
    """

    jobs: int
    from_start: float
    from_ready: float


async def measure_kill_restart(folder: Path, jobs: int) -> KillRestart:
    """Kill a bot that has polled all of its jobs, and start another one with the same data."""
    data = folder / "data"
    data.mkdir(parents=True)
    (folder / "discord").mkdir()
    async with open_database(data) as database:
        await store_jobs(database, jobs, now=time.time(), progress=PROGRESS)
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(open_provider(jobs))
        fake_discord = await stack.enter_async_context(FakeDiscord(folder / "discord"))
        variables = {
            "DATA_DIR": str(data),
            "HTTP_PORT": str(free_port()),
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": base_url,
            "OPENAI_WEBHOOK_SECRET": SECRET,
            "MAX_JOBS": str(2 * jobs),
            "DISCORD_TOKEN": fake_discord.token,
            "DISCORD_API_URL": fake_discord.url,
        }
        started = time.time()
        async with _run_bot(folder / "killed.log", variables, fake_discord) as killed:
            await _until_all_are_polled(data, jobs, since=started)
            killed.kill()
            await killed.wait()
        started = time.time()
        async with _run_bot(folder / "restarted.log", variables, fake_discord):
            ready = time.time()
            polled = await _until_all_are_polled(data, jobs, since=started)
    return KillRestart(jobs=jobs, from_start=polled - started, from_ready=max(0.0, polled - ready))


async def _until_all_are_polled(data: Path, jobs: int, *, since: float) -> float:
    """Return the time at which all jobs had been polled, or infinity if that took too long."""
    with closing(sqlite3.connect(data / "clapper.db")) as reader:
        deadline = time.time() + _TIMEOUT
        while (now := time.time()) < deadline:
            [polled] = reader.execute(_POLLED, (since,)).fetchone()
            if polled >= jobs:
                return now
            await asyncio.sleep(_INTERVAL)
    return math.inf


@asynccontextmanager
async def _run_bot(
    log: Path, variables: Mapping[str, str], fake_discord: FakeDiscord
) -> AsyncGenerator[asyncio.subprocess.Process]:
    earlier = fake_discord.gateway.identified
    async with run_module(log, variables, ("bot", "run")) as process:
        await fake_discord.wait_for_bot(after=earlier, within=_TIMEOUT)
        yield process
