"""Deletion leaves nothing of a job behind, in the database's files or at the provider."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState
from bot.backends.openai_videos import OpenAIVideos
from bot.errors import BackendError, ErrorKind
from bot.library.remote_deletion import RemoteDeletion
from bot.model import JobState
from storage.retention import RetentionStore
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.orders import REQUEST
from tests.support.storyboard import ManualRenderer, files, open_board

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.bench import Bench
    from tests.support.storyboard import ApiCaller

pytestmark = pytest.mark.usefixtures("_on_each_database")

DAY = 24 * 60 * 60


@asynccontextmanager
async def erasing(bench: Bench) -> AsyncGenerator[None]:
    task = asyncio.create_task(bench.remote_deletion.run(), name="remote deletion")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ended(bench: Bench) -> str:
    return (await bench.run_out((await bench.at(JobState.SUCCEEDED)).id)).id


async def erased(bench: Bench) -> bool:
    return await RetentionStore(bench.database).remote_jobs(bench.backend.name) == []


async def until_erased(bench: Bench) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await erased(bench):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0)


def database_bytes(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in root.glob("clapper.db*"))


@pytest.mark.sqlite
async def test_a_deleted_prompt_is_in_no_file_of_the_database(bench: Bench) -> None:
    job_id, other = await ended(bench), await ended(bench)
    assert REQUEST.prompt.encode() in database_bytes(bench.root)
    await bench.retention.delete(other)
    assert (await bench.retention.delete_all((await bench.now(job_id)).origin.user_id)).deleted == 1
    assert REQUEST.prompt.encode() not in database_bytes(bench.root)


@pytest.mark.sqlite
async def test_a_wal_that_is_being_read_is_kept_until_the_next_sweep(bench: Bench) -> None:
    job_id = await ended(bench)
    await bench.database.rows("PRAGMA busy_timeout = 0", {})
    with closing(sqlite3.connect(bench.root / "clapper.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM jobs").fetchall()
        assert await bench.retention.delete(job_id)
        assert REQUEST.prompt.encode() in database_bytes(bench.root)
    await bench.retention.sweep()
    assert REQUEST.prompt.encode() not in database_bytes(bench.root)


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
async def test_the_video_service_deletes_what_it_has_of_a_deleted_job(
    bench: Bench, state: JobState
) -> None:
    job = await bench.at(JobState.GENERATING)
    match state:
        case JobState.SUCCEEDED:
            bench.backend.finish()
        case JobState.FAILED:
            bench.backend.only.state = RemoteState.FAILED
            bench.backend.only.error = BackendError(ErrorKind.MODERATED, "no")
        case _:
            await bench.jobs.cancel(job.id)
    assert (await bench.run_out(job.id)).state is state
    bench.backend.cancelled.clear()
    async with erasing(bench):
        assert await bench.retention.delete(job.id)
        await until_erased(bench)
    assert bench.backend.cancelled == [bench.backend.only.ref]


async def test_a_video_service_that_is_down_is_asked_again(bench: Bench) -> None:
    job_id = await ended(bench)
    await bench.retention.delete(job_id)
    bench.backend.cancel_faults.append(BackendError(ErrorKind.TRANSIENT, "down"))
    await bench.remote_deletion.delete_remote_jobs()
    bench.backend.can_cancel = False
    await bench.remote_deletion.delete_remote_jobs()
    assert not await erased(bench)
    bench.backend.can_cancel = True
    await bench.remote_deletion.delete_remote_jobs()
    await bench.remote_deletion.delete_remote_jobs()
    assert bench.backend.cancelled == [bench.backend.only.ref] * 2
    assert (await bench.now(job_id)).deleted_at is not None


async def test_remote_jobs_of_another_service_are_not_deleted(bench: Bench) -> None:
    await bench.retention.delete(await ended(bench))
    other = FakeBackend(bench.clock, name="other")
    await RemoteDeletion(
        RetentionStore(bench.database), other, clock=bench.clock
    ).delete_remote_jobs()
    assert other.cancelled == []


async def test_a_kept_job_stays_at_the_video_service(bench: Bench) -> None:
    await ended(bench)
    await bench.remote_deletion.delete_remote_jobs()
    assert bench.backend.cancelled == []


async def is_made(board: ApiCaller, clip: str) -> bool:
    return (await board.get(clip))["status"] == "completed"


async def test_the_embedded_renderer_keeps_no_file_of_a_deleted_clip(tmp_path: Path) -> None:
    async with open_board(tmp_path, ManualRenderer()) as board:
        clip = await board.create()
        backend = OpenAIVideos(base_url=board.base_url, api_key=None)
        async with asyncio.timeout(PATIENCE):
            while not await is_made(board, clip["id"]):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0)
        assert len(files(tmp_path, "video_*")) == 2
        assert await backend.cancel(clip["id"])
        assert files(tmp_path, "video_*") == []
        assert await backend.cancel(clip["id"])
        await backend.close()


async def test_a_job_that_cannot_be_deleted_at_the_provider_does_not_keep_the_others_there(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [await ended(bench) for _ in range(3)]
    for job_id in jobs:
        assert await bench.retention.delete(job_id)
    works, asked = bench.backend.cancel, list[str]()

    async def cancel(ref: str) -> bool:
        asked.append(ref)
        if len(asked) == 1:
            raise LookupError(ref)
        return await works(ref)

    monkeypatch.setattr(bench.backend, "cancel", cancel)
    with pytest.raises(LookupError):
        await bench.remote_deletion.delete_remote_jobs()
    assert len(asked) == 3
    assert len(await RetentionStore(bench.database).remote_jobs(bench.backend.name)) == 1
