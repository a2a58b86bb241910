"""Nothing that was paid for ends without a final attempt to download its clip."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind, MediaError, NoClipYetError, UnconvertedError
from bot.model import JobState
from tests.support.media.clips import make_clip

if TYPE_CHECKING:
    from pathlib import Path

    from bot.backends.base import BackendUpdate
    from bot.model import Job
    from tests.support.fakes.bench import Bench

DEADLINE = 1800.0
DAY = 24 * 60 * 60.0
GONE = BackendError(ErrorKind.GONE, "not found")


async def until(bench: Bench, job: Job, state: JobState) -> Job:
    """Run the job's steps while it stays in this state."""
    now = await bench.now(job.id)
    while now.state is state:
        now = await bench.step(job.id)
    return now


def failure_of(job: Job) -> str | None:
    return job.failure.key if job.failure else None


async def test_at_the_deadline_the_clip_is_asked_for_before_anything_is_deleted(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.contents.add(job.remote_id or "")
    bench.clock.advance(DEADLINE)
    assert (await bench.step(job.id)).state is JobState.DOWNLOADING
    assert bench.backend.cancelled == []
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


async def test_a_job_that_is_done_just_before_it_would_be_stopped_is_not_deleted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.clock.advance(DEADLINE)
    poll = bench.backend.poll

    async def then_done(ref: str) -> BackendUpdate:
        update = await poll(ref)
        bench.backend.finish()
        return update

    monkeypatch.setattr(bench.backend, "poll", then_done)
    bench.backend.fetch_faults.append(GONE)
    assert (await bench.step(job.id)).state is JobState.GENERATING
    assert bench.backend.cancelled == []
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


async def test_a_job_that_is_not_found_any_more_may_still_have_its_clip(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.charged.clear()
    bench.backend.contents.add(job.remote_id or "")
    assert (await until(bench, job, JobState.GENERATING)).state is JobState.DOWNLOADING
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


@pytest.mark.parametrize("misses", [1, 5, 15])
async def test_replicas_that_do_not_know_a_job_for_a_while_lose_nothing(
    misses: int, bench: Bench
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.poll_faults += [GONE] * misses
    for _ in range(misses):
        assert (await bench.step(job.id)).state is JobState.GENERATING
    bench.backend.finish()
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


async def test_a_clip_is_requested_once_more_before_a_job_fails_after_a_day(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.contents.add(job.remote_id or "")
    bench.clock.advance(DAY + DEADLINE)
    bench.backend.poll_faults.append(BackendError(ErrorKind.TRANSIENT, "down"))
    assert (await bench.step(job.id)).state is JobState.DOWNLOADING


@pytest.mark.parametrize("kind", [ErrorKind.GONE, ErrorKind.INTERNAL])
async def test_only_a_clear_failure_is_accepted_without_a_download(
    kind: ErrorKind, bench: Bench
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.contents.add(job.remote_id or "")
    bench.backend.only.state = RemoteState.FAILED
    bench.backend.only.error = BackendError(kind, "theirs")
    clear = kind is ErrorKind.INTERNAL
    assert (await bench.step(job.id)).state is (JobState.FAILED if clear else JobState.DOWNLOADING)


async def test_a_failure_that_was_only_inferred_is_checked_by_a_download(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.only.state = RemoteState.FAILED
    bench.backend.contents.add(job.remote_id or "")
    poll = bench.backend.poll

    async def inferred(ref: str) -> BackendUpdate:
        return replace(await poll(ref), inferred=True)

    monkeypatch.setattr(bench.backend, "poll", inferred)
    assert (await bench.step(job.id)).state is JobState.DOWNLOADING


async def test_what_the_final_download_has_saved_is_not_downloaded_again(
    bench: Bench, tmp_path: Path
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    clip = (await bench.workspace.create(job.id)).clip
    make_clip(tmp_path / "clip.mp4", seconds=1).replace(clip)
    bench.backend.charged.clear()
    assert (await bench.step(job.id)).state is JobState.MERGING


# Content that lags behind


async def test_a_content_that_is_missing_for_minutes_while_each_poll_says_completed_is_not_lost(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    since = bench.clock()
    bench.backend.fetch_faults += [GONE] * 40
    assert (await until(bench, job, JobState.DOWNLOADING)).state is JobState.MERGING
    assert bench.clock() - since >= 15 * 60


async def test_a_retrieve_that_is_not_found_does_not_hide_the_content(bench: Bench) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.poll_faults.append(GONE)
    assert (await bench.step(job.id)).state is JobState.MERGING


async def test_a_retrieve_and_a_content_that_are_not_found_for_a_while_are_not_lost(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.poll_faults += [GONE] * 10
    bench.backend.fetch_faults += [GONE] * 10
    assert (await until(bench, job, JobState.DOWNLOADING)).state is JobState.MERGING


async def test_an_expired_clip_is_not_awaited_for_so_long(bench: Bench) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.only.expires_at = bench.clock() - 1
    since = bench.clock()
    bench.backend.fetch_faults += [GONE] * 200
    ended = await until(bench, job, JobState.DOWNLOADING)
    assert failure_of(ended) == "failed.gone"
    assert bench.clock() - since <= 11 * 60


async def test_a_missing_clip_and_an_unusable_one_are_counted_apart(bench: Bench) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.fetch_faults += [*[GONE] * 10, MediaError("cut"), *[GONE] * 10, MediaError("cut")]
    assert (await until(bench, job, JobState.DOWNLOADING)).state is JobState.MERGING


async def test_a_page_instead_of_the_clip_is_not_the_end_for_an_hour(bench: Bench) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    since = bench.clock()
    bench.backend.fetch_faults += [NoClipYetError("a page")] * 110
    assert (await until(bench, job, JobState.DOWNLOADING)).state is JobState.MERGING
    assert bench.clock() - since >= 50 * 60


async def test_a_page_instead_of_the_clip_fails_the_job_after_an_hour(bench: Bench) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    since = bench.clock()
    bench.backend.fetch_faults += [NoClipYetError("a page")] * 200
    ended = await until(bench, job, JobState.DOWNLOADING)
    assert failure_of(ended) == "failed.not_a_video"
    assert bench.clock() - since <= 61 * 60


async def test_a_part_of_a_clip_may_be_followed_by_all_of_it(bench: Bench) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.fetch_faults += [MediaError("cut off")] * 5
    assert (await until(bench, job, JobState.DOWNLOADING)).state is JobState.MERGING


async def test_after_a_day_of_outages_the_content_is_asked_for_without_a_poll(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    await bench.jobs.postpone(await bench.claim(job.id), after=0, attempts=300)
    bench.backend.poll_faults.append(BackendError(ErrorKind.TRANSIENT, "still down"))
    assert (await bench.step(job.id)).state is JobState.MERGING


async def test_a_clip_that_can_not_be_converted_is_not_delivered(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING)
    bench.editor.faults += [UnconvertedError("no MP4 of this gif")] * 2
    ended = await until(bench, job, JobState.MERGING)
    assert failure_of(ended) == "failed.not_a_video"
