"""Jobs that can only wait show the reason, the operator is told, and the wait ends after a day."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from bot.api_clients.status import public_job
from bot.delivery.views.card import CardRenderer
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError, UnfetchedError
from bot.model import HoldReason, JobState
from bot.texts import Texts
from storage.jobs.queue_outlook import QueueOutlook
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.orders import VOICE

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.usefixtures("_on_each_database")

DAY = 24 * 60 * 60.0
STRANDED = [JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.GENERATING, JobState.DOWNLOADING]


async def read_card(bench: Bench, job: Job) -> str:
    """Return the text of a job's card."""
    texts = Texts.load()
    cards = CardRenderer(texts, free_backends=frozenset(), clock=bench.clock)
    current = await bench.now(job.id)
    outlook = await QueueOutlook(bench.database).of(current)
    view = cards.render(current, outlook)
    return "\n".join(str(item.to_component_dict()) for item in view.children)


def waiting(job: Job) -> str | None:
    return public_job(job, Texts.load()).waiting


async def no_space(bench: Bench) -> Job:
    """Return a job that waits for disk space."""
    job = await bench.at(JobState.QUEUED)
    bench.pipeline = bench.build_pipeline(min_free_bytes=2**63)
    return await bench.step(job.id)


async def behind_a_twin(bench: Bench) -> Job:
    """Return a job that waits because an identical create has no answer."""
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    first, second = await bench.at(JobState.UNCONFIRMED), await bench.submit()
    while (now := await bench.now(second.id)).hold is None:
        await bench.step(second.id)
    assert (await bench.now(first.id)).state is JobState.UNCONFIRMED
    return now


async def test_a_full_disk_is_shown_on_the_card_and_to_clients(bench: Bench) -> None:
    job = await no_space(bench)
    assert (job.state, job.hold, job.held_since) == (
        JobState.QUEUED,
        HoldReason.DISK,
        bench.clock(),
    )
    card = await read_card(bench, job)
    assert "disk is full" in card
    assert "after 24 hours" in card
    assert "next in line" not in card.lower()
    assert "disk is full" in (waiting(job) or "")


@pytest.mark.sqlite
async def test_a_job_behind_an_unanswered_identical_create_says_so(bench: Bench) -> None:
    job = await behind_a_twin(bench)
    assert (job.state, job.hold) == (JobState.QUEUED, HoldReason.TWIN)
    assert "exactly the same prompt" in await read_card(bench, job)
    assert "exactly the same prompt" in (waiting(job) or "")


@pytest.mark.sqlite
@pytest.mark.parametrize("wait", [no_space, behind_a_twin])
async def test_a_wait_ends_uncharged_after_a_day(bench: Bench, wait: object) -> None:
    job = await (no_space(bench) if wait is no_space else behind_a_twin(bench))
    posts = bench.backend.posts
    bench.clock.advance(DAY - 120)
    # The other create remains unanswered for the same time.
    assert (await bench.step(job.id)).state is JobState.QUEUED
    bench.clock.advance(120)
    ended = await bench.step(job.id)
    assert ended.failure is not None
    assert ended.failure.key in {"failed.no_space", "failed.twin"}
    assert bench.backend.posts == posts
    card = await read_card(bench, job)
    assert "Nothing was charged" in card


async def test_a_hold_that_has_ended_is_cleared(bench: Bench) -> None:
    job = await no_space(bench)
    bench.pipeline = bench.build_pipeline(min_free_bytes=0)
    now = await bench.step(job.id)
    assert (now.state, now.hold, now.held_since) == (JobState.GENERATING, None, None)
    assert waiting(now) is None


@pytest.mark.sqlite
async def test_a_jump_of_the_clock_ends_no_wait(bench: Bench) -> None:
    job = await no_space(bench)
    bench.clock.ahead = 2 * DAY
    assert (await bench.step(job.id)).state is JobState.QUEUED


async def stranded(tmp_path: Path, clock: Clock, state: JobState) -> tuple[Job, FakeBackend]:
    """Return a job in this state, at a backend that the operator no longer chooses."""
    async with open_bench(tmp_path, clock) as bench:
        return await bench.at(state), bench.backend


@pytest.mark.parametrize("state", STRANDED)
async def test_a_job_of_a_backend_that_is_no_longer_chosen_says_so(
    tmp_path: Path, clock: Clock, state: JobState
) -> None:
    job, _ = await stranded(tmp_path, clock, state)
    async with open_bench(tmp_path, clock, backend=FakeBackend(clock, name="other")) as bench:
        await bench.holds.check()
        held = await bench.now(job.id)
        assert (held.state, held.hold) == (state, HoldReason.BACKEND)
        assert "been switched to a different video service" in await read_card(bench, job)
        assert "been switched to a different video service" in (waiting(held) or "")
        assert bench.changes[-1].job == held
        clock.advance(60)
        await bench.holds.check()
        assert await bench.now(job.id) == held


@pytest.mark.sqlite
@pytest.mark.parametrize("state", STRANDED)
async def test_a_job_at_another_backend_ends_after_a_day_or_is_undecided(
    tmp_path: Path, clock: Clock, state: JobState
) -> None:
    job, _ = await stranded(tmp_path, clock, state)
    async with open_bench(tmp_path, clock, backend=FakeBackend(clock, name="other")) as bench:
        await bench.holds.check()
        clock.advance(DAY)
        await bench.holds.check()
        ended = await bench.now(job.id)
        if state in {JobState.GENERATING, JobState.DOWNLOADING}:
            assert ended.failure is not None
            assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.other_backend")
            assert "may have charged" in await read_card(bench, job)
        else:
            assert ended.state is JobState.UNDECIDED
        assert bench.backend.cancelled == []


async def test_a_job_continues_when_its_backend_is_chosen_again(
    tmp_path: Path, clock: Clock
) -> None:
    job, backend = await stranded(tmp_path, clock, JobState.GENERATING)
    async with open_bench(tmp_path, clock, backend=FakeBackend(clock, name="other")) as bench:
        await bench.holds.check()
    backend.finish()
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        await bench.holds.check()
        assert (await bench.now(job.id)).hold is None
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


@pytest.mark.sqlite
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_after_the_create_is_shown_and_ends_no_paid_job(
    bench: Bench, code: int
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    full = OSError(code, os.strerror(code))
    bench.backend.fetch_faults += [full, full]
    worker = bench.worker()
    for _ in range(2):
        claimed = await bench.claim(job.id)
        await worker._step(claimed)  # noqa: SLF001 - one step, as the lane runs it
        held = await bench.now(job.id)
        assert (held.state, held.hold) == (JobState.DOWNLOADING, HoldReason.DISK)
        assert "more than 24 hours" not in await read_card(bench, job)
        bench.clock.advance(2 * DAY)
    await bench.step(job.id)
    assert (await bench.now(job.id)).hold is None


@pytest.mark.sqlite
async def test_a_narration_without_disk_space_ends_uncharged_after_a_day(
    bench: Bench,
) -> None:
    job = await bench.submit(attachment=VOICE)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    bench.editor.faults += [full, full, full]
    worker = bench.worker()
    for _ in range(2):
        await worker._step(await bench.claim(job.id))  # noqa: SLF001 - one step, as the lane runs it
        held = await bench.now(job.id)
        assert (held.state, held.hold) == (JobState.RECEIVED, HoldReason.DISK)
        assert "after 24 hours" in await read_card(bench, job)
    bench.clock.advance(DAY)
    await worker._step(await bench.claim(job.id))  # noqa: SLF001
    ended = await bench.now(job.id)
    assert ended.failure is not None
    assert ended.failure.key == "failed.no_space"
    assert "Nothing was charged" in await read_card(bench, job)


@pytest.mark.sqlite
async def test_a_busy_video_service_is_named_while_the_job_is_queued_again(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.refusals.append(BackendError(ErrorKind.RATE, "busy", retry_after=3600))
    refused = await bench.step(job.id)
    assert refused.state is JobState.QUEUED
    card = await read_card(bench, job)
    assert "hasn't accepted your request yet" in card
    assert "Next in the queue" not in card
    assert "hasn't accepted your request yet" in (waiting(refused) or "")
    accepted = await bench.step(job.id)
    assert accepted.state is JobState.GENERATING
    assert waiting(accepted) is None


NO_ANSWER = [
    BackendError(ErrorKind.TRANSIENT, "no answer"),
    BackendError(ErrorKind.AUTH, "invalid key"),
]


@pytest.mark.sqlite
@pytest.mark.parametrize("state", [JobState.GENERATING, JobState.DOWNLOADING])
@pytest.mark.parametrize("fault", NO_ANSWER, ids=lambda fault: fault.kind)
async def test_a_video_service_without_answers_is_named_and_polled_on(
    bench: Bench, state: JobState, fault: BackendError
) -> None:
    job = await bench.at(state)
    worker = bench.worker()
    bench.backend.poll_faults += [fault] * 1000
    bench.backend.fetch_faults += [fault] * 1000
    since = bench.clock()
    while bench.clock() - since < 55:
        await worker._step(await bench.claim(job.id))  # noqa: SLF001 - one step, as the lane runs it
        assert (await bench.now(job.id)).hold is None
    while bench.clock() - since < 600:
        await worker._step(await bench.claim(job.id))  # noqa: SLF001
    held = await bench.now(job.id)
    assert (held.state, held.hold) == (state, HoldReason.UNANSWERED)
    card = await read_card(bench, job)
    assert "isn't responding to my status requests for this video" in card
    assert "more than 24 hours" in card
    assert "isn't responding" in (waiting(held) or "")
    while (ended := await bench.now(job.id)).state is state:
        await worker._step(await bench.claim(job.id))  # noqa: SLF001
    assert ended.state is JobState.FAILED
    assert bench.clock() - since < 1.2 * DAY


@pytest.mark.parametrize("state", [JobState.GENERATING, JobState.DOWNLOADING])
async def test_an_answer_ends_that_wait(bench: Bench, state: JobState) -> None:
    job = await bench.at(state)
    bench.clock.advance(31)  # the answer that told of the end is not fresh any more
    worker = bench.worker()
    bench.backend.poll_faults += [NO_ANSWER[0]] * 20
    while bench.backend.poll_faults:
        await worker._step(await bench.claim(job.id))  # noqa: SLF001 - one step, as the lane runs it
    assert (await bench.now(job.id)).hold is HoldReason.UNANSWERED
    await bench.step(job.id)
    assert (await bench.now(job.id)).hold is None


@pytest.mark.sqlite
async def test_an_attachment_that_can_not_be_downloaded_is_no_fault_of_the_bot(
    bench: Bench,
) -> None:
    job = await bench.submit(attachment=VOICE)
    bench.editor.faults += [UnfetchedError("the attachment's host answered 503")] * 9
    worker = bench.worker()
    while (ended := await bench.now(job.id)).state is JobState.RECEIVED:
        await worker._step(await bench.claim(job.id))  # noqa: SLF001 - one step, as the lane runs it
    assert ended.failure is not None
    assert ended.failure.key == "audio.unfetched"
    assert "Change the narration" in await read_card(bench, job)
