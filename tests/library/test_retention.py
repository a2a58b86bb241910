"""Retention: deletion on request, expiry by age, and the size limit."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bot.errors import FileStoreError
from bot.links import Links
from bot.media.files.atomic import part_of
from bot.model import Client, JobState
from bot.web.pages.file_links import FileLinks
from storage.retention import RetentionStore
from tests.support.fakes.bench import CAPS
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.orders import REQUEST, VOICE, origin
from tests.support.wire import open_wire

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_on_each_database")

DAY = 24 * 60 * 60
KEPT = ["videos", "narrations", "narrations"]  # with the narration's encoded form
ENDS = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
OPEN = tuple(state for state in JobState if state not in ENDS)


async def count(bench: Bench) -> None:
    """Record the files that a test has written into the folders itself."""
    listed = (await bench.workspace.inventory()).kept
    await bench.kept_files.mend(listed, now=bench.clock() + DAY)


async def ended(bench: Bench, state: JobState = JobState.SUCCEEDED) -> str:
    """Finish a narrated job that has a file of every kind, and return its id."""
    job = await bench.run_out((await bench.at(state, attachment=VOICE)).id)
    folder = await bench.workspace.create(job.id)
    folder.clip.write_bytes(b"clip")
    voices = (bench.workspace.narration(job.id), bench.workspace.encoded_narration(job.id))
    for path in (bench.workspace.video(job.id), *voices):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"kept")
    await count(bench)
    return job.id


async def copied(bench: Bench, job_id: str) -> list[Path]:
    """Create smaller copies of a job's video, and the part file of an unfinished one."""
    for decent in (True, False):
        async with bench.workspace.new_copy(job_id, decent=decent) as path:
            path.write_bytes(b"copy")
    copies = [bench.workspace.copy(job_id, decent=decent) for decent in (True, False)]
    copies.append(part_of(copies[0]))
    copies[-1].write_bytes(b"copy")
    await count(bench)
    return copies


def files(bench: Bench, job_id: str) -> list[str]:
    """List the files of a job on disk."""
    places = (bench.workspace.folder(job_id).path, bench.workspace.video(job_id))
    voices = (bench.workspace.narration(job_id), bench.workspace.encoded_narration(job_id))
    paths = (*places, *voices)
    return [path.parent.name for path in paths if path.exists()]


@pytest.mark.parametrize("state", ENDS)
async def test_a_deleted_job_leaves_only_an_empty_row(bench: Bench, state: JobState) -> None:
    job_id = await ended(bench, state)
    assert files(bench, job_id) == ["work", *KEPT]
    assert await bench.retention.delete(job_id)
    assert files(bench, job_id) == []
    assert await bench.artifacts.get(job_id) is None
    job = await bench.now(job_id)
    assert (job.state, job.deleted_at) == (state, bench.clock())
    assert (job.attachment, job.failure, job.origin.token) == (None, None, None)
    [row] = await bench.database.rows("SELECT * FROM jobs", {})
    assert not {REQUEST.prompt, REQUEST.fingerprint, VOICE.filename, VOICE.url} & set(row)


async def test_a_message_that_is_found_too_late_restores_no_deleted_job(
    bench: Bench,
) -> None:
    job = await bench.submit(acknowledged=False)
    bench.deliverer.found = None
    job = await bench.run_out(job.id)
    assert await bench.retention.delete(job.id)
    gone = await bench.now(job.id)
    assert await bench.jobs.acknowledge(job.id, 77) is None
    assert await bench.now(job.id) == gone


async def test_smaller_copies_count_as_kept_and_are_deleted_with_their_video(bench: Bench) -> None:
    job_id = await ended(bench)
    before = await bench.retention.stored(1)
    copies = await copied(bench, job_id)
    assert (await bench.retention.stored(1)).video_bytes == before.video_bytes + 3 * len(b"copy")
    await bench.artifacts.mark_delivered(job_id, now=bench.clock())
    await bench.build_retention(max_bytes=24).sweep()
    assert all(path.exists() for path in copies)
    await bench.build_retention(max_bytes=23).sweep()
    assert files(bench, job_id) == []
    assert [path for path in copies if path.exists()] == []


@pytest.mark.parametrize("state", OPEN)
async def test_an_open_job_is_not_deleted(bench: Bench, state: JobState) -> None:
    job = await bench.at(state, attachment=VOICE)
    assert not await bench.retention.delete(job.id)
    assert await bench.now(job.id) == job


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_a_job_whose_card_does_not_show_its_end_yet_is_not_deleted(
    bench: Bench, state: JobState
) -> None:
    job = await bench.at(state)
    assert not await bench.retention.delete(job.id)
    assert (await bench.now(job.id)).request == job.request


@pytest.mark.sqlite
async def test_an_unknown_job_is_not_deleted(bench: Bench) -> None:
    assert not await bench.retention.delete("0" * 32)


async def test_deleting_again_keeps_the_first_time(bench: Bench) -> None:
    job_id = await ended(bench)
    assert await bench.retention.delete(job_id)
    at = bench.clock()
    bench.clock.advance(60)
    assert await bench.retention.delete(job_id)
    assert (await bench.now(job_id)).deleted_at == at


async def test_the_daily_cap_counts_deleted_jobs(bench: Bench) -> None:
    job_id = await ended(bench)
    before = await bench.cap_store.usage(origin(), CAPS, now=bench.clock())
    await bench.retention.delete(job_id)
    assert await bench.cap_store.usage(origin(), CAPS, now=bench.clock()) == before
    assert before.today == 1 <= CAPS.per_day


@pytest.mark.sqlite
async def test_a_file_that_is_being_read_stays_readable_to_its_reader(bench: Bench) -> None:
    job_id = await ended(bench)
    with bench.workspace.video(job_id).open("rb") as file:
        assert await bench.retention.delete(job_id)
        assert file.read() == b"kept"


async def test_a_narration_counts_once_with_its_encoded_form(bench: Bench) -> None:
    for _ in range(2):
        await ended(bench)
    assert (await bench.retention.stored(1)).narrations == 2


async def test_deleting_all_deletes_the_encoded_narrations(bench: Bench) -> None:
    job_id = await ended(bench)
    await bench.retention.delete_all(1)
    assert files(bench, job_id) == []


# --- the sweep ---


async def delivered(bench: Bench, *, size: int = 4) -> str:
    """Deliver a job whose kept video has `size` bytes."""
    bench.clock.advance(1)
    job_id = await ended(bench)
    await bench.artifacts.mark_delivered(job_id, now=bench.clock())
    bench.workspace.narration(job_id).unlink()
    bench.workspace.encoded_narration(job_id).unlink()
    bench.workspace.video(job_id).write_bytes(b"v" * size)
    await bench.workspace.delete_folder(job_id)
    await count(bench)
    return job_id


def age(bench: Bench, path: Path, *, seconds: float) -> None:
    os.utime(path, (bench.clock() - seconds,) * 2)


async def test_deleting_all_clears_every_row_before_a_file_store_can_delay_it(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [await delivered(bench), await delivered(bench)]
    prompts_left: list[int] = []

    async def delete_files(_: str) -> None:
        rows = await bench.database.rows("SELECT id FROM jobs WHERE prompt <> ''", {})
        prompts_left.append(len(rows))
        raise FileStoreError("the store can't be reached")

    with monkeypatch.context() as away:
        away.setattr(bench.workspace, "delete_files", delete_files)
        deletion = await bench.retention.delete_all(1)
    assert (deletion.deleted, prompts_left) == (2, [0, 0])
    assert "error=the store can't be reached" in caplog.text
    await bench.retention.sweep()
    assert [files(bench, job) for job in jobs] == [[], []]


async def test_an_expired_video_is_deleted_with_its_narration(bench: Bench) -> None:
    job_id = await ended(bench)
    await bench.artifacts.mark_delivered(job_id, now=bench.clock())
    bench.clock.advance(30 * DAY)
    await bench.retention.sweep()
    assert files(bench, job_id) == KEPT
    bench.clock.advance(1)
    await bench.retention.sweep()
    assert files(bench, job_id) == []
    assert await bench.artifacts.get(job_id) is None
    job = await bench.now(job_id)
    assert (job.state, job.deleted_at) == (JobState.SUCCEEDED, None)
    assert job.request == REQUEST


async def test_an_undelivered_video_is_kept_at_any_age(bench: Bench) -> None:
    job_id = await ended(bench)
    bench.clock.advance(1000 * DAY)
    await bench.build_retention(max_bytes=1).sweep()
    assert files(bench, job_id) == KEPT
    assert await bench.artifacts.get(job_id) is not None


async def test_the_narration_of_an_open_job_is_kept_at_any_age(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING, attachment=VOICE)
    await bench.workspace.create(job.id)
    bench.clock.advance(1000 * DAY)
    await bench.build_retention(max_bytes=1).sweep()
    assert files(bench, job.id) == ["work", "narrations", "narrations"]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_the_files_of_a_failed_job_expire_too(bench: Bench, state: JobState) -> None:
    job_id = await ended(bench, state)
    bench.clock.advance(29 * DAY)
    await bench.retention.sweep()
    assert files(bench, job_id) == KEPT
    bench.clock.advance(2 * DAY)
    await bench.retention.sweep()
    assert files(bench, job_id) == []


async def test_the_oldest_videos_are_deleted_until_the_rest_is_within_the_limit(
    bench: Bench,
) -> None:
    jobs = [await delivered(bench, size=10) for _ in range(4)]
    waiting = await ended(bench)
    bench.workspace.video(waiting).write_bytes(b"v" * 6)
    await count(bench)
    await bench.build_retention(max_bytes=34).sweep()
    assert [bool(files(bench, job_id)) for job_id in [*jobs, waiting]] == [
        False,
        False,
        True,
        True,
        True,
    ]


async def test_videos_of_exactly_the_limit_are_kept(bench: Bench) -> None:
    job_id = await delivered(bench, size=10)
    await bench.build_retention(max_bytes=10).sweep()
    assert files(bench, job_id) == ["videos"]
    await bench.build_retention(max_bytes=9).sweep()
    assert files(bench, job_id) == []


@pytest.mark.parametrize("role", ["narration_of", "clip_of"])
async def test_files_that_an_open_job_reuses_are_kept_until_it_has_ended(
    bench: Bench, role: str
) -> None:
    job_id = await delivered(bench)
    taker = await bench.submit(**{role: job_id})
    tight = bench.build_retention(max_bytes=1)
    await tight.sweep()
    assert files(bench, job_id) == ["videos"]
    await bench.jobs.cancel(taker.id)
    await bench.run_out(taker.id)
    await tight.sweep()
    assert files(bench, job_id) == []


async def test_too_many_undelivered_videos_are_logged_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    retention = bench.build_retention(max_bytes=1)
    job_id = await ended(bench)
    for _ in range(3):
        await retention.sweep()
    assert [r.getMessage().split()[0] for r in caplog.records if r.levelname == "WARNING"] == [
        "keep.overfull"
    ]
    await bench.artifacts.mark_delivered(job_id, now=bench.clock())
    await retention.sweep()
    await ended(bench)
    await retention.sweep()
    assert sum("keep.overfull" in r.getMessage() for r in caplog.records) == 2


async def test_the_sweep_finishes_a_deletion_after_a_crash(bench: Bench) -> None:
    job_id = await ended(bench)
    assert await RetentionStore(bench.database).mark_deleted(job_id, now=bench.clock())
    await bench.retention.sweep()
    assert files(bench, job_id) == []
    assert await bench.artifacts.get(job_id) is None


async def test_the_sweep_finishes_an_expiry_after_a_crash(bench: Bench) -> None:
    job_id = await delivered(bench)
    await RetentionStore(bench.database).delete_artifact(job_id)
    await bench.retention.sweep()
    assert files(bench, job_id) == []


async def test_a_deleted_jobs_row_is_deleted_when_no_cap_counts_it(bench: Bench) -> None:
    job_id = await delivered(bench)
    kept = await delivered(bench)
    await bench.retention.delete(job_id)
    bench.clock.advance(DAY - 60)
    await bench.retention.sweep()
    assert await bench.jobs.get(job_id) is not None
    bench.clock.advance(120)
    await bench.retention.sweep()
    assert await bench.jobs.get(job_id) is None
    assert await bench.events(job_id) == []
    assert await bench.jobs.get(kept) is not None


async def test_a_deleted_jobs_row_is_deleted_in_time_despite_an_unconfirmed_job(
    bench: Bench,
) -> None:
    job_id = await delivered(bench)
    ref = (await bench.now(job_id)).remote_id
    assert ref is not None
    await bench.retention.delete(job_id)
    doubtful = await bench.at(JobState.UNDECIDED)
    bench.clock.advance(2 * DAY)
    await bench.retention.sweep()
    assert await bench.jobs.get(job_id) is None
    # Neither a listing nor a late webhook binds its remote job to the other job.
    await bench.webhooks.receive(backend=bench.backend.name, webhook_id="late", remote_id=ref)
    name = bench.backend.name
    assert ref not in await bench.unconfirmed.unclaimed(name)
    bench.clock.advance(31 * DAY)
    await bench.retention.sweep()
    assert await bench.spent.among(name, [ref]) == {ref}
    await bench.jobs.cancel_undecided(doubtful.id)
    await bench.retention.sweep()
    assert await bench.spent.among(name, [ref]) == set()


async def test_of_a_deleted_row_only_a_keyed_hash_of_the_remote_id_is_kept(bench: Bench) -> None:
    job_id = await delivered(bench)
    ref = (await bench.now(job_id)).remote_id or ""
    # As an earlier version stored them.
    await bench.database.rows("INSERT INTO spent_refs VALUES ('fake', 'video_older')", {})
    await bench.retention.delete(job_id)
    bench.clock.advance(2 * DAY)
    await bench.retention.sweep()
    assert await bench.spent.among("fake", [ref, "video_older"]) == {ref, "video_older"}
    stored = b"".join(path.read_bytes() for path in bench.root.glob("clapper.db*"))
    assert b"video_older" not in stored
    assert ref.encode() not in stored


@pytest.mark.sqlite
async def test_a_folder_left_by_an_ended_job_is_deleted_after_a_day(bench: Bench) -> None:
    job_id = await delivered(bench)
    folder = (await bench.workspace.create(job_id)).path
    age(bench, folder, seconds=DAY - 60)
    await bench.retention.sweep()
    assert files(bench, job_id) == ["work", "videos"]
    age(bench, folder, seconds=DAY + 60)
    await bench.retention.sweep()
    assert files(bench, job_id) == ["videos"]


@pytest.mark.sqlite
async def test_what_is_left_of_an_unfinished_copy_is_deleted_after_an_hour(bench: Bench) -> None:
    job_id = await delivered(bench)
    async with bench.workspace.new_copy(job_id, decent=True) as copy:
        pass  # it has been impossible to make
    copy.write_bytes(b"left by a crash")
    age(bench, copy.parent, seconds=60 * 60 - 60)
    await bench.retention.sweep()
    assert copy.exists()
    age(bench, copy.parent, seconds=60 * 60 + 60)
    await bench.retention.sweep()
    assert not copy.parent.exists()
    assert files(bench, job_id) == ["videos"]


@pytest.mark.sqlite
async def test_old_files_of_unknown_jobs_are_deleted(bench: Bench) -> None:
    job_id = "f" * 32
    folder = (await bench.workspace.create(job_id)).path
    video = bench.workspace.video(job_id)
    video.parent.mkdir()
    video.write_bytes(b"video")
    age(bench, folder, seconds=DAY - 60)
    age(bench, video, seconds=30 * DAY - 60)
    await bench.retention.sweep()
    assert files(bench, job_id) == ["work", "videos"]
    bench.clock.advance(120)
    await bench.retention.sweep()
    assert files(bench, job_id) == []


async def test_a_deleted_jobs_row_is_kept_until_its_files_are_deleted(bench: Bench) -> None:
    job_id = await delivered(bench)
    video = bench.workspace.video(job_id)
    video.unlink()
    video.mkdir()
    assert await bench.retention.delete(job_id)
    bench.clock.advance(40 * DAY)
    await bench.retention.sweep()
    assert await bench.jobs.get(job_id) is not None
    video.rmdir()
    await bench.retention.sweep()
    assert await bench.jobs.get(job_id) is None


@pytest.mark.sqlite
async def test_files_without_a_jobs_name_are_left_alone(bench: Bench) -> None:
    strange = bench.root / "videos" / "holiday.mp4"
    strange.parent.mkdir()
    strange.write_bytes(b"video")
    os.utime(strange, (0, 0))
    await bench.retention.sweep()
    assert strange.exists()


@pytest.mark.sqlite
async def test_a_file_that_can_not_be_deleted_stops_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = await delivered(bench)
    other = await delivered(bench)
    video = bench.workspace.video(stuck)
    video.unlink()
    video.mkdir()
    bench.clock.advance(31 * DAY)
    await bench.retention.sweep()
    assert files(bench, other) == []
    [record] = [r for r in caplog.records if r.levelname == "WARNING"]
    assert record.getMessage().startswith(f"files.undeletable id={stuck}")
    video.rmdir()
    video.write_bytes(b"video")
    await bench.retention.sweep()
    assert files(bench, stuck) == []


@pytest.mark.sqlite
async def test_the_link_to_a_deleted_video_is_not_found(bench: Bench) -> None:
    links = Links(b"key", public_url="https://c.example", lifetime=60.0, clock=bench.clock)
    routes = FileLinks(links, bench.artifacts, bench.workspace).routes
    expired, deleted, vanished = [await delivered(bench) for _ in range(3)]
    app = web.Application()
    app.add_routes(routes)
    async with TestClient(TestServer(app)) as client:

        async def status(job_id: str) -> int:
            path = URL(links.make(job_id)).path
            async with client.get(path) as response:
                return response.status

        assert await status(expired) == 200
        await bench.retention.delete(deleted)
        await bench.build_retention(max_bytes=4).sweep()
        bench.workspace.video(vanished).unlink()
        assert [await status(job_id) for job_id in (expired, deleted, vanished)] == [404] * 3


# --- in the running bot ---


class Lines(logging.Handler):
    """Sets an event when a message was logged."""

    def __init__(self, begins: str) -> None:
        super().__init__()
        self._begins = begins
        self.came = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(self._begins):
            self.came.set()


@contextmanager
def listening(begins: str) -> Generator[asyncio.Event]:
    handler, logger = Lines(begins), logging.getLogger("bot")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield handler.came
    logger.removeHandler(handler)
    logger.setLevel(level)


async def test_the_bot_sweeps_at_its_start_and_survives_a_failing_sweep(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path) as wire:
        narrations = wire.data_dir / "narrations"
        narrations.mkdir(parents=True)
        left = narrations / ("f" * 32)
        encoded = left.with_suffix(".m4a")
        for path in (left, encoded):
            path.write_bytes(b"voice")
            os.utime(path, (0, 0))
        async with asyncio.timeout(PATIENCE):
            with listening("files.left_over") as came:
                async with wire.bot():
                    await came.wait()
            assert not left.exists()
            assert not encoded.exists()
            narrations.rmdir()
            narrations.write_bytes(b"not a folder")
            with listening("sweep.failed") as came:
                async with wire.bot() as running:
                    await came.wait()
                    assert not running.done()


async def of_client(bench: Bench) -> str:
    job = await bench.jobs.submit(REQUEST, Client(name="web"), None)
    assert job is not None
    bench.backend.finish()
    while (await bench.now(job.id)).next_at is not None:
        await bench.step(job.id)
        bench.backend.finish()
    return job.id


async def test_a_clients_unfetched_video_is_deleted_for_its_age_and_never_for_space(
    bench: Bench,
) -> None:
    waiting, fetched = await of_client(bench), await of_client(bench)
    await bench.artifacts.mark_delivered(fetched, now=bench.clock())

    await bench.build_retention(max_bytes=1).sweep()
    assert await bench.workspace.has_video(waiting)
    assert not await bench.workspace.has_video(fetched)

    bench.clock.advance(31 * 24 * 60 * 60)
    await bench.retention.sweep()
    assert not await bench.workspace.has_video(waiting)
