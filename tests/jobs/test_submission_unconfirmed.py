"""A create whose answer was lost gets no second POST."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from bot.model import JobState, VideoRequest
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import PATIENCE, Clock
from tests.support.fakes.orders import REQUEST

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job

OTHER = VideoRequest(prompt="a dog", model="sora-2", seconds=8, size="1280x720")


def doubt() -> UnconfirmedSubmitError:
    return UnconfirmedSubmitError("the connection broke after the request was sent")


async def die_unconfirmed(bench: Bench, job: Job) -> None:
    bench.backend.lost_answers.append(doubt())
    await bench.step(job.id)


async def die_by_a_bug(bench: Bench, job: Job) -> None:
    bench.backend.lost_answers.append(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await bench.step(job.id)


async def die_in_the_post(bench: Bench, job: Job) -> None:
    bench.backend.answer.clear()
    step = asyncio.create_task(bench.step(job.id))
    async with asyncio.timeout(PATIENCE):
        await bench.backend.in_submit.wait()
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    bench.backend.answer.set()


async def die_before_the_post(bench: Bench, job: Job) -> None:
    await bench.jobs.begin_submit(await bench.claim(job.id))
    bench.backend.charge(REQUEST)


DEATHS = [die_unconfirmed, die_by_a_bug, die_in_the_post, die_before_the_post]


@pytest.mark.parametrize("die", DEATHS)
@pytest.mark.parametrize("restarted", [False, True])
async def test_an_unconfirmed_create_is_found_and_never_repeated(
    die: type, *, restarted: bool, tmp_path: Path, clock: Clock
) -> None:
    backend = FakeBackend(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        job = await bench.at(JobState.QUEUED)
        await die(bench, job)
        assert (await bench.now(job.id)).state in {JobState.SUBMITTING, JobState.UNCONFIRMED}
        posts = backend.posts
        if not restarted:
            backend.finish()
            assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        backend.finish()
        ended = await bench.run_out(job.id)
        assert ended.state is JobState.SUCCEEDED
        assert ended.remote_id == backend.only.ref
    assert backend.posts == posts


async def test_an_unconfirmed_create_is_looked_up_after_a_delay(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    await die_unconfirmed(bench, job)
    assert (await bench.now(job.id)).next_at == bench.clock() + 180


async def test_a_create_that_is_absent_from_two_complete_listings_is_repeated(
    bench: Bench,
) -> None:
    await bench.trust_list()
    job = await bench.at(JobState.SUBMITTING)
    await bench.step(job.id)
    once = await bench.step(job.id)
    assert (once.state, once.next_at) == (JobState.UNCONFIRMED, bench.clock() + 60)
    assert (await bench.step(job.id)).state is JobState.QUEUED
    assert (await bench.step(job.id)).state is JobState.GENERATING
    assert bench.backend.posts == 1


async def test_a_create_is_not_repeated_for_ever(bench: Bench) -> None:
    await bench.trust_list()
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = False
    bench.backend.lost_answers += [doubt() for _ in range(10)]
    asking = await bench.run_out(job.id)
    assert (asking.state, bench.backend.posts) == (JobState.UNDECIDED, 3)
    assert bench.deliverer.cards[job.id] == "undecided"


async def test_absence_from_an_incomplete_listing_proves_nothing(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = bench.backend.complete = False
    await die_unconfirmed(bench, job)
    assert (await bench.step(job.id)).state is JobState.UNCONFIRMED
    assert (await bench.step(job.id)).state is JobState.UNDECIDED
    assert bench.backend.posts == 1


async def test_one_complete_listing_after_an_incomplete_one_is_not_enough(bench: Bench) -> None:
    await bench.trust_list()
    job = await bench.at(JobState.SUBMITTING)
    await bench.step(job.id)
    bench.backend.complete = False
    await bench.step(job.id)
    bench.backend.complete = True
    assert (await bench.step(job.id)).state is JobState.UNCONFIRMED
    assert (await bench.step(job.id)).state is JobState.QUEUED


async def test_two_candidates_are_left_to_the_requester(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.charge(REQUEST)
    await die_unconfirmed(bench, job)
    assert (await bench.step(job.id)).state is JobState.UNDECIDED
    assert (await bench.run_out(job.id)).next_at is None
    assert bench.deliverer.cards[job.id] == "undecided"
    assert bench.backend.posts == 1


async def test_the_remote_jobs_of_others_are_no_candidates(bench: Bench) -> None:
    await bench.at(JobState.GENERATING)
    job = await bench.at(JobState.QUEUED)
    await die_unconfirmed(bench, job)
    found = await bench.step(job.id)
    assert (found.state, found.remote_id) == (JobState.GENERATING, "video_2")


async def test_an_old_remote_job_of_the_same_order_is_a_candidate_too(bench: Bench) -> None:
    bench.backend.charge(REQUEST)
    bench.clock.advance(30 * 24 * 3600)
    job = await bench.at(JobState.QUEUED)
    await die_unconfirmed(bench, job)
    assert (await bench.step(job.id)).state is JobState.UNDECIDED


async def test_an_early_webhook_names_the_remote_job_without_a_list(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = bench.backend.complete = False
    await die_unconfirmed(bench, job)
    bench.backend.charge(OTHER)
    for ref in bench.backend.charged:
        await bench.webhooks.receive(backend="fake", webhook_id=ref, remote_id=ref)
    bound = await bench.step(job.id)
    assert sorted(bench.backend.hinted) == ["video_1", "video_2"]
    assert (bound.state, bound.remote_id) == (JobState.GENERATING, "video_1")
    assert bound.next_at == bench.clock()


async def test_a_cancel_while_a_create_is_looked_up_stops_the_remote_job(bench: Bench) -> None:
    job = await bench.at(JobState.UNCONFIRMED)
    looking = await bench.claim(job.id)
    await bench.jobs.cancel(job.id)
    await bench.pipeline.steps[JobState.UNCONFIRMED](looking)
    await bench.run_out(job.id)
    assert bench.backend.cancelled == ["video_1"]


async def test_a_failing_listing_is_retried_and_then_left_to_the_requester(bench: Bench) -> None:
    job = await bench.at(JobState.UNCONFIRMED)
    bench.backend.find_faults += [BackendError(ErrorKind.TRANSIENT, "down") for _ in range(2)]
    claimed = await bench.claim(job.id)
    with pytest.raises(BackendError):
        await bench.pipeline.steps[JobState.UNCONFIRMED](claimed)
    await bench.jobs.postpone(claimed, after=1, attempts=18)
    assert (await bench.step(job.id)).state is JobState.UNDECIDED


async def test_a_candidate_without_a_prompt_is_not_bound_while_another_create_is_unconfirmed(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.certain = False
    await die_unconfirmed(bench, job)
    rival = await bench.submit(VideoRequest(prompt="else", model=None, seconds=8, size="1280x720"))
    await bench.step(rival.id)
    assert await bench.jobs.begin_submit(await bench.claim(rival.id)) is not None
    assert (await bench.step(job.id)).state is JobState.UNDECIDED


async def test_a_candidate_without_a_prompt_is_bound_if_no_other_create_is_unconfirmed(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.certain = False
    await die_unconfirmed(bench, job)
    assert (await bench.step(job.id)).state is JobState.GENERATING


async def test_a_retry_while_the_remote_job_is_found_does_not_delete_it(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    await die_unconfirmed(bench, job)
    claimed = await bench.claim(job.id)
    await bench.jobs.move(claimed, JobState.UNDECIDED)
    await bench.jobs.retry_undecided(job.id)
    await bench.pipeline.steps[JobState.UNCONFIRMED](claimed)
    assert bench.backend.cancelled == []


async def test_a_job_at_another_backend_waits_until_that_is_chosen_again(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.GENERATING)
    await bench.database.rows("UPDATE jobs SET backend = 'former'", {})
    bench.clock.advance(3600)
    assert await bench.queue.claim(tuple(JobState), running=(), limit=9) == []
    assert await bench.queue.seconds_until_due(tuple(JobState), running=()) is None
    await bench.jobs.cancel(job.id)
    assert (await bench.run_out(job.id)).next_at is None
    assert bench.backend.cancelled == []


async def test_a_job_that_was_never_submitted_uses_the_chosen_backend(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    await bench.database.rows("UPDATE jobs SET backend = 'former'", {})
    assert (await bench.step(job.id)).backend == "fake"


async def test_a_late_webhook_binds_a_job_that_no_listing_shows(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = bench.backend.complete = False
    await die_unconfirmed(bench, job)
    assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    [ref] = bench.backend.charged
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id=ref)
    bound = await bench.step(job.id)
    assert (bound.state, bound.remote_id) == (JobState.GENERATING, ref)
    assert bench.backend.posts == 1


async def test_a_webhook_about_something_else_leaves_the_question_open(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = bench.backend.complete = False
    await die_unconfirmed(bench, job)
    await bench.run_out(job.id)
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id="another")
    assert (await bench.step(job.id)).state is JobState.UNDECIDED
    await bench.webhooks.receive(backend="fake", webhook_id="wh_2", remote_id="one more")
    bench.backend.find_faults.append(BackendError(ErrorKind.TRANSIENT, "down"))
    asking = await bench.step(job.id)
    assert (asking.state, asking.next_at) == (JobState.UNDECIDED, None)


async def test_a_person_may_try_an_undecided_job_again(bench: Bench) -> None:
    job = await bench.at(JobState.UNDECIDED)
    bench.backend.finish()
    await bench.jobs.retry_undecided(job.id)
    ended = await bench.run_out(job.id)
    assert ended.state is JobState.SUCCEEDED
    assert bench.backend.posts == 2
