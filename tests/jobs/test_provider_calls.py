"""The requests that one job costs, and how soon its end is noticed, at a real adapter's provider.

The adapter, its connections, the steps and SQLite are real; the clock is a fake.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import mean, quantiles
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.model import JobState
from bot.runtime.timing import REMOTE, WITH_WEBHOOKS
from tests.support.fakes.bench import open_bench
from tests.support.media.clips import make_clip
from tests.support.providers.contract import OPENAI
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from bot.model import Job
    from bot.runtime.timing import Timing
    from tests.support.fakes.backend import FakeBackend
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

STEPS = 20


@dataclass(kw_only=True)
class World:
    """A Videos API server whose jobs each take their number of seconds by the fake clock.

    `has_percentage`: whether it tells percentages, in steps of 5.
    """

    api: VideosApi
    root: Path
    clock: Clock
    lengths: dict[str, float]
    has_percentage: bool = True

    def __post_init__(self) -> None:
        self.api.shape = self._shape

    @asynccontextmanager
    async def bot(self, timing: Timing) -> AsyncGenerator[Bench]:
        backend = OPENAI.connect(self.api.base_url)
        try:
            async with open_bench(
                self.root,
                self.clock,
                backend=cast("FakeBackend", backend),
                poll_intervals=timing.poll_intervals,
                has_webhooks=timing is WITH_WEBHOOKS,
            ) as bench:
                yield bench
        finally:
            await backend.close()

    async def submit(self, bench: Bench, *, seconds: float) -> Job:
        job = await bench.at(JobState.GENERATING)
        self.lengths[job.remote_id or ""] = seconds
        return job

    def end_of(self, job: Job) -> float:
        return (job.generating_at or 0) + self.lengths[job.remote_id or ""]

    def _shape(self, job: dict[str, Any]) -> dict[str, Any]:
        length = self.lengths.get(job["id"])
        if length is None:
            return job
        part = (self.clock() - job["created_at"]) / length
        if part >= 1:
            self.api.finish(job["id"])
            return self.api.jobs[job["id"]]
        percent = int(part * STEPS) * 100 // STEPS if self.has_percentage else None
        return job | {"status": "in_progress", "progress": percent}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def world(clip: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with VideosApi(clip=clip, clock=clock) as api:
        yield World(api=api, root=tmp_path, clock=clock, lengths={})


async def until_downloaded(bench: Bench, job: Job) -> None:
    while (await bench.step(job.id)).state is not JobState.MERGING:
        pass


async def test_a_job_of_23_seconds_that_is_polled_costs_at_most_five_requests(
    world: World,
) -> None:
    async with world.bot(REMOTE) as bench:
        job = await world.submit(bench, seconds=23)
        await until_downloaded(bench, job)
        assert len(world.api.calls) <= 5
        assert world.clock() - world.end_of(job) <= 4


async def test_a_job_of_23_seconds_whose_webhook_arrives_costs_at_most_four_requests(
    world: World,
) -> None:
    async with world.bot(WITH_WEBHOOKS) as bench:
        job = await world.submit(bench, seconds=23)
        while ((await bench.now(job.id)).next_at or 0) < world.end_of(job):
            await bench.step(job.id)
        world.clock.now = world.end_of(job)
        await bench.webhooks.receive(
            backend="openai", webhook_id="wh_1", remote_id=job.remote_id or ""
        )
        await until_downloaded(bench, job)
        assert len(world.api.calls) <= 4
        assert world.clock() == world.end_of(job)


async def run_by_list(bench: Bench, jobs: list[Job]) -> dict[str, float]:
    """Read the list whenever it is due, and poll jobs that are due; return the ends noticed."""
    noticed: dict[str, float] = {}
    next_list = bench.clock()
    while len(noticed) < len(jobs):
        now = [await bench.now(job.id) for job in jobs if job.id not in noticed]
        next_poll = min((job.next_at or 0, job.id) for job in now)
        bench.clock.now = max(bench.clock(), min(next_list, next_poll[0]))
        if next_list <= next_poll[0]:
            next_list = bench.clock() + (await bench.list_polling.step() or 2.5)
        elif (await bench.step(next_poll[1])).state is JobState.DOWNLOADING:
            noticed[next_poll[1]] = bench.clock()
    return noticed


@pytest.mark.parametrize("alone", [True, False], ids=["one job", "many jobs"])
async def test_the_end_of_a_listed_job_without_a_percentage_is_noticed_soon(
    world: World, *, alone: bool
) -> None:
    world.has_percentage = False
    lengths = [90 + 90 * number / 19 for number in range(20)]
    groups = [[length] for length in lengths] if alone else [lengths]
    delays: list[float] = []
    async with world.bot(REMOTE) as bench:
        for group in groups:
            jobs = [await world.submit(bench, seconds=length) for length in group]
            noticed = await run_by_list(bench, jobs)
            delays += [noticed[job.id] - world.end_of(job) for job in jobs]
    cuts = quantiles(delays, n=20)
    retrieves = len(world.api.made("GET", "/videos/")) / len(lengths)
    assert cuts[9] <= 2
    assert cuts[18] <= 4
    assert retrieves <= 9
    assert mean(delays) > 0
