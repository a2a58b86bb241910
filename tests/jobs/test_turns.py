"""The queue serves one server after another, and in each server one person after another."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import BackendUpdate, RemoteState
from bot.errors import BackendError, ErrorKind
from bot.jobs.waits.capacity import ProviderCapacity, Room
from bot.model import Client, JobState
from storage.jobs.queue.claims import QueueStore
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.orders import REQUEST

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.jobs.worker import Worker
    from bot.model import Job
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.usefixtures("_on_each_database")

QUEUED = (JobState.QUEUED,)


async def claim(bench: Bench, job_id: str) -> Job:
    """Claim one job, which need not be the next."""
    await bench.claim_again(job_id)
    return await bench.now(job_id)


async def wait(bench: Bench, count: int, **place: object) -> list[Job]:
    """Queue jobs; `user_id` and `guild_id` name the person and the server."""
    jobs: list[Job] = []
    for _ in range(count):
        number = await bench.count_rows("jobs")
        job = await bench.submit(replace(REQUEST, prompt=f"cat {number}"), **place)
        queued = await bench.jobs.move(await claim(bench, job.id), JobState.QUEUED)
        assert queued is not None
        jobs.append(queued)
        bench.clock.advance(1)
    return jobs


async def start_next(bench: Bench) -> Job | None:
    """Claim the next job, and start its create."""
    jobs = await bench.queue.claim(QUEUED, running=(), limit=1)
    return await bench.jobs.begin_submit(jobs[0]) if jobs else None


async def started(bench: Bench, count: int) -> list[tuple[int | None, int]]:
    """Start jobs, and return the server and the person of each."""
    jobs = [await start_next(bench) for _ in range(count)]
    return [(job.origin.guild_id, job.origin.user_id) for job in jobs if job is not None]


@asynccontextmanager
async def running(worker: Worker) -> AsyncGenerator[None]:
    """Run a worker in the background."""
    task = asyncio.create_task(worker.run())
    yield
    await worker.stop(grace=PATIENCE)
    await task


async def test_two_people_start_their_first_jobs_within_two_slots_of_a_person_with_fifty(
    bench: Bench,
) -> None:
    await wait(bench, 50, user_id=1)
    assert await started(bench, 3) == [(2, 1)] * 3
    await wait(bench, 1, user_id=2)
    await wait(bench, 1, user_id=3)
    assert await started(bench, 4) == [(2, 2), (2, 3), (2, 1), (2, 1)]


@pytest.mark.sqlite
async def test_a_server_with_500_jobs_delays_the_first_of_another_by_no_round(
    bench: Bench,
) -> None:
    await wait(bench, 500, user_id=1, guild_id=1)
    await started(bench, 2)
    await wait(bench, 3, user_id=9, guild_id=2)
    await wait(bench, 1, user_id=8, guild_id=3)
    assert [guild for guild, _ in await started(bench, 6)] == [2, 3, 1, 2, 1, 2]


async def test_people_of_a_server_share_its_turns(bench: Bench) -> None:
    for user in (1, 2, 3):
        await wait(bench, 2, user_id=user, guild_id=1)
    await wait(bench, 3, user_id=4, guild_id=2)
    order = await started(bench, 9)
    assert [user for guild, user in order if guild == 1] == [1, 2, 3, 1, 2, 3]
    assert [guild for guild, _ in order] == [1, 2, 1, 2, 1, 2, 1, 1, 1]


async def test_jobs_that_are_claimed_together_are_of_different_people(bench: Bench) -> None:
    await wait(bench, 4, user_id=1, guild_id=1)
    await wait(bench, 4, user_id=2, guild_id=1)
    await wait(bench, 4, user_id=3, guild_id=2)
    claimed = await bench.queue.claim(QUEUED, running=(), limit=4)
    assert [job.origin.user_id for job in claimed] == [1, 3, 2, 3]
    more = await bench.queue.claim(QUEUED, running=[job.id for job in claimed], limit=2)
    assert [job.origin.user_id for job in more] == [1, 3]
    assert not {job.id for job in more} & {job.id for job in claimed}


async def test_a_job_that_is_not_due_does_not_hold_up_its_server(bench: Bench) -> None:
    [first] = await wait(bench, 1, user_id=1, guild_id=1)
    await wait(bench, 1, user_id=2, guild_id=1)
    await bench.jobs.postpone(await claim(bench, first.id), after=300)
    assert await started(bench, 2) == [(1, 2)]


async def test_a_job_that_could_not_start_keeps_the_turn_of_its_person(bench: Bench) -> None:
    [held] = await wait(bench, 1, user_id=1, guild_id=1)
    await wait(bench, 2, user_id=2, guild_id=1)
    await bench.jobs.postpone(await claim(bench, held.id), after=0)
    assert await started(bench, 2) == [(1, 1), (1, 2)]


async def test_direct_messages_count_as_one_server_and_each_client_as_another(
    bench: Bench,
) -> None:
    await wait(bench, 2, user_id=1, guild_id=None)
    await wait(bench, 1, user_id=2, guild_id=None)
    await wait(bench, 1, user_id=3, guild_id=1)
    for key in ("a", "b"):
        job = await bench.jobs.submit(
            replace(REQUEST, prompt=key), Client(name="web", key=key), None
        )
        assert job is not None
        await bench.jobs.move(await claim(bench, job.id), JobState.QUEUED)
    order = [await start_next(bench) for _ in range(6)]
    names = ["web" if job.client else str(job.origin.user_id) for job in order if job is not None]
    assert names == ["1", "3", "web", "2", "web", "1"]


async def test_no_more_jobs_than_the_capacity_are_at_the_provider(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, at_provider=3) as bench:
        await wait(bench, 6)
        jobs = await bench.queue.claim(QUEUED, running=(), limit=9)
        assert len(jobs) == 3
        claimed = [job.id for job in jobs]
        assert await bench.queue.claim(QUEUED, running=claimed, limit=9) == []
        # Otherwise the lane would read the table again and again.
        assert await bench.queue.seconds_until_due(QUEUED, running=claimed) is None
        for number, job in enumerate(jobs):
            update = BackendUpdate(ref=f"video_{number}", state=RemoteState.RUNNING)
            sent = await bench.jobs.begin_submit(job)
            assert sent is not None
            assert await bench.jobs.bind(sent, update, after=5) is not None
        assert await bench.queue.claim(QUEUED, running=(), limit=9) == []
        made = await claim(bench, jobs[0].id)
        await bench.jobs.move(made, JobState.DOWNLOADING)
        assert len(await bench.queue.claim(QUEUED, running=(), limit=9)) == 1


async def test_a_429_lowers_the_capacity_for_a_while(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, at_provider=5) as bench:
        bench.backend.made = RemoteState.RUNNING
        await wait(bench, 4)
        for _ in range(2):
            [job] = await bench.queue.claim(QUEUED, running=(), limit=1)
            await bench.lane.steps[job.state](job)
        bench.backend.refusals.append(BackendError(ErrorKind.RATE, "too many"))
        [job] = await bench.queue.claim(QUEUED, running=(), limit=1)
        await bench.lane.steps[job.state](job)
        assert (await bench.capacity.room()).limit == 2
        assert await bench.queue.claim(QUEUED, running=(), limit=9) == []
        bench.clock.advance(60)
        assert len(await bench.queue.claim(QUEUED, running=(), limit=9)) == 1
        bench.clock.advance(3600)
        assert (await bench.capacity.room()).limit == 5


async def test_a_429_lowers_the_capacity_of_all_processes(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, at_provider=5) as bench:
        bench.backend.made = RemoteState.RUNNING
        queued = QueueStore(bench.database, backend=bench.backend.name)
        other = ProviderCapacity(queued, limit=5, clock=bench.clock)
        await wait(bench, 3)
        await started(bench, 2)
        bench.backend.refusals.append(BackendError(ErrorKind.RATE, "too many"))
        [job] = await bench.queue.claim(QUEUED, running=(), limit=1)
        await bench.lane.steps[job.state](job)
        assert await other.room() == Room(limit=2, free=0)
        # A clock that was set back by hours does not keep the limit low for hours.
        bench.clock.advance(-3 * 60 * 60)
        assert (await other.room()).limit == 5


async def test_a_429_of_one_clients_job_lowers_the_capacity_to_the_jobs_of_all(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, at_provider=5) as bench:
        bench.backend.made = RemoteState.RUNNING
        await wait(bench, 3)
        await started(bench, 3)
        queued = QueueStore(bench.database, backend=bench.backend.name, client="cli")
        await ProviderCapacity(queued, limit=5, clock=bench.clock).lower()
        assert (await bench.capacity.room()).limit == 3


async def test_a_429_uses_up_no_turn(bench: Bench) -> None:
    bench.backend.made = RemoteState.RUNNING
    for user_id, guild_id in ((1, 1), (3, 2), (4, 3), (2, 1)):
        await wait(bench, 1, user_id=user_id, guild_id=guild_id)
    bench.backend.refusals.append(BackendError(ErrorKind.RATE, "too many"))
    [refused] = await bench.queue.claim(QUEUED, running=(), limit=1)
    await bench.lane.steps[refused.state](refused)
    bench.clock.advance(3600)
    assert await started(bench, 1) == [(1, 1)]
    assert await started(bench, 3) == [(2, 3), (3, 4), (1, 2)]


async def test_a_429_gives_no_turn_back_that_a_later_start_has_used_up(bench: Bench) -> None:
    [refused, _] = await wait(bench, 2, user_id=1, guild_id=1)
    await started(bench, 2)
    await wait(bench, 1, user_id=1, guild_id=1)
    await wait(bench, 1, user_id=2, guild_id=2)
    await bench.capacity.give_turns_back(refused.id)
    assert await started(bench, 2) == [(2, 2), (1, 1)]


async def test_a_job_that_leaves_the_provider_wakes_the_lane_that_submits(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, at_provider=1) as bench:
        bench.backend.made = RemoteState.RUNNING
        first, second = await wait(bench, 2)
        lane = replace(bench.lane, steps={JobState.QUEUED: bench.lane.steps[JobState.QUEUED]})
        worker = bench.worker(lane)
        bench.bus.subscribe(worker.on_job_changed)
        async with running(worker):
            await bench.until(lambda: bench.changed_to(JobState.GENERATING))
            assert (await bench.now(second.id)).state is JobState.QUEUED
            await bench.jobs.cancel(first.id)
            await bench.until(
                lambda: any(
                    change.job.id == second.id and change.job.state is JobState.GENERATING
                    for change in bench.changes
                )
            )


async def test_turns_are_forgotten_after_a_day_unless_jobs_wait(bench: Bench) -> None:
    await wait(bench, 1, user_id=1, guild_id=1)
    await wait(bench, 2, user_id=2, guild_id=2)
    await started(bench, 2)
    bench.clock.advance(25 * 3600)
    await bench.retention.sweep()
    rows = await bench.database.rows("SELECT server, person, waiting FROM person_turns", {})
    assert [tuple(row) for row in rows] == [("server:2", "2", 1)]
    assert await bench.count_rows("server_turns") == 1


@pytest.mark.parametrize("end", [JobState.CANCELLED, JobState.FAILED])
async def test_a_job_that_ends_in_the_queue_no_longer_waits(bench: Bench, end: JobState) -> None:
    [job] = await wait(bench, 1)
    await bench.jobs.move(await claim(bench, job.id), end)
    rows = await bench.database.rows("SELECT waiting FROM server_turns", {})
    assert [row["waiting"] for row in rows] == [0]
