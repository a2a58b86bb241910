"""Narrations and clips that a job reuses from an earlier job."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError, UserError
from bot.model import JobState, text_attachment
from tests.support.fakes.backend import CLIP, FakeBackend
from tests.support.fakes.bench import CAPS, Bench, open_bench
from tests.support.fakes.deliverer import FakeDeliverer
from tests.support.fakes.orders import VOICE
from tests.support.mortal_database import Killed, MortalDatabase
from tests.support.outcomes import assert_failed

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Attachment, Job
    from tests.support.fakes.clock import Clock


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
    assert bench.editor.machine_spoken == [job.id, second.id]


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


async def test_a_job_reuses_the_narration_of_another(bench: Bench) -> None:
    first = await finished(bench, attachment=VOICE)
    second = await bench.submit(attachment=kept(), narration_of=first.id)
    ended = await bench.run_out(second.id)
    assert ended.state is JobState.SUCCEEDED
    assert len(bench.editor.ingested) == 1
    assert bench.workspace.video(second.id).read_bytes() == CLIP + b"video_2 with voice"
    await bench.workspace.delete_files(first.id)
    third = await bench.submit(attachment=kept(), narration_of=second.id)
    assert (await bench.run_out(third.id)).state is JobState.SUCCEEDED


async def test_a_narration_that_is_no_longer_kept_ends_the_job_uncharged(
    bench: Bench, sentences: frozenset[str]
) -> None:
    first = await finished(bench, attachment=VOICE)
    await bench.workspace.delete_files(first.id)
    job = await bench.submit(attachment=kept(), narration_of=first.id)
    await assert_failed(bench, job, "audio.not_kept", sentences)
    assert len(bench.backend.charged) == 1


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
    assert bench.editor.replaced == bench.editor.machine_spoken == []


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_second_narration_replaces_the_first(bench: Bench, *, deleted: bool) -> None:
    first = await finished(bench, attachment=VOICE)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    await bench.step(job.id)
    if deleted:
        assert await bench.retention.delete(first.id)
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.editor.replaced == [job.id]


async def test_a_narration_that_was_never_added_does_not_count_as_the_first(bench: Bench) -> None:
    first = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults += [MediaError("boom"), MediaError("boom")]
    await bench.run_out(first.id)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.editor.replaced == []


async def test_a_narration_keeps_the_name_of_the_service_that_made_the_picture(
    bench: Bench,
) -> None:
    first = await finished(bench)
    await bench.database.rows(
        "UPDATE jobs SET backend = 'storyboard' WHERE id = :id", {"id": first.id}
    )
    over = await bench.submit(attachment=VOICE, clip_of=first.id)
    assert (await bench.now(over.id)).backend == "storyboard"
    assert (await bench.run_out(over.id)).state is JobState.SUCCEEDED
    again = await bench.submit(attachment=VOICE, clip_of=over.id)
    assert (await bench.now(again.id)).backend == "storyboard"
    other = await bench.submit(attachment=VOICE)
    assert (await bench.now(other.id)).backend == bench.backend.name


async def test_a_narration_for_a_deleted_video_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    first = await finished(bench)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    await bench.workspace.delete_files(first.id)
    await assert_failed(bench, job, "failed.clip_gone", sentences)


async def test_a_narration_that_can_not_be_added_is_not_answered_with_the_same_video(
    bench: Bench, sentences: frozenset[str]
) -> None:
    first = await finished(bench)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    await bench.step(job.id)
    bench.editor.faults += [MediaError("boom"), MediaError("boom")]
    await assert_failed(bench, job, "failed.not_narrated", sentences)
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


async def test_a_reused_clip_that_its_folder_has_lost_is_linked_again(bench: Bench) -> None:
    first = await finished(bench)
    second = await bench.submit(attachment=VOICE, clip_of=first.id)
    while (await bench.now(second.id)).state is not JobState.MERGING:
        await bench.step(second.id)
    await bench.workspace.delete_folder(second.id)
    ended = await bench.run_out(second.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)
    assert bench.workspace.video(second.id).read_bytes() == CLIP + b"video_1 with voice"
    assert "downloading" not in [to for _, to in await bench.events(second.id)]


async def test_a_reused_clip_that_is_deleted_too_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    first = await finished(bench)
    second = await bench.submit(attachment=VOICE, clip_of=first.id)
    while (await bench.now(second.id)).state is not JobState.MERGING:
        await bench.step(second.id)
    await bench.workspace.delete_folder(second.id)
    await bench.workspace.delete_files(first.id)
    await assert_failed(bench, second, "failed.clip_gone", sentences)
