from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import NOTE_HELD_INSTEAD, Handover
from bot.backends.base import RemoteState
from bot.errors import (
    BackendError,
    DeliveryError,
    ErrorKind,
    MediaError,
    UnconfirmedSubmitError,
    UserError,
)
from bot.model import JobState, VideoRequest, text_attachment
from bot.texts import Texts
from storage.database import open_database
from storage.retention import RetentionStore
from tests.support.fakes import (
    CAPS,
    CLIP,
    PATIENCE,
    REQUEST,
    VOICE,
    Bench,
    Clock,
    FakeBackend,
    FakeDeliverer,
    open_bench,
)
from tests.support.mortal_database import Killed, MortalDatabase

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Attachment, Job

OPEN_STATES = [state for state in JobState if not state.is_final]
OTHER = VideoRequest(prompt="a dog", model="sora-2", seconds=8, size="1280x720")


@pytest.fixture(scope="module")
def sentences() -> frozenset[str]:
    return Texts.load().keys()


def doubt() -> UnconfirmedSubmitError:
    return UnconfirmedSubmitError("the connection broke after the request was sent")


async def failed(bench: Bench, job: Job, key: str, sentences: frozenset[str]) -> None:
    """Check that a job failed for this reason, and that a sentence exists for it."""
    ended = await bench.run_out(job.id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, key)
    assert bench.deliverer.cards[job.id] == key
    assert key in sentences


# From the command to the video


async def test_a_job_ends_with_the_video_on_its_card_and_one_dm(bench: Bench) -> None:
    job = await bench.submit()
    bench.backend.finish()
    ended = await bench.run_out(job.id)
    assert ended.state is JobState.SUCCEEDED
    assert (ended.progress, ended.note) == (100, None)
    assert bench.deliverer.dms == {job.id: 1}
    assert bench.backend.posts == 1
    video = bench.workspace.video(job.id).read_bytes()
    assert video == CLIP + b"video_1"
    assert bench.deliverer.videos[job.id].size == len(video)
    assert not bench.workspace.folder(job.id).path.exists()


async def test_a_narration_is_laid_over_the_clip(bench: Bench) -> None:
    job = await bench.submit(attachment=VOICE)
    bench.backend.finish()
    ended = await bench.run_out(job.id)
    assert ended.state is JobState.SUCCEEDED
    assert bench.editor.ingested == [(job.id, VOICE.url)]
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1 with voice"


async def test_each_job_gets_its_own_video(bench: Bench) -> None:
    jobs = [await bench.submit() for _ in range(5)]
    bench.backend.finish()
    for job in jobs:
        await bench.run_out(job.id)
    videos = {bench.workspace.video(job.id).read_bytes() for job in jobs}
    assert len(videos) == bench.backend.posts == 5


@pytest.mark.parametrize("state", [state for state in OPEN_STATES if state.value != "undecided"])
async def test_every_open_state_is_resumed_after_a_restart(
    state: JobState, tmp_path: Path, clock: Clock
) -> None:
    backend, deliverer = FakeBackend(clock), FakeDeliverer()
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        job = await bench.at(state, attachment=VOICE)
        # The process is killed after the claim.
        await bench.claim(job.id)
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        backend.finish()
        ended = await bench.run_out(job.id)
        assert ended.state is JobState.SUCCEEDED
        video = bench.workspace.video(job.id).read_bytes()
    assert video.endswith(b" with voice")
    assert len(backend.history) == 1
    assert deliverer.dms == {job.id: 1}
    assert deliverer.cards[job.id] == "video"


async def test_an_undecided_job_still_asks_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    deliverer = FakeDeliverer()
    backend = FakeBackend(clock)
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        job = await bench.at(JobState.UNDECIDED)
    posts = backend.posts
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        asking = await bench.run_out(job.id)
        assert (asking.state, asking.next_at) == (JobState.UNDECIDED, None)
        assert deliverer.cards[job.id] == "undecided"
        assert backend.posts == posts
        await bench.jobs.retry_undecided(job.id)
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


@pytest.mark.parametrize("after", [False, True])
async def test_a_kill_at_any_statement_loses_no_job_and_charges_once(
    *, after: bool, tmp_path: Path, clock: Clock
) -> None:
    for kill_at in range(1, 200):
        root = tmp_path / str(kill_at)
        backend, deliverer = FakeBackend(clock), FakeDeliverer()
        backend.finish()
        survived = False
        async with open_database(root) as database:
            mortal = Bench(
                MortalDatabase(database, kill_at=kill_at, after=after),
                root,
                clock=clock,
                backend=backend,
                deliverer=deliverer,
                caps=CAPS,
            )
            with suppress(Killed):
                await mortal.run_out((await mortal.submit(attachment=VOICE)).id)
                survived = True
        async with open_bench(root, clock, backend=backend, deliverer=deliverer) as bench:
            rows = await bench.database.rows("SELECT id FROM jobs", {})
            for row in rows:
                assert (await bench.run_out(row["id"])).state is JobState.SUCCEEDED
        assert len(backend.history) == backend.posts == len(deliverer.videos) == len(rows)
        # Only a kill before the first write leaves no job.
        assert len(rows) == (0 if kill_at == 1 and not after else 1)
        if survived:
            assert kill_at > 15
            return
    pytest.fail("it never came to its end")


# Before anything is spent


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
    await failed(bench, job, "failed.unacknowledged", sentences)
    assert bench.backend.history == {}


@pytest.mark.parametrize(
    "key",
    ["audio.not_audio", "audio.unreadable", "audio.empty", "audio.too_long", "audio.too_large"],
)
async def test_an_attachment_that_will_not_do_ends_the_job_uncharged(
    key: str, bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.submit(attachment=VOICE)
    bench.editor.faults.append(UserError(key, seconds=700.5, found=ValueError("odd")))
    await failed(bench, job, key, sentences)
    failure = (await bench.now(job.id)).failure
    assert failure is not None
    assert failure.fields == {"seconds": 700.5, "found": "odd"}
    assert bench.backend.history == {}


async def test_a_full_disk_delays_the_create(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.pipeline = bench.build_pipeline(min_free_bytes=2**63)
    waiting = await bench.step(job.id)
    assert (waiting.state, waiting.next_at) == (JobState.QUEUED, bench.clock() + 60)
    assert bench.backend.posts == 0
    bench.pipeline = bench.build_pipeline(min_free_bytes=0)
    assert (await bench.step(job.id)).state is JobState.GENERATING


# The one POST


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
    await failed(bench, job, f"failed.{kind}", sentences)
    assert bench.backend.history == {}


@pytest.mark.parametrize("kind", [ErrorKind.RATE, ErrorKind.TRANSIENT])
async def test_a_create_that_was_put_off_is_repeated_when_the_provider_says(
    kind: ErrorKind, bench: Bench
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.refusals.append(BackendError(kind, "later", retry_after=17))
    waiting = await bench.step(job.id)
    assert (waiting.state, waiting.next_at) == (JobState.QUEUED, bench.clock() + 17)
    assert (await bench.step(job.id)).state is JobState.GENERATING
    assert len(bench.backend.history) == 1


async def test_creates_that_are_put_off_come_slower_and_end(
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
    await failed(bench, job, "failed.rate", sentences)


async def test_a_provider_that_always_says_soon_is_not_asked_faster_for_it(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.refusals += [
        BackendError(ErrorKind.RATE, "soon", retry_after=0.5) for _ in range(3)
    ]
    pauses = [((await bench.step(job.id)).next_at or 0) - bench.clock() for _ in range(3)]
    assert pauses == [2, 4, 8]


async def test_an_answer_that_says_done_is_not_waited_for(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.finish()
    bound = await bench.step(job.id)
    assert (bound.state, bound.next_at) == (JobState.GENERATING, bench.clock())


async def test_a_create_like_another_one_waits_until_that_is_clear(bench: Bench) -> None:
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


async def test_what_was_cancelled_and_deleted_during_the_post_is_deleted_upstream(
    bench: Bench,
) -> None:
    job, step = await cancelled_during_the_post(bench)
    assert await bench.retention.delete(job.id)
    bench.backend.answer.set()
    assert (await step).next_at is None
    remains = await RetentionStore(bench.database).remote_jobs("fake")
    assert [each.remote_id for each in remains] == ["video_1"]


# No second POST for an unconfirmed create


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
async def test_a_doubtful_create_is_found_and_never_repeated(
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


async def test_a_doubtful_create_settles_before_it_is_looked_up(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    await die_unconfirmed(bench, job)
    assert (await bench.now(job.id)).next_at == bench.clock() + 180


async def test_a_create_that_is_absent_from_two_complete_listings_is_repeated(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.SUBMITTING)
    await bench.step(job.id)
    once = await bench.step(job.id)
    assert (once.state, once.next_at) == (JobState.UNCONFIRMED, bench.clock() + 60)
    assert (await bench.step(job.id)).state is JobState.QUEUED
    assert (await bench.step(job.id)).state is JobState.GENERATING
    assert bench.backend.posts == 1


async def test_a_create_is_not_repeated_for_ever(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = False
    bench.backend.lost_answers += [doubt() for _ in range(10)]
    asking = await bench.run_out(job.id)
    assert (asking.state, bench.backend.posts) == (JobState.UNDECIDED, 3)
    assert bench.deliverer.cards[job.id] == "undecided"


async def test_absence_from_an_incomplete_listing_says_nothing(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = bench.backend.complete = False
    await die_unconfirmed(bench, job)
    assert (await bench.step(job.id)).state is JobState.UNCONFIRMED
    assert (await bench.step(job.id)).state is JobState.UNDECIDED
    assert bench.backend.posts == 1


async def test_one_complete_listing_after_an_incomplete_one_is_not_enough(bench: Bench) -> None:
    job = await bench.at(JobState.SUBMITTING)
    await bench.step(job.id)
    bench.backend.complete = False
    await bench.step(job.id)
    bench.backend.complete = True
    assert (await bench.step(job.id)).state is JobState.UNCONFIRMED
    assert (await bench.step(job.id)).state is JobState.QUEUED


async def test_two_candidates_are_left_to_the_person(bench: Bench) -> None:
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


async def test_an_old_remote_job_is_no_candidate(bench: Bench) -> None:
    bench.backend.charge(REQUEST)
    bench.clock.advance(301)
    job = await bench.at(JobState.QUEUED)
    await die_unconfirmed(bench, job)
    assert (await bench.step(job.id)).remote_id == "video_2"


async def test_an_early_webhook_names_the_remote_job_where_nothing_is_listed(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = bench.backend.complete = False
    await die_unconfirmed(bench, job)
    bench.backend.charge(OTHER)
    for ref in bench.backend.history:
        await bench.jobs.receive_webhook(backend="fake", webhook_id=ref, remote_id=ref)
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


async def test_a_listing_that_fails_is_asked_again_then_left_to_the_person(bench: Bench) -> None:
    job = await bench.at(JobState.UNCONFIRMED)
    bench.backend.find_faults += [BackendError(ErrorKind.TRANSIENT, "down") for _ in range(2)]
    claimed = await bench.claim(job.id)
    with pytest.raises(BackendError):
        await bench.pipeline.steps[JobState.UNCONFIRMED](claimed)
    await bench.jobs.postpone(claimed, after=1, attempts=18)
    assert (await bench.step(job.id)).state is JobState.UNDECIDED


async def test_a_candidate_that_echoes_no_prompt_is_not_taken_while_another_is_in_doubt(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.certain = False
    await die_unconfirmed(bench, job)
    rival = await bench.submit(VideoRequest(prompt="else", model=None, seconds=8, size="1280x720"))
    await bench.step(rival.id)
    assert await bench.jobs.begin_submit(await bench.claim(rival.id)) is not None
    assert (await bench.step(job.id)).state is JobState.UNDECIDED


async def test_a_candidate_that_echoes_no_prompt_is_taken_when_nothing_else_is_in_doubt(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.certain = False
    await die_unconfirmed(bench, job)
    assert (await bench.step(job.id)).state is JobState.GENERATING


async def test_trying_again_while_the_remote_job_is_found_does_not_delete_it(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    await die_unconfirmed(bench, job)
    claimed = await bench.claim(job.id)
    await bench.jobs.move(claimed, JobState.UNDECIDED)
    await bench.jobs.retry_undecided(job.id)
    await bench.pipeline.steps[JobState.UNCONFIRMED](claimed)
    assert bench.backend.cancelled == []


async def test_what_another_backend_holds_waits_until_the_operator_goes_back(
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


async def test_what_was_never_submitted_goes_to_the_backend_of_today(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    await bench.database.rows("UPDATE jobs SET backend = 'former'", {})
    assert (await bench.step(job.id)).backend == "fake"


async def test_a_late_webhook_answers_what_no_listing_could(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = bench.backend.complete = False
    await die_unconfirmed(bench, job)
    assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    [ref] = bench.backend.history
    await bench.jobs.receive_webhook(backend="fake", webhook_id="wh_1", remote_id=ref)
    bound = await bench.step(job.id)
    assert (bound.state, bound.remote_id) == (JobState.GENERATING, ref)
    assert bench.backend.posts == 1


async def test_a_webhook_about_something_else_leaves_the_question_open(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lists = bench.backend.complete = False
    await die_unconfirmed(bench, job)
    await bench.run_out(job.id)
    await bench.jobs.receive_webhook(backend="fake", webhook_id="wh_1", remote_id="another")
    assert (await bench.step(job.id)).state is JobState.UNDECIDED
    await bench.jobs.receive_webhook(backend="fake", webhook_id="wh_2", remote_id="one more")
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


# Downloading and merging


async def test_a_download_that_fails_is_tried_again(bench: Bench) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.fetch_faults.append(BackendError(ErrorKind.TRANSIENT, "cut off"))
    with pytest.raises(BackendError):
        await bench.step(job.id)
    assert (await bench.now(job.id)).state is JobState.DOWNLOADING
    assert (await bench.step(job.id)).state is JobState.MERGING


async def test_a_clip_that_the_provider_lost_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.fetch_faults += [BackendError(ErrorKind.GONE, "expired")] * 2
    once = await bench.step(job.id)
    assert (once.state, once.next_at) == (JobState.DOWNLOADING, bench.clock() + 60)
    await failed(bench, job, "failed.gone", sentences)
    assert bench.backend.posts == 1


async def test_a_download_is_not_tried_for_ever(bench: Bench, sentences: frozenset[str]) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    await bench.jobs.postpone(await bench.claim(job.id), after=0, attempts=300)
    bench.backend.fetch_faults.append(BackendError(ErrorKind.TRANSIENT, "still down"))
    await failed(bench, job, "failed.gone", sentences)


async def test_what_is_no_video_three_times_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.fetch_faults += [MediaError("HTML") for _ in range(3)]
    assert (await bench.step(job.id)).misses == 1
    assert (await bench.step(job.id)).misses == 2
    await failed(bench, job, "failed.not_a_video", sentences)


async def test_a_merge_that_fails_twice_hands_over_the_clip_as_it_came_with_a_note(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults += [MediaError("boom", "tail"), MediaError("boom", "tail")]
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, "note.not_merged")
    assert bench.deliverer.notes == {job.id: "note.not_merged"}
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1"
    assert "note.not_merged" in sentences


async def test_a_merge_that_fails_once_is_merged_the_second_time(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults.append(MediaError("boom"))
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)
    assert bench.workspace.video(job.id).read_bytes().endswith(b" with voice")


async def test_what_the_editor_says_of_the_film_goes_with_it(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.note = NOTE_HELD_INSTEAD
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, "note.held_instead")
    assert bench.deliverer.notes == {job.id: "note.held_instead"}
    assert NOTE_HELD_INSTEAD in sentences


async def test_a_clip_that_can_not_be_repaired_is_handed_over_as_it_came(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING)
    bench.editor.faults += [MediaError("boom"), MediaError("boom")]
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1"


async def test_a_full_disk_is_no_reason_to_drop_a_narration(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults += [MediaError("boom", "x: No space left on device")] * 3
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            await bench.step(job.id)
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)


async def test_a_crash_after_the_choice_to_drop_the_narration_does_not_strand_the_job(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    clip = bench.workspace.folder(job.id).clip
    await bench.workspace.publish(job.id, clip, now=bench.clock())
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, "note.not_merged")


@pytest.mark.parametrize("attachment", [None, VOICE])
async def test_a_merge_that_was_cut_off_after_the_video_was_kept_is_finished(
    attachment: None, bench: Bench
) -> None:
    job = await bench.at(JobState.MERGING, attachment=attachment)
    running = await bench.claim(job.id)
    await bench.claim_again(job.id)
    # The step has done everything except the commit, which is too late.
    await bench.pipeline.steps[JobState.MERGING](running)
    before = bench.workspace.video(job.id).read_bytes()
    assert (await bench.now(job.id)).state is JobState.MERGING
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.workspace.video(job.id).read_bytes() == before


# Reusing the files of an earlier job


def kept(voice: Attachment = VOICE) -> Attachment:
    return replace(voice, url=None)


async def finished(bench: Bench, *, attachment: Attachment | None = None) -> Job:
    bench.backend.finish()
    return await bench.run_out((await bench.submit(attachment=attachment)).id)


async def test_a_text_is_kept_with_the_job_and_spoken_by_its_first_step(bench: Bench) -> None:
    bench.backend.finish()
    job = await bench.submit(attachment=text_attachment("Once upon a time"))
    assert (await bench.now(job.id)).attachment == text_attachment("Once upon a time")
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.editor.spoken == [(job.id, "Once upon a time")]
    assert bench.workspace.video(job.id).read_bytes().endswith(b" with voice")
    second = await bench.submit(attachment=text_attachment("Once upon a time"), narration_of=job.id)
    assert (await bench.run_out(second.id)).state is JobState.SUCCEEDED
    assert len(bench.editor.spoken) == 1


async def test_a_text_that_can_not_be_spoken_fails_the_job_before_anything_is_paid(
    bench: Bench,
) -> None:
    job = await bench.submit(attachment=text_attachment("…"))
    bench.editor.faults.append(UserError("speech.unavailable"))
    failed = await bench.step(job.id)
    assert failed.failure is not None
    assert failed.failure.key == "speech.unavailable"
    assert bench.backend.posts == 0


async def test_deleting_a_job_deletes_its_text(bench: Bench) -> None:
    bench.backend.finish()
    job = await bench.submit(attachment=text_attachment("Once upon a time"))
    await bench.run_out(job.id)
    assert await bench.retention.delete(job.id)
    [row] = await bench.database.rows("SELECT * FROM jobs", {})
    assert "Once upon a time" not in tuple(row)
    assert not await bench.workspace.has_narration(job.id)


async def test_a_job_takes_over_the_narration_of_another(bench: Bench) -> None:
    first = await finished(bench, attachment=VOICE)
    second = await bench.submit(attachment=kept(), narration_of=first.id)
    ended = await bench.run_out(second.id)
    assert ended.state is JobState.SUCCEEDED
    assert len(bench.editor.ingested) == 1
    assert bench.workspace.video(second.id).read_bytes() == CLIP + b"video_2 with voice"
    await bench.workspace.discard(first.id)
    third = await bench.submit(attachment=kept(), narration_of=second.id)
    assert (await bench.run_out(third.id)).state is JobState.SUCCEEDED


async def test_a_narration_that_is_no_longer_kept_ends_the_job_uncharged(
    bench: Bench, sentences: frozenset[str]
) -> None:
    first = await finished(bench, attachment=VOICE)
    await bench.workspace.discard(first.id)
    job = await bench.submit(attachment=kept(), narration_of=first.id)
    await failed(bench, job, "audio.not_kept", sentences)
    assert len(bench.backend.history) == 1


async def test_a_narration_is_added_to_a_finished_video_without_a_new_one(bench: Bench) -> None:
    first = await finished(bench)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.remote_id) == (JobState.SUCCEEDED, None)
    assert [to for _, to in await bench.events(job.id)][:2] == ["received", "merging"]
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1 with voice"
    assert bench.workspace.video(first.id).read_bytes() == CLIP + b"video_1"
    assert bench.deliverer.dms[job.id] == 1
    assert bench.backend.posts == 1
    assert bench.editor.replaced == []


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_second_narration_replaces_the_first(bench: Bench, *, deleted: bool) -> None:
    first = await finished(bench, attachment=VOICE)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    await bench.step(job.id)
    if deleted:
        assert await bench.retention.delete(first.id)
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.editor.replaced == [job.id]


async def test_a_narration_that_was_never_added_is_no_first_one(bench: Bench) -> None:
    first = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults += [MediaError("boom"), MediaError("boom")]
    await bench.run_out(first.id)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.editor.replaced == []


async def test_a_narration_for_a_video_that_is_gone_ends_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    first = await finished(bench)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    await bench.workspace.discard(first.id)
    await failed(bench, job, "failed.clip_gone", sentences)


async def test_a_narration_that_can_not_be_added_is_not_answered_with_the_same_video(
    bench: Bench, sentences: frozenset[str]
) -> None:
    first = await finished(bench)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    await bench.step(job.id)
    bench.editor.faults += [MediaError("boom"), MediaError("boom")]
    await failed(bench, job, "failed.not_narrated", sentences)
    assert not bench.workspace.video(job.id).exists()
    assert bench.workspace.video(first.id).read_bytes() == CLIP + b"video_1"


async def test_a_narration_is_added_although_the_day_is_used_up(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, caps=replace(CAPS, per_day=1)) as bench:
        first = await finished(bench)
        job = await bench.submit(attachment=VOICE, clip_of=first.id)
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
        with pytest.raises(UserError, match=r"caps\.day"):
            await bench.submit()


async def test_adding_a_narration_can_be_cancelled(bench: Bench) -> None:
    first = await finished(bench)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    await bench.step(job.id)
    assert await bench.jobs.cancel(job.id) is not None
    await bench.run_out(job.id)
    assert bench.backend.cancelled == []
    assert bench.deliverer.cards[job.id] == "cancelled"
    assert not bench.workspace.folder(job.id).path.exists()
    assert bench.workspace.video(first.id).exists()


@pytest.mark.parametrize("after", [False, True])
async def test_a_kill_at_any_statement_still_adds_a_narration_once(
    *, after: bool, tmp_path: Path, clock: Clock
) -> None:
    backend, deliverer = FakeBackend(clock), FakeDeliverer()
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        first = await finished(bench)
        for kill_at in range(1, 100):
            database = MortalDatabase(bench.database, kill_at=kill_at, after=after)
            mortal = Bench(
                database, tmp_path, clock=clock, backend=backend, deliverer=deliverer, caps=CAPS
            )
            survived = False
            with suppress(Killed):
                job = await mortal.submit(attachment=VOICE, clip_of=first.id)
                await mortal.run_out(job.id)
                survived = True
            rows = await bench.database.rows("SELECT id FROM jobs WHERE clip_of IS NOT NULL", {})
            for row in rows:
                assert (await bench.run_out(row["id"])).state is JobState.SUCCEEDED
                video = bench.workspace.video(row["id"])
                assert video.read_bytes() == CLIP + b"video_1 with voice"
            if survived:
                assert kill_at > 10
                assert len(rows) == len(deliverer.videos) - 1
                assert backend.posts == 1
                return
    pytest.fail("it never came to its end")


# Delivery


async def test_a_held_delivery_waits_and_is_woken_by_a_restart(
    tmp_path: Path, clock: Clock
) -> None:
    deliverer, backend = FakeDeliverer(handover=Handover.HELD), FakeBackend(clock)
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        job = await bench.at(JobState.DELIVERING)
        held = await bench.step(job.id)
        assert (held.state, held.next_at) == (JobState.DELIVERING, clock() + 3600)
    deliverer.handover = Handover.CARD
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        assert await bench.jobs.wake_postponed_deliveries() == 1
        assert (await bench.now(job.id)).next_at == clock()
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert deliverer.dms == {job.id: 1}


async def test_a_video_without_its_card_comes_by_dm_with_all_that_is_to_be_said_of_it(
    bench: Bench,
) -> None:
    bench.deliverer.handover = Handover.DM
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults += [MediaError("boom"), MediaError("boom")]
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.card_gone) == (JobState.SUCCEEDED, True)
    assert ended.note == "note.not_merged"


@pytest.mark.parametrize("state", [JobState.DELIVERING, JobState.NOTIFYING])
async def test_what_discord_does_not_take_now_is_not_given_up(
    state: JobState, bench: Bench
) -> None:
    job = await bench.at(state)
    bench.deliverer.faults.append(DeliveryError("down"))
    with pytest.raises(DeliveryError):
        await bench.step(job.id)
    assert (await bench.now(job.id)).state is state
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.deliverer.dms == {job.id: 1}


async def test_what_discord_does_not_take_for_a_day_is_left_to_the_dm_and_then_to_the_library(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    job = await bench.at(JobState.DELIVERING)
    for state in (JobState.NOTIFYING, JobState.SUCCEEDED):
        bench.deliverer.faults = [DeliveryError("down")]
        # The worker counts these attempts, minutes apart.
        await bench.database.rows("UPDATE jobs SET attempts = 299", {})
        with pytest.raises(DeliveryError):
            await bench.step(job.id)
        await bench.database.rows("UPDATE jobs SET attempts = 300", {})
        bench.deliverer.faults = [DeliveryError("down")]
        assert (await bench.step(job.id)).state is state
    assert bench.workspace.video(job.id).exists()
    artifact = await bench.artifacts.get(job.id)
    assert artifact is not None
    assert artifact.delivered_at is None
    assert [r.getMessage().split()[0] for r in caplog.records if r.levelname == "ERROR"] == [
        "delivery.card_given_up",
        "delivery.left_to_library",
    ]


async def test_a_video_that_somebody_deleted_before_its_delivery_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.DELIVERING)
    bench.workspace.video(job.id).unlink()
    await failed(bench, job, "failed.file_gone", sentences)


async def test_a_video_that_somebody_deleted_before_its_dm_ends_the_job(bench: Bench) -> None:
    job = await bench.at(JobState.NOTIFYING)
    bench.workspace.video(job.id).unlink()
    assert (await bench.step(job.id)).state is JobState.SUCCEEDED
    assert bench.deliverer.dms[job.id] == 0


# Final states


async def test_a_cancelled_job_is_stopped_upstream_once_even_if_its_card_fails(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.GENERATING)
    await bench.jobs.cancel(job.id)
    claimed = await bench.claim(job.id)
    bench.deliverer.faults.append(DeliveryError("down"))
    with pytest.raises(DeliveryError):
        await bench.pipeline.steps[JobState.CANCELLED](claimed)
    await bench.jobs.postpone(claimed, after=1, attempts=1)
    await bench.run_out(job.id)
    assert bench.backend.cancelled == ["video_1"]
    assert bench.deliverer.cards[job.id] == "cancelled"


@pytest.mark.parametrize(("faults", "cancelled"), [(2, ["video_1"]), (9, [])])
async def test_a_provider_that_can_not_stop_a_job_now_is_asked_again_a_few_times(
    bench: Bench, faults: int, cancelled: list[str]
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.cancel_faults += [BackendError(ErrorKind.TRANSIENT, "down")] * faults
    await bench.jobs.cancel(job.id)
    waiting = await bench.step(job.id)
    assert bench.deliverer.cards[job.id] == "cancelled"
    assert waiting.next_at is not None
    began = bench.clock()
    assert (await bench.run_out(job.id)).next_at is None
    assert bench.backend.cancelled == cancelled
    assert bench.clock() - began < 600
    assert len(bench.backend.cancel_faults) == max(0, faults - 6)


async def test_a_provider_that_refuses_to_stop_does_not_hold_up_the_card(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.cancel_faults.append(BackendError(ErrorKind.INTERNAL, "can't"))
    await bench.jobs.cancel(job.id)
    await bench.run_out(job.id)
    assert bench.deliverer.cards[job.id] == "cancelled"


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_an_end_leaves_no_files_behind(state: JobState, bench: Bench) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    assert bench.workspace.folder(job.id).path.exists()
    await bench.jobs.move(await bench.claim(job.id), state)
    await bench.run_out(job.id)
    assert not bench.workspace.folder(job.id).path.exists()


async def test_the_files_are_gone_before_success_is_committed(bench: Bench) -> None:
    job = await bench.at(JobState.NOTIFYING, attachment=VOICE)
    left = bench.workspace.folder(job.id).path
    at_commit: list[bool] = []
    bench.bus.subscribe(lambda _: at_commit.append(left.exists()))
    await bench.run_out(job.id)
    assert at_commit == [False]


async def test_the_files_are_gone_before_a_failed_job_is_let_go(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    await bench.jobs.fail(await bench.claim(job.id), "failed.bug", incident=job.id)
    claimed = await bench.claim(job.id)
    async with bench.unwritable():
        with pytest.raises(sqlite3.OperationalError):
            await bench.pipeline.steps[JobState.FAILED](claimed)
    assert not bench.workspace.folder(job.id).path.exists()
    assert (await bench.run_out(job.id)).next_at is None


async def test_a_failed_remote_job_is_never_made_again(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.only.state = RemoteState.FAILED
    bench.backend.only.error = BackendError(ErrorKind.MODERATED, "no")
    await failed(bench, job, "failed.moderated", sentences)
    assert bench.backend.posts == 1
