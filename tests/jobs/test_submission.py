"""The one POST of a create, and everything that is refused before it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.errors import BackendError, ErrorKind, UserError
from bot.model import JobState
from storage.retention import RetentionStore
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.orders import VOICE
from tests.support.outcomes import assert_failed

if TYPE_CHECKING:
    from bot.model import Job
    from tests.support.fakes.bench import Bench


async def test_nothing_is_sent_to_the_provider_before_the_job_has_its_message(
    bench: Bench,
) -> None:
    job = await bench.submit(acknowledged=False)
    bench.deliverer.found = 55
    found = await bench.step(job.id)
    assert (found.state, found.origin.message_id) == (JobState.RECEIVED, 55)
    assert bench.backend.posts == 0


async def test_a_command_without_a_message_is_never_charged(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.submit(acknowledged=False)
    bench.deliverer.found = None
    await assert_failed(bench, job, "failed.unacknowledged", sentences)
    assert bench.backend.charged == {}


@pytest.mark.parametrize(
    "key",
    [
        "audio.not_audio",
        "audio.unreadable",
        "audio.empty",
        "audio.silent",
        "audio.too_long",
        "audio.too_large",
    ],
)
async def test_an_unusable_attachment_ends_the_job_uncharged(
    key: str, bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.submit(attachment=VOICE)
    bench.editor.faults.append(UserError(key, seconds=700.5, found=ValueError("odd")))
    await assert_failed(bench, job, key, sentences)
    failure = (await bench.now(job.id)).failure
    assert failure is not None
    assert failure.fields == {"seconds": 700.5, "found": "odd"}
    assert bench.backend.charged == {}


async def test_a_full_disk_delays_the_create(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.pipeline = bench.build_pipeline(min_free_bytes=2**63)
    waiting = await bench.step(job.id)
    assert (waiting.state, waiting.next_at) == (JobState.QUEUED, bench.clock() + 60)
    assert bench.backend.posts == 0
    bench.pipeline = bench.build_pipeline(min_free_bytes=0)
    assert (await bench.step(job.id)).state is JobState.GENERATING


async def test_the_intent_is_committed_before_the_post(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.answer.clear()
    step = asyncio.create_task(bench.step(job.id))
    async with asyncio.timeout(PATIENCE):
        await bench.backend.in_submit.wait()
    intended = await bench.now(job.id)
    assert intended.state is JobState.SUBMITTING
    assert intended.create_key == bench.backend.only.create_key
    bench.backend.answer.set()
    assert (await step).state is JobState.GENERATING


async def test_without_the_intent_there_is_no_post(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    claimed = await bench.claim(job.id)
    await bench.jobs.cancel(job.id)
    await bench.pipeline.steps[JobState.QUEUED](claimed)
    assert bench.backend.posts == 0
    assert (await bench.now(job.id)).state is JobState.CANCELLED


@pytest.mark.parametrize(
    "kind",
    [
        *(ErrorKind.MODERATED, ErrorKind.INVALID, ErrorKind.GONE, ErrorKind.INTERNAL),
    ],
)
async def test_a_refused_create_fails_with_the_reason(
    kind: ErrorKind, bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.submit()
    bench.backend.refusals.append(BackendError(kind, "no"))
    await assert_failed(bench, job, f"failed.{kind}", sentences)
    assert bench.backend.charged == {}


@pytest.mark.parametrize("kind", [ErrorKind.RATE, ErrorKind.TRANSIENT])
async def test_a_postponed_create_is_repeated_when_the_provider_says(
    kind: ErrorKind, bench: Bench
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.refusals.append(BackendError(kind, "later", retry_after=17))
    waiting = await bench.step(job.id)
    assert (waiting.state, waiting.next_at) == (JobState.QUEUED, bench.clock() + 17)
    assert (await bench.step(job.id)).state is JobState.GENERATING
    assert len(bench.backend.charged) == 1


async def test_postponed_creates_are_repeated_ever_slower_and_end(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.refusals += [BackendError(ErrorKind.RATE, "later") for _ in range(30)]
    pauses: list[float] = []
    while (waiting := await bench.step(job.id)).state is JobState.QUEUED:
        pauses.append((waiting.next_at or 0) - bench.clock())
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (2, 300)
    assert bench.backend.posts == len(pauses) + 1 == 18
    await assert_failed(bench, job, "failed.rate", sentences)


async def test_a_provider_that_asks_for_short_pauses_is_not_asked_more_often(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.refusals += [
        BackendError(ErrorKind.RATE, "soon", retry_after=0.5) for _ in range(3)
    ]
    pauses = [((await bench.step(job.id)).next_at or 0) - bench.clock() for _ in range(3)]
    assert pauses == [2, 4, 8]


async def test_a_create_that_is_answered_as_completed_is_polled_immediately(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.finish()
    bound = await bench.step(job.id)
    assert (bound.state, bound.next_at) == (JobState.GENERATING, bench.clock())


async def test_a_create_waits_until_an_identical_one_is_confirmed(bench: Bench) -> None:
    doubtful = await bench.at(JobState.UNCONFIRMED)
    job = await bench.at(JobState.QUEUED)
    waiting = await bench.step(job.id)
    assert (waiting.state, waiting.next_at) == (JobState.QUEUED, bench.clock() + 5)
    assert bench.backend.posts == 1
    while (await bench.now(doubtful.id)).state is JobState.UNCONFIRMED:
        await bench.step(doubtful.id)
    assert (await bench.step(job.id)).state is JobState.GENERATING
    assert bench.backend.posts == 2


async def cancelled_during_the_post(bench: Bench) -> tuple[Job, asyncio.Task[Job]]:
    """Cancel a job during its create, and return it with the step that is still waiting."""
    job = await bench.at(JobState.QUEUED)
    bench.backend.answer.clear()
    step = asyncio.create_task(bench.step(job.id))
    async with asyncio.timeout(PATIENCE):
        await bench.backend.in_submit.wait()
    await bench.jobs.cancel(job.id)
    await bench.run_out(job.id)
    return job, step


async def test_a_cancel_during_the_post_stops_the_remote_job(bench: Bench) -> None:
    job, step = await cancelled_during_the_post(bench)
    bench.backend.answer.set()
    assert (await step).state is JobState.CANCELLED
    ended = await bench.run_out(job.id)
    assert (ended.remote_id, ended.next_at) == ("video_1", None)
    assert bench.backend.cancelled == ["video_1"]


async def test_a_job_that_was_deleted_during_the_post_is_deleted_upstream(
    bench: Bench,
) -> None:
    job, step = await cancelled_during_the_post(bench)
    assert await bench.retention.delete(job.id)
    bench.backend.answer.set()
    assert (await step).next_at is None
    remains = await RetentionStore(bench.database).remote_jobs("fake")
    assert [each.remote_id for each in remains] == ["video_1"]
