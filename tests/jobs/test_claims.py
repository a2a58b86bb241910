"""Due jobs are claimed, and identical creates wait for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.backends.base import BackendUpdate, RemoteState
from bot.model import JobState, VideoRequest
from tests.support.fakes.bench import ALL_STATES, Bench

if TYPE_CHECKING:
    from bot.model import Job

pytestmark = pytest.mark.usefixtures("_on_each_database")


async def test_a_claim_returns_due_jobs_oldest_first_up_to_its_limit(
    bench: Bench,
) -> None:
    jobs: list[Job] = []
    for _ in range(5):
        jobs.append(await bench.submit())
        bench.clock.advance(1)
    running, *due = jobs
    claimed = await bench.queue.claim([JobState.RECEIVED], running=[running.id], limit=2)
    assert {job.id for job in claimed} == {due[0].id, due[1].id}
    assert {job.epoch for job in claimed} == {running.epoch + 1}


async def test_claimed_jobs_are_in_the_order_in_which_they_are_due(bench: Bench) -> None:
    jobs = [await bench.submit() for _ in range(8)]
    later, sooner = jobs[:4], jobs[4:]
    for job in later:
        await bench.database.rows(
            "UPDATE jobs SET next_at = next_at + 1 WHERE id = :id", {"id": job.id}
        )
    bench.clock.advance(1)
    claimed = await bench.queue.claim([JobState.RECEIVED], running=(), limit=8)
    assert [job.id for job in claimed] == [job.id for job in (*sooner, *later)]


async def test_of_jobs_that_are_due_at_the_same_time_the_first_is_claimed(bench: Bench) -> None:
    jobs = [await bench.submit() for _ in range(8)]
    for taken in range(0, 8, 2):
        running = [job.id for job in jobs[:taken]]
        claimed = await bench.queue.claim([JobState.RECEIVED], running=running, limit=2)
        assert [job.id for job in claimed] == [job.id for job in jobs[taken : taken + 2]]


async def test_a_claim_returns_only_jobs_in_its_states(bench: Bench) -> None:
    await bench.submit()
    assert await bench.queue.claim([JobState.QUEUED], running=(), limit=9) == []
    assert await bench.queue.seconds_until_due([JobState.QUEUED], running=()) is None


async def test_only_due_jobs_are_claimed(bench: Bench) -> None:
    job = await bench.submit(acknowledged=False)
    assert await bench.queue.claim(ALL_STATES, running=(), limit=9) == []
    assert await bench.queue.seconds_until_due(ALL_STATES, running=()) == 10
    assert await bench.queue.seconds_until_due(ALL_STATES, running=[job.id]) is None
    bench.clock.advance(11)
    assert await bench.queue.seconds_until_due(ALL_STATES, running=()) == 0
    assert len(await bench.queue.claim(ALL_STATES, running=(), limit=9)) == 1


async def test_a_create_waits_for_an_identical_unconfirmed_one(bench: Bench) -> None:
    first = await bench.at(JobState.SUBMITTING)
    second = await bench.at(JobState.QUEUED)
    assert await bench.jobs.begin_submit(await bench.claim(second.id)) is None
    other = VideoRequest(prompt="a dog", model=None, seconds=8, size="1280x720")
    third = await bench.submit(other)
    await bench.step(third.id)
    assert await bench.jobs.begin_submit(await bench.claim(third.id)) is not None
    doubtful = await bench.jobs.move(await bench.claim(first.id), JobState.UNCONFIRMED)
    assert doubtful is not None
    assert await bench.jobs.begin_submit(await bench.claim(second.id)) is None
    await bench.jobs.cancel(first.id)
    assert await bench.jobs.begin_submit(await bench.claim(second.id)) is not None


async def test_a_repeated_create_carries_the_key_of_the_first_and_of_no_other_job(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.SUBMITTING)
    await bench.jobs.move(await bench.claim(job.id), JobState.QUEUED)
    again = await bench.jobs.begin_submit(await bench.claim(job.id))
    assert again is not None
    assert again.create_key == job.create_key
    assert (job.submits, again.submits) == (1, 2)
    await bench.jobs.cancel(job.id)
    other = await bench.at(JobState.SUBMITTING)
    assert other.create_key not in {None, job.create_key}


async def test_a_remote_job_belongs_to_one_job(bench: Bench) -> None:
    first = await bench.at(JobState.GENERATING)
    second = await bench.at(JobState.SUBMITTING)
    update = BackendUpdate(ref=first.remote_id or "", state=RemoteState.RUNNING)
    assert await bench.jobs.bind(await bench.claim(second.id), update, after=5) is None
    holders = await bench.remote_jobs.holders("fake", [update.ref, "video_99"])
    assert {ref: holder.job_id for ref, holder in holders.items()} == {update.ref: first.id}


async def test_a_postponed_delivery_is_due_again_when_it_is_woken(bench: Bench) -> None:
    held = await bench.at(JobState.DELIVERING)
    await bench.jobs.postpone(await bench.claim(held.id), after=3600)
    waiting = await bench.at(JobState.GENERATING)
    bench.clock.advance(-1)
    assert await bench.jobs.wake_postponed_deliveries() == 1
    assert (await bench.now(held.id)).next_at == bench.clock()
    assert (await bench.now(waiting.id)).next_at == waiting.next_at
