"""Several workers on one PostgreSQL database divide the jobs, and none is ordered twice."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.model import JobState
from bot.pacing import MAX_POST_SECONDS, PostFence
from storage.workers.leases import LEASE_SECONDS
from tests.support.fakes.bench import ALL_STATES
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.orders import REQUEST
from tests.support.fakes.workers import StoppableDatabase, open_workers
from tests.support.mortal_database import Killed, MortalDatabase
from tests.support.statements import statements

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.model import Job
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock
    from tests.support.fakes.workers import Workers
    from tests.support.postgres import PostgresServer

ALMOST = LEASE_SECONDS - 0.1


@pytest.fixture
async def workers(
    postgres: PostgresServer, tmp_path: Path, clock: Clock
) -> AsyncGenerator[Workers]:
    async with open_workers(postgres, tmp_path, clock) as opened:
        yield opened


async def claimed(bench: Bench, *states: JobState, limit: int = 100) -> list[Job]:
    return await bench.queue.claim(states or ALL_STATES, running=(), limit=limit)


async def test_a_claimed_job_is_of_no_other_worker_until_its_worker_is_not_seen_for_a_while(
    workers: Workers,
) -> None:
    first, second = await workers.start("first"), await workers.start("second")
    job = await first.submit()
    assert [each.id for each in await claimed(first)] == [job.id]
    workers.clock.advance(ALMOST)
    await workers.beat("second")
    assert await claimed(second) == []
    assert await second.queue.seconds_until_due(ALL_STATES, running=()) is None
    workers.clock.advance(0.2)
    assert await second.queue.seconds_until_due(ALL_STATES, running=()) == 0
    assert [each.id for each in await claimed(second)] == [job.id]
    await workers.beat("first")
    assert await claimed(first) == []


async def test_a_worker_that_beats_keeps_its_jobs(workers: Workers) -> None:
    first, second = await workers.start("first"), await workers.start("second")
    await first.submit()
    assert len(await claimed(first)) == 1
    for _ in range(5):
        workers.clock.advance(5)
        await workers.beat("first", "second")
        assert await claimed(second) == []


async def test_a_worker_that_leaves_loses_its_jobs_at_once(workers: Workers) -> None:
    first, second = await workers.start("first"), await workers.start("second")
    await first.submit()
    assert len(await claimed(first)) == 1
    await workers.heartbeat("first").leave()
    assert len(await claimed(second)) == 1


async def test_workers_that_claim_at_once_get_different_jobs(workers: Workers) -> None:
    benches = [await workers.start(name) for name in "abcd"]
    for each in range(40):
        await benches[0].submit(user_id=each)
    taken = await asyncio.gather(*(claimed(bench, limit=10) for bench in benches))
    ids = [job.id for jobs in taken for job in jobs]
    assert len(ids) == len(set(ids)) == 40
    assert {job.epoch for jobs in taken for job in jobs} == {taken[0][0].epoch}


async def test_workers_that_claim_at_once_send_no_more_jobs_than_the_provider_may_have(
    workers: Workers,
) -> None:
    benches = [await workers.start(name, at_provider=3) for name in "abcd"]
    jobs = [await benches[0].at(JobState.QUEUED, user_id=each) for each in range(12)]
    for _ in range(4):
        taken = await asyncio.gather(*(claimed(bench, JobState.QUEUED) for bench in benches))
        assert sum(map(len, taken)) == 3
        for bench, of_bench in zip(benches, taken, strict=True):
            for job in of_bench:
                await bench.jobs.postpone(job, after=0)
    assert len(jobs) == 12


async def test_a_server_whose_job_another_worker_has_claimed_is_served_after_the_others(
    workers: Workers,
) -> None:
    first, second = await workers.start("first"), await workers.start("second")
    jobs = [await first.at(JobState.QUEUED, guild_id=server) for server in (1, 1, 2)]
    [of_first] = await claimed(first, JobState.QUEUED, limit=1)
    [of_second] = await claimed(second, JobState.QUEUED, limit=1)
    assert [of_first.id, of_second.id] == [jobs[0].id, jobs[2].id]


async def test_a_job_whose_create_is_under_way_stays_with_its_worker(workers: Workers) -> None:
    first, second = await workers.start("first"), await workers.start("second")
    job = await first.at(JobState.QUEUED)
    assert await first.jobs.begin_submit(await first.claim(job.id)) is not None
    assert await claimed(second) == []


async def test_of_similar_jobs_of_several_workers_one_is_ordered_at_a_time(
    workers: Workers,
) -> None:
    benches = [await workers.start(name) for name in "abcd"]
    for round_number in range(4):
        for seconds in range(4, 12):
            request = replace(REQUEST, prompt=f"prompt {round_number}", seconds=seconds)
            await benches[0].step((await benches[0].submit(request, user_id=seconds)).id)
        jobs = await claimed(benches[0], JobState.QUEUED)
        begun = await asyncio.gather(
            *(benches[index % 4].jobs.begin_submit(job) for index, job in enumerate(jobs))
        )
        assert len(jobs) == 8
        assert len([job for job in begun if job is not None]) == 1
        await benches[0].database.rows("DELETE FROM jobs", {})


async def test_a_webhook_takes_the_job_away_from_the_worker_that_polls_it(workers: Workers) -> None:
    first, second = await workers.start("first"), await workers.start("second")
    job = await first.claim((await first.at(JobState.GENERATING)).id)
    ref = job.remote_id or ""
    await second.webhooks.receive(backend="fake", webhook_id="wh", remote_id=ref)
    assert [each.id for each in await claimed(second)] == [job.id]
    assert await first.jobs.postpone(job, after=60) is None


def test_every_statement_that_raises_the_epoch_says_who_holds_the_job() -> None:
    raising = [sql for sql in statements() if "epoch = epoch + 1" in sql]
    assert len(raising) > 5
    assert [sql for sql in raising if "claimed_by =" not in sql] == []


async def test_a_step_that_ends_without_a_change_lets_its_own_claim_go(workers: Workers) -> None:
    first, second = await workers.start("first"), await workers.start("second")
    await first.submit()
    [job] = await claimed(first)
    [again] = await claimed(first)  # as if the answer to the first claim was lost
    await first.queue.let_go(job)
    assert await claimed(second) == []
    await first.queue.let_go(again)
    assert len(await claimed(second)) == 1


async def test_a_worker_that_may_not_claim_claims_nothing_and_waits_for_no_job(
    workers: Workers,
) -> None:
    bench = await workers.start("first")
    await bench.submit()
    bench.may_claim = False
    assert await claimed(bench) == []
    assert await bench.queue.seconds_until_due(ALL_STATES, running=()) is None


# Losses of a worker


async def finish(workers: Workers, bench: Bench, job: Job) -> Job:
    """Have the only worker that is left run a job's steps to its end."""
    workers.clock.advance(LEASE_SECONDS + 0.1)
    await bench.trust_list()
    for _ in range(60):
        await workers.beat("second")
        if (await bench.now(job.id)).next_at is None:
            break
        await bench.step(job.id)
    return await bench.now(job.id)


async def test_a_worker_that_is_killed_at_a_statement_leaves_its_job_to_the_other(
    workers: Workers,
) -> None:
    second = await workers.start("second")
    workers.backend.finish()
    is_killed, kill_at = True, -4
    while is_killed:
        kill_at += 5
        await workers.beat("first")
        job = await second.submit()
        mortal = MortalDatabase(workers.database, kill_at=kill_at, after=kill_at % 2 == 0)
        first = await workers.start("first", database=mortal)
        try:
            await first.run_out(job.id)
            is_killed = False
        except Killed:
            pass
        assert (await finish(workers, second, job)).state is JobState.SUCCEEDED
    assert kill_at > 20
    assert len(workers.backend.charged) == workers.backend.posts
    assert workers.backend.posts == await second.count_rows("jobs")
    assert {*workers.deliverer.dms.values()} == {1}


@pytest.mark.parametrize(
    ("max_seconds", "posts"),
    [(MAX_POST_SECONDS, 1), pytest.param(math.inf, 2, id="without the fence")],
)
async def test_a_worker_that_is_stopped_between_its_intent_and_its_create_does_not_send_it(
    workers: Workers, max_seconds: float, posts: int
) -> None:
    stoppable = StoppableDatabase(workers.database, stops_after="state = 'submitting', backend")
    first = await workers.start("first", database=stoppable)
    second = await workers.start("second")
    first.fence = PostFence((workers.clock.steady,), max_seconds=max_seconds)
    first.pipeline = first.build_pipeline()
    job = await second.at(JobState.QUEUED)
    stopped = asyncio.create_task(first.step(job.id))
    async with asyncio.timeout(PATIENCE):
        await stoppable.stopped.wait()
    # The other worker takes the job over, finds no trace of it at the provider, and orders it.
    workers.clock.advance(LEASE_SECONDS + 0.1)
    await second.trust_list()
    while (await second.now(job.id)).state is not JobState.GENERATING:
        await workers.beat("second")
        await second.step(job.id)
    assert workers.backend.posts == 1
    stoppable.continued.set()
    await stopped
    assert workers.backend.posts == posts
    workers.backend.finish()
    assert (await finish(workers, second, job)).state is JobState.SUCCEEDED
