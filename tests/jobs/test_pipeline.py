"""Jobs from the command to the finished video, with and without a restart or a kill."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import NOTE_HELD_INSTEAD, FinishedVideo
from bot.errors import BackendError, ErrorKind, MediaError
from bot.media.files.shared_work import SharedWork
from bot.media.mp4.reader import read_mp4
from bot.model import JobState
from storage.database import open_database
from tests.support.fakes.backend import CLIP, FakeBackend
from tests.support.fakes.bench import CAPS, Bench, open_bench
from tests.support.fakes.deliverer import FakeDeliverer
from tests.support.fakes.orders import VOICE
from tests.support.fakes.remote_store import RemoteStore
from tests.support.media.clips import make_clip
from tests.support.mortal_database import Killed, MortalDatabase
from tests.support.outcomes import assert_failed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.usefixtures("_on_each_database")

OPEN_STATES = [state for state in JobState if not state.is_final]


@pytest.mark.sqlite
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
    assert bench.editor.with_poster == [job.id]
    assert not bench.workspace.folder(job.id).path.exists()


@pytest.mark.sqlite
async def test_a_narration_is_laid_over_the_clip(bench: Bench) -> None:
    job = await bench.submit(attachment=VOICE)
    bench.backend.finish()
    ended = await bench.run_out(job.id)
    assert ended.state is JobState.SUCCEEDED
    assert bench.editor.ingested == [(job.id, VOICE.url)]
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1 with voice"


@pytest.mark.parametrize(("seconds", "is_known"), [(29, True), (31, False)])
async def test_the_merge_knows_a_clip_that_was_downloaded_a_moment_ago(
    bench: Bench, tmp_path: Path, seconds: int, *, is_known: bool
) -> None:
    bench.backend.clip_info = read_mp4(make_clip(tmp_path / "clip.mp4"))
    job = await bench.at(JobState.MERGING)
    bench.clock.advance(seconds)
    await bench.run_out(job.id)
    assert bench.editor.clip_infos == {job.id: bench.backend.clip_info if is_known else None}


async def test_the_merge_knows_nothing_of_a_clip_that_was_replaced(
    bench: Bench, tmp_path: Path
) -> None:
    bench.backend.clip_info = read_mp4(make_clip(tmp_path / "clip.mp4"))
    job = await bench.at(JobState.MERGING)
    bench.workspace.folder(job.id).clip.unlink()
    bench.backend.clip_info = None  # the second download is no MP4
    await bench.run_out(job.id)
    assert bench.editor.clip_infos == {job.id: None}


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
        await bench.trust_list()
        ended = await bench.run_out(job.id)
        assert ended.state is JobState.SUCCEEDED
        video = bench.workspace.video(job.id).read_bytes()
    assert video.endswith(b" with voice")
    assert len(backend.charged) == 1
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


@pytest.mark.sqlite
@pytest.mark.parametrize("after", [False, True])
async def test_a_kill_at_any_statement_loses_no_job_and_charges_once(
    *, after: bool, tmp_path: Path, clock: Clock
) -> None:
    for kill_at in range(1, 200):
        root = tmp_path / str(kill_at)
        backend, deliverer = FakeBackend(clock), FakeDeliverer()
        backend.finish()
        survived = False
        root.mkdir()
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
            await bench.trust_list()
            for row in rows:
                assert (await bench.run_out(row["id"])).state is JobState.SUCCEEDED
        assert len(backend.charged) == backend.posts == len(deliverer.videos) == len(rows)
        # Only a kill before the job's first write, which is the third statement, leaves no job.
        assert len(rows) == (0 if kill_at + after <= 3 else 1)
        if survived:
            assert kill_at > 15
            return
    pytest.fail("it never came to its end")


@pytest.mark.sqlite
async def test_a_download_that_fails_is_tried_again(bench: Bench) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.fetch_faults.append(BackendError(ErrorKind.TRANSIENT, "cut off"))
    with pytest.raises(BackendError):
        await bench.step(job.id)
    assert (await bench.now(job.id)).state is JobState.DOWNLOADING
    assert (await bench.step(job.id)).state is JobState.MERGING


@pytest.mark.sqlite
async def test_a_clip_that_the_provider_lost_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    bench.backend.fetch_faults += [BackendError(ErrorKind.GONE, "expired")] * 200
    since = bench.clock()
    while (await bench.step(job.id)).state is JobState.DOWNLOADING:
        pass
    assert 3500 <= bench.clock() - since <= 3700
    await assert_failed(bench, job, "failed.gone", sentences)
    assert bench.backend.posts == 1


@pytest.mark.sqlite
async def test_a_download_is_not_tried_for_ever(bench: Bench, sentences: frozenset[str]) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    await bench.jobs.postpone(await bench.claim(job.id), after=0, attempts=300)
    bench.backend.fetch_faults.append(BackendError(ErrorKind.TRANSIENT, "still down"))
    await assert_failed(bench, job, "failed.gone", sentences)


@pytest.mark.sqlite
async def test_a_file_that_is_no_video_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.DOWNLOADING)
    since = bench.clock()
    bench.backend.fetch_faults += [MediaError("cut off") for _ in range(6)]
    for tries in range(1, 6):
        assert (await bench.step(job.id)).misses == tries
    await assert_failed(bench, job, "failed.not_a_video", sentences)
    assert 15 * 60 <= bench.clock() - since <= 20 * 60


@pytest.mark.sqlite
async def test_a_merge_that_fails_twice_delivers_the_clip_unchanged_with_a_note(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults += [MediaError("boom", "tail"), MediaError("boom", "tail")]
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, "note.not_merged")
    assert bench.deliverer.notes == {job.id: "note.not_merged"}
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1"
    assert "note.not_merged" in sentences


@pytest.mark.sqlite
async def test_a_merge_that_fails_once_is_merged_the_second_time(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults.append(MediaError("boom"))
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)
    assert bench.workspace.video(job.id).read_bytes().endswith(b" with voice")


async def test_the_editors_note_is_delivered_with_the_video(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.note = NOTE_HELD_INSTEAD
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, "note.held_instead")
    assert bench.deliverer.notes == {job.id: "note.held_instead"}
    assert NOTE_HELD_INSTEAD in sentences


@pytest.mark.sqlite
async def test_a_clip_that_can_not_be_repaired_is_delivered_unchanged(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING)
    bench.editor.faults += [MediaError("boom"), MediaError("boom")]
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1"


@pytest.mark.sqlite
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
    await bench.workspace.publish(job.id, FinishedVideo(path=clip), now=bench.clock())
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, "note.not_merged")


@pytest.mark.parametrize("attachment", [None, VOICE])
async def test_a_merge_that_was_cut_off_after_the_video_was_kept_is_finished(
    attachment: None, bench: Bench
) -> None:
    job = await bench.at(JobState.MERGING, attachment=attachment)
    running = await bench.claim(job.id)
    await bench.claim_again(job.id)
    # The step has done everything except the commit, which now comes too late.
    await bench.pipeline.steps[JobState.MERGING](running)
    before = bench.workspace.video(job.id).read_bytes()
    assert (await bench.now(job.id)).state is JobState.MERGING
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.workspace.video(job.id).read_bytes() == before


def machine(bench: Bench, root: Path, store: RemoteStore) -> Bench:
    """Return another machine with the same database and provider, and with a shared store."""
    made = Bench(
        bench.database,
        root,
        clock=bench.clock,
        backend=bench.backend,
        deliverer=bench.deliverer,
        caps=CAPS,
        files=store,
    )
    made.shared = SharedWork(made.workspace, store)
    made.pipeline = made.build_pipeline()
    return made


async def test_a_merge_that_was_cut_off_is_repeated_on_another_machine(
    bench: Bench, tmp_path: Path
) -> None:
    store = RemoteStore()
    first, second = (machine(bench, tmp_path / name, store) for name in ("first", "second"))
    job = await first.at(JobState.MERGING, attachment=VOICE)
    running = await first.claim(job.id)
    await second.claim_again(job.id)
    # The first machine has kept the video, but its commit comes too late.
    await first.pipeline.steps[JobState.MERGING](running)
    ended = await second.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)
    assert store.files[f"videos/{job.id}.mp4"] == CLIP + b"video_1 with voice"
    assert not [key for key in store.files if key.startswith("shared/")]


@pytest.mark.sqlite
async def test_a_clip_that_its_folder_has_lost_is_downloaded_again(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING)
    await bench.workspace.delete_folder(job.id)
    assert (await bench.step(job.id)).state is JobState.DOWNLOADING
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1"
    assert bench.backend.posts == 1


@pytest.mark.sqlite
async def test_a_lost_narration_is_taken_from_the_kept_ones(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    await bench.workspace.delete_folder(job.id)
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1 with voice"
    assert len(bench.editor.ingested) == 1
    assert await bench.workspace.has_narration(job.id)


@pytest.mark.sqlite
async def test_without_any_copy_of_the_narration_the_clip_is_delivered_with_a_note(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    await bench.workspace.delete_files(job.id)
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.note) == (JobState.SUCCEEDED, "note.not_merged")
    assert bench.workspace.video(job.id).read_bytes() == CLIP + b"video_1"


@pytest.mark.sqlite
async def test_a_lost_clip_that_the_provider_no_longer_has_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.MERGING)
    await bench.workspace.delete_folder(job.id)
    bench.backend.fetch_faults += [BackendError(ErrorKind.GONE, "expired")] * 200
    await bench.run_out(job.id, steps=200)
    await assert_failed(bench, job, "failed.gone", sentences)
