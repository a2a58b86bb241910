"""The outlook of a queued job: its place in the queue, and the usual time of earlier jobs."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import Trouble
from bot.model import JobState
from storage.jobs.queue_outlook import Outlook, QueueOutlook
from tests.support.fakes.orders import REQUEST, VOICE
from tests.support.statements import recorded

if TYPE_CHECKING:
    from bot.model import VideoRequest
    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_on_each_database")

OTHER = {"prompt": "a dog", "model": "sora-2-pro", "size": "720x1280"}


async def make(bench: Bench, *seconds: float, request: VideoRequest = REQUEST) -> None:
    """Have the provider make a video in each of the given durations."""
    for number, taken in enumerate(seconds):
        job = await bench.submit(replace(request, prompt=f"{request.prompt} {number}"))
        while (await bench.now(job.id)).state is not JobState.GENERATING:
            await bench.step(job.id)
        now = await bench.claim(job.id)
        assert now.generating_at is not None
        bench.clock.now = now.generating_at + taken
        await bench.jobs.move(now, JobState.DOWNLOADING)


async def usual(bench: Bench, request: VideoRequest = REQUEST) -> float | None:
    job = await bench.submit(request)
    return (await QueueOutlook(bench.database).of(job)).usual_seconds


async def test_two_videos_are_too_few_for_a_usual_time(bench: Bench) -> None:
    await make(bench, 60, 60)
    assert await usual(bench) is None


async def test_the_usual_time_is_the_median_of_similar_jobs(bench: Bench) -> None:
    await make(bench, 90, 5000, 100)
    assert await usual(bench) == pytest.approx(100)


async def test_the_usual_time_is_learned_by_the_second_of_video(bench: Bench) -> None:
    await make(bench, 60, 60, request=replace(REQUEST, seconds=4))
    await make(bench, 160)
    assert await usual(bench, replace(REQUEST, seconds=12)) == pytest.approx(180)


@pytest.mark.parametrize("field", ["model", "size"])
async def test_other_models_and_sizes_do_not_count(bench: Bench, field: str) -> None:
    await make(bench, 60, 60, 60)
    assert await usual(bench, replace(REQUEST, **{field: OTHER[field]})) is None
    assert await usual(bench, replace(REQUEST, prompt=str(OTHER["prompt"]))) is not None


async def test_the_servers_default_model_counts_as_a_separate_model(bench: Bench) -> None:
    await make(bench, 60, 60, 60, request=replace(REQUEST, model=None))
    assert await usual(bench) is None
    assert await usual(bench, replace(REQUEST, model=None)) == pytest.approx(60)


@pytest.mark.sqlite
async def test_only_the_last_twenty_count(bench: Bench) -> None:
    await make(bench, *[500] * 15, *[10] * 20)
    assert await usual(bench) == pytest.approx(10)


async def test_jobs_that_are_generated_or_need_no_provider_have_no_usual_time(bench: Bench) -> None:
    await make(bench, 60, 60, 60)
    made = await bench.at(JobState.DELIVERING)
    assert (await QueueOutlook(bench.database).of(made)).usual_seconds is None
    over = replace(await bench.submit(attachment=VOICE), clip_of=made.id)
    assert (await QueueOutlook(bench.database).of(over)).usual_seconds is None


async def test_the_place_in_the_queue_counts_the_jobs_that_are_due_before(bench: Bench) -> None:
    jobs = []
    for _ in range(3):
        jobs.append(await bench.step((await bench.submit()).id))
        bench.clock.advance(1)
    queue_outlook = QueueOutlook(bench.database)
    assert [(await queue_outlook.of(job)).place for job in jobs] == [1, 2, 3]
    # A job that waits for the provider does not block the others.
    await bench.jobs.postpone(await bench.claim(jobs[0].id), after=60)
    assert [(await queue_outlook.of(job)).place for job in jobs] == [3, 1, 2]


@pytest.mark.sqlite
async def test_the_outlook_of_a_queued_job_is_read_in_one_transaction(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    async with recorded(bench.database) as statements:
        await QueueOutlook(bench.database).of(job)
    assert sum("SELECT" in each for each in statements) == 4
    assert [each for each in statements if "SELECT" not in each] == ["BEGIN", "COMMIT"]


async def test_the_places_are_the_order_in_which_jobs_start(bench: Bench) -> None:
    people = random.Random(4)  # noqa: S311 - only a choice
    jobs = [
        await bench.step((await bench.submit(user_id=user, guild_id=guild)).id)
        for user, guild in ((people.randrange(5), people.randrange(3)) for _ in range(40))
    ]
    queue_outlook = QueueOutlook(bench.database)
    expected: list[str] = []
    for _ in range(3):  # turns were taken, and more jobs are queued
        places = await queue_outlook.places()
        alone = {job.id: (await queue_outlook.of(job)).place for job in jobs}
        assert {job_id: place for job_id, place in alone.items() if place} == places
        expected = sorted(places, key=lambda job_id: places[job_id])
        for job_id in expected[:7]:
            [claimed] = await bench.queue.claim([JobState.QUEUED], running=(), limit=1)
            assert claimed.id == job_id
            started = await bench.jobs.begin_submit(claimed)
            assert started is not None
            await bench.jobs.fail(started, "failed.invalid")
        jobs = [await bench.now(job.id) for job in jobs]
        jobs += [
            await bench.step((await bench.submit(user_id=people.randrange(9), guild_id=2)).id)
            for _ in range(5)
        ]
    assert len(expected) > 20


async def test_a_job_that_is_no_longer_queued_has_no_place(bench: Bench) -> None:
    queue_outlook = QueueOutlook(bench.database)
    waiting = await bench.step((await bench.submit()).id)
    await bench.jobs.cancel(waiting.id)
    assert (await queue_outlook.of(waiting)).place is None
    assert (await queue_outlook.of(await bench.submit())).place is None


async def test_a_paused_queue_has_a_reason_instead_of_a_forecast(bench: Bench) -> None:
    queue_outlook = QueueOutlook(bench.database)
    await make(bench, 60, 60, 60)
    queued, made = await bench.at(JobState.QUEUED), await bench.at(JobState.GENERATING)
    for _ in range(3):
        await bench.circuit.refused(Trouble.BALANCE, probing=False)
    assert await queue_outlook.of(queued) == Outlook(trouble=Trouble.BALANCE)
    assert (await queue_outlook.of(made)).trouble is None
    new = await bench.submit(acknowledged=False)
    assert (await queue_outlook.of(new)).trouble is Trouble.BALANCE
    narrated = await bench.submit(acknowledged=False, clip_of=made.id)
    assert (await queue_outlook.of(narrated)).trouble is None
    await bench.circuit.accepted()
    assert (await queue_outlook.of(queued)).place == 1
