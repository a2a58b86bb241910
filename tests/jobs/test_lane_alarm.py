"""A lane wakes when one of its jobs is due, and asks the database for no more than it must."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.jobs.waits.lane_alarm import LaneAlarm
from bot.jobs.worker import Lane, make_lanes
from bot.model import JobState
from tests.support.fakes.clock import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.jobs.worker import Worker
    from bot.model import Job
    from tests.support.fakes.bench import Bench


@asynccontextmanager
async def recorded(bench: Bench) -> AsyncGenerator[list[str]]:
    """Collect the statements that the bench runs."""
    statements: list[str] = []
    connection = bench.database._statements._connection  # noqa: SLF001 - SQLite's own trace
    await connection.set_trace_callback(statements.append)
    yield statements
    await connection.set_trace_callback(None)  # pyright: ignore[reportArgumentType] - ends it


@asynccontextmanager
async def running(bench: Bench, *lanes: Lane) -> AsyncGenerator[list[Worker]]:
    """Run the lanes' workers until the block ends."""
    workers = [bench.worker(lane) for lane in lanes]
    for worker in workers:
        bench.bus.subscribe(worker.on_job_changed)
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield workers
    finally:
        await asyncio.gather(*(worker.stop(grace=PATIENCE) for worker in workers))
        await asyncio.gather(*tasks)


async def test_a_job_wakes_only_the_lanes_that_run_its_steps(bench: Bench) -> None:
    bench.backend.finish()
    lanes = make_lanes(bench.lane.steps)
    async with running(bench, *lanes):
        async with recorded(bench) as first_look:
            await bench.submit()
            await bench.until(lambda: bench.changed_to(JobState.SUCCEEDED))
        bench.changes.clear()
        async with recorded(bench) as statements:
            await bench.submit()
            await bench.until(lambda: bench.changed_to(JobState.SUCCEEDED))
    assert len(first_look) > len(statements)
    claims = [each for each in statements if "UPDATE jobs SET epoch = epoch + 1" in each]
    steps = 8  # received, queued, generating twice, downloading, merging, delivering, notifying
    assert len(claims) <= steps + 4, "\n".join(each[:200] for each in claims)
    assert sum("SELECT min(due)" in each for each in statements) <= 2


async def test_a_full_lane_claims_the_next_job_when_a_slot_is_free(bench: Bench) -> None:
    done: list[str] = []

    async def deliver(job: Job) -> None:
        await bench.jobs.move(job, JobState.NOTIFYING)
        done.append(job.id)

    lane = Lane(name="test", steps={JobState.DELIVERING: deliver}, slots=1)
    jobs = [await bench.at(JobState.DELIVERING) for _ in range(5)]
    async with running(bench, lane):
        await bench.until(lambda: len(done) == len(jobs))
    assert set(done) == {job.id for job in jobs}


async def test_a_job_that_is_woken_during_its_step_is_claimed_again(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    looks: list[str] = []

    async def wake(number: int) -> None:
        await bench.webhooks.receive(
            backend="fake", webhook_id=f"wh_{number}", remote_id=job.remote_id or ""
        )

    async def poll(claimed: Job) -> None:
        looks.append(claimed.id)
        await bench.jobs.postpone(claimed, after=3600)
        if len(looks) == 1:
            await wake(2)

    async with running(bench, Lane(name="test", steps={JobState.GENERATING: poll}, slots=4)):
        await wake(1)
        await bench.until(lambda: len(looks) == 2)
    assert looks == [job.id, job.id]


async def test_a_lane_wakes_at_the_time_of_its_next_job() -> None:
    alarm = LaneAlarm(max_seconds=PATIENCE)
    assert alarm.begin()
    assert not alarm.begin(), "the time was read a moment ago"
    alarm.set_in(3600)
    alarm.set_in(0.001)
    async with asyncio.timeout(PATIENCE):
        await alarm.wait()
    assert alarm.begin()


async def test_a_lane_that_waits_for_a_time_wakes_for_a_due_job() -> None:
    alarm = LaneAlarm(max_seconds=3600)
    alarm.begin()
    waiting = asyncio.create_task(alarm.wait())
    await asyncio.sleep(0)
    alarm.ring()
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert not alarm.begin(), "only the due jobs are claimed"
