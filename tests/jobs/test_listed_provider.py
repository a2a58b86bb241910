"""A real adapter polls many jobs at a Videos API server by its list.

The adapter, its connections, the steps and SQLite are real; the clock is a fake.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from bot.model import JobState
from tests.support.fakes.bench import open_bench
from tests.support.media.clips import make_clip
from tests.support.providers.contract import OPENAI
from tests.support.providers.stand_in import Fault
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from bot.model import Job
    from tests.support.fakes.backend import FakeBackend
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

REFUSED = Fault(status=400, body={"error": {"message": "limit must be at most 50"}})


@dataclass(kw_only=True)
class World:
    """A Videos API server, and a bot that can be killed and restarted."""

    api: VideosApi
    root: Path
    clock: Clock

    @asynccontextmanager
    async def bot(self) -> AsyncGenerator[Bench]:
        backend = OPENAI.connect(self.api.base_url)
        try:
            async with open_bench(
                self.root, self.clock, backend=cast("FakeBackend", backend)
            ) as bench:
                yield bench
        finally:
            await backend.close()

    def counts(self) -> tuple[int, int]:
        """Return how often the list was asked for, and how often a job."""
        lists = [call for call in self.api.made("GET") if call.path == "/v1/videos"]
        return len(lists), len(self.api.made("GET", "/videos/"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def world(clip: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with VideosApi(clip=clip, clock=clock) as api:
        yield World(api=api, root=tmp_path, clock=clock)


async def generating(bench: Bench, count: int) -> list[Job]:
    return [await bench.at(JobState.GENERATING) for _ in range(count)]


async def read_list(bench: Bench) -> None:
    await bench.list_polling.step()
    while bench.list_polling.is_reading:
        await bench.list_polling.step()


async def next_polls(bench: Bench, jobs: list[Job]) -> set[float]:
    now = [await bench.now(job.id) for job in jobs]
    return {(job.next_at or 0) - bench.clock() for job in now}


async def test_one_request_serves_all_jobs_until_one_of_them_is_done(world: World) -> None:
    async with world.bot() as bench:
        jobs = await generating(bench, 6)
        for _ in range(10):
            world.clock.advance(2.5)
            await read_list(bench)
        assert world.counts() == (10, 0)
        world.api.finish(jobs[3].remote_id or "")
        await read_list(bench)
        assert (await bench.step(jobs[3].id)).state is JobState.DOWNLOADING
        assert (await bench.step(jobs[3].id)).state is JobState.MERGING
        assert world.counts() == (11, 2)  # the job once, and its content


async def test_a_server_that_refuses_a_hundred_jobs_is_read_by_fifties(world: World) -> None:
    async with world.bot() as bench:
        jobs = await generating(bench, 60)
        world.api.add_faults("list", REFUSED)
        await read_list(bench)
        assert await next_polls(bench, jobs) == {30}
        assert [call.query["limit"] for call in world.api.made("GET")] == ["100", "50", "50"]


async def test_a_job_that_is_deleted_at_the_provider_ends_by_its_own_polls(world: World) -> None:
    async with world.bot() as bench:
        jobs = await generating(bench, 5)
        await read_list(bench)
        del world.api.jobs[jobs[2].remote_id or ""]
        for _ in range(5):
            await read_list(bench)
        assert (await bench.now(jobs[2].id)).misses == 0
        assert (await bench.step(jobs[2].id)).misses == 1


async def test_a_server_that_numbers_its_jobs_anew_shows_none_of_ours(world: World) -> None:
    async with world.bot() as bench:
        jobs = await generating(bench, 4)
        world.clock.advance(60)
        for ref in [*world.api.jobs]:
            world.api.jobs[ref] |= {
                "prompt": "the order of another server's client",
                "created_at": world.clock(),
                "status": "completed",
                "progress": 100,
            }
        await read_list(bench)
        now = [await bench.now(job.id) for job in jobs]
        assert {(job.state, job.progress, job.epoch) for job in now} == {
            (job.state, 0, job.epoch) for job in jobs
        }


async def test_after_a_restart_every_job_is_asked_about_within_the_head_start(
    world: World,
) -> None:
    async with world.bot() as bench:
        jobs = await generating(bench, 120)
    world.clock.advance(300)
    async with world.bot() as bench:
        await read_list(bench)
        assert await next_polls(bench, jobs) == {30}
        assert world.counts() == (2, 0)


async def test_a_server_without_a_list_is_polled_job_by_job(world: World) -> None:
    async with world.bot() as bench:
        jobs = await generating(bench, 4)
        world.api.add_faults("list", Fault(status=404), Fault(status=404))
        assert await bench.list_polling.step() == 600
        for job in jobs:
            world.api.finish(job.remote_id or "")
            assert (await bench.step(job.id)).state is JobState.DOWNLOADING
