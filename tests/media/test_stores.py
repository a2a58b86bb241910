"""A workspace whose files are kept on another machine, and files that move there."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import FinishedVideo
from bot.errors import FileStoreError
from bot.media.files import local_copies
from bot.media.files.stores.base import is_key, job_of, keys_of, poster_key, video_key
from bot.media.files.stores.folder import FolderStore
from bot.media.files.stores.remote_file import RemoteFile
from bot.media.files.stores.takeover import TakeoverStore
from bot.media.files.workspace import Workspace
from tests.support.fakes.remote_store import RemoteStore

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.files.stores.base import KeptFile

JOB = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
VIDEO = video_key(JOB)


@pytest.fixture
def remote() -> RemoteStore:
    return RemoteStore()


@pytest.fixture
def workspace(tmp_path: Path, remote: RemoteStore) -> Workspace:
    return Workspace(tmp_path, remote)


async def publish(workspace: Workspace) -> None:
    folder = await workspace.create(JOB)
    folder.result.write_bytes(b"video")
    artifact = await workspace.publish(JOB, FinishedVideo(path=folder.result), now=1.0)
    assert (artifact.size, folder.result.exists()) == (5, False)


def here(tmp_path: Path) -> list[bytes]:
    return [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_published_video_is_elsewhere_and_can_be_uploaded_at_once_from_here(
    workspace: Workspace, remote: RemoteStore, tmp_path: Path
) -> None:
    await publish(workspace)
    assert remote.files == {VIDEO: b"video"}
    assert here(tmp_path) == [b"video"]
    assert await workspace.has_video(JOB)


async def test_a_video_that_is_not_here_is_fetched_once_by_many(
    workspace: Workspace, remote: RemoteStore, tmp_path: Path
) -> None:
    await publish(workspace)
    await workspace.delete_scratch(JOB)
    paths = await asyncio.gather(*(workspace.fetch_video(JOB) for _ in range(5)))
    assert {path.read_bytes() for path in paths} == {b"video"}
    assert len(here(tmp_path)) == 1
    assert paths[0].stat().st_mtime == 1e9
    remote.files[VIDEO] = b"another video"
    assert (await workspace.fetch_video(JOB)).read_bytes() == b"another video"
    remote.files.clear()
    with pytest.raises(FileNotFoundError):
        await workspace.fetch_video(JOB)


async def test_the_next_job_gets_the_narration_and_the_clip_from_elsewhere(
    workspace: Workspace, remote: RemoteStore
) -> None:
    await publish(workspace)
    folder = await workspace.create(JOB)
    folder.attachment.write_bytes(b"a voice")
    folder.encoded_narration.write_bytes(b"encoded")
    await workspace.keep_narration(JOB)
    assert len(remote.files) == 3
    await workspace.delete_folder(JOB)
    await workspace.reuse_narration(OTHER, of=JOB)
    await workspace.reuse_clip(OTHER, of=JOB)
    new = workspace.folder(OTHER)
    files = (new.attachment, new.encoded_narration, new.clip)
    assert [path.read_bytes() for path in files] == [b"a voice", b"encoded", b"video"]


async def test_deleting_leaves_nothing_here_or_elsewhere(
    workspace: Workspace, remote: RemoteStore, tmp_path: Path
) -> None:
    await publish(workspace)
    for decent in (True, False):
        async with workspace.new_copy(JOB, decent=decent) as copy:
            copy.write_bytes(b"copy")
        assert await workspace.copy_size(JOB, decent=decent) == 4
        assert (await workspace.fetch_copy(JOB, decent=decent)).read_bytes() == b"copy"
    async with workspace.new_poster(JOB) as poster:
        poster.write_bytes(b"poster")
    assert {poster_key(JOB), *remote.files} <= {*keys_of(JOB)}
    await workspace.delete_files(JOB)
    assert (remote.files, here(tmp_path)) == ({}, [])


async def test_a_store_that_is_away_fails_and_keeps_what_is_here(
    workspace: Workspace, remote: RemoteStore
) -> None:
    folder = await workspace.create(JOB)
    folder.result.write_bytes(b"video")
    remote.is_away = True
    with pytest.raises(FileStoreError):
        await workspace.publish(JOB, FinishedVideo(path=folder.result), now=1.0)
    assert folder.result.read_bytes() == b"video"
    remote.is_away = False
    assert (await workspace.publish(JOB, FinishedVideo(path=folder.result), now=1.0)).size == 5


async def test_files_of_a_folder_are_served_until_they_have_moved(
    remote: RemoteStore, tmp_path: Path
) -> None:
    old = Workspace(tmp_path)
    await publish(old)
    store = TakeoverStore(remote, FolderStore(tmp_path))
    workspace = Workspace(tmp_path, store)

    assert (await workspace.fetch_video(JOB)).read_bytes() == b"video"
    assert [file.key for file in await store.list()] == [VIDEO]
    assert await store.link(VIDEO, 60.0) is None

    remote.is_away = True
    with pytest.raises(FileStoreError):
        await store.sweep()
    remote.is_away = False
    await workspace.delete_scratch(JOB)
    await store.sweep()

    assert remote.files == {VIDEO: b"video"}
    assert here(tmp_path) == []
    assert (await workspace.fetch_video(JOB)).read_bytes() == b"video"
    assert [file.key for file in await store.list()] == [VIDEO]
    await workspace.delete_files(JOB)
    assert (remote.files, await workspace.has_video(JOB)) == ({}, False)


class SlowStore(RemoteStore):
    """A store that waits in the middle of an upload until the test lets it end."""

    def __init__(self) -> None:
        super().__init__()
        self.is_uploading, self.may_end = asyncio.Event(), asyncio.Event()

    async def put(self, key: str, path: Path) -> None:
        content = await asyncio.to_thread(path.read_bytes)
        self.is_uploading.set()
        await self.may_end.wait()
        await super().put(key, path)
        self.files[key] = content


@pytest.fixture
def slow() -> SlowStore:
    return SlowStore()


@pytest.fixture
async def takeover(slow: SlowStore, tmp_path: Path) -> TakeoverStore:
    """Return a store with a video that is still in the folder."""
    await publish(Workspace(tmp_path))
    return TakeoverStore(slow, FolderStore(tmp_path))


async def test_a_file_that_is_deleted_while_it_moves_is_deleted_in_the_bucket_too(
    takeover: TakeoverStore, slow: SlowStore, tmp_path: Path
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(takeover.sweep(), name="sweep")
        await slow.is_uploading.wait()
        group.create_task(takeover.delete(keys_of(JOB)), name="delete")
        await asyncio.sleep(0)
        slow.may_end.set()
    assert (slow.files, here(tmp_path)) == ({}, [])


async def test_a_file_that_is_replaced_while_it_moves_keeps_its_new_content(
    takeover: TakeoverStore, slow: SlowStore, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    new.write_bytes(b"a new video")
    async with asyncio.TaskGroup() as group:
        group.create_task(takeover.sweep(), name="sweep")
        await slow.is_uploading.wait()
        group.create_task(takeover.put(VIDEO, new), name="put")
        await asyncio.sleep(0)
        slow.may_end.set()
    assert (slow.files, here(tmp_path)) == ({VIDEO: b"a new video"}, [])


async def test_a_file_can_be_read_while_and_after_it_moves(
    takeover: TakeoverStore, slow: SlowStore, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path, takeover)
    sweep = asyncio.create_task(takeover.sweep(), name="sweep")
    await slow.is_uploading.wait()
    path, found = await workspace.fetch_video(JOB), await workspace.find_video(JOB)
    slow.may_end.set()
    await sweep
    assert not (tmp_path / VIDEO).exists()
    assert path.read_bytes() == b"video"
    assert isinstance(found, RemoteFile)
    assert await found.read(range(1, 3)) == b"id"
    assert await workspace.fetch_video(JOB) == path


async def test_a_crash_after_a_replacement_does_not_bring_the_old_content_back(
    tmp_path: Path,
) -> None:
    await publish(Workspace(tmp_path))
    os.utime(tmp_path / VIDEO, (5e8, 5e8))  # older than all files of the fake store
    remote = RemoteStore()
    remote.files[VIDEO] = b"a new video"
    await TakeoverStore(remote, FolderStore(tmp_path)).sweep()
    assert (remote.files, here(tmp_path)) == ({VIDEO: b"a new video"}, [])


async def test_a_file_that_was_deleted_after_the_folder_was_listed_stops_no_other(
    tmp_path: Path, remote: RemoteStore
) -> None:
    for job_id in (JOB, OTHER):
        folder = await Workspace(tmp_path).create(job_id)
        folder.result.write_bytes(b"video")
        await Workspace(tmp_path).publish(job_id, FinishedVideo(path=folder.result), now=1.0)

    class ListsAllOnce(FolderStore):
        async def list(self) -> tuple[KeptFile, ...]:
            listed = await super().list()
            await self.delete((listed[0].key,))
            return listed

    await TakeoverStore(remote, ListsAllOnce(tmp_path)).sweep()
    assert (len(remote.files), here(tmp_path)) == (1, [])


async def test_a_file_is_not_fetched_if_the_disk_has_no_room_for_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(workspace)
    await workspace.delete_scratch(JOB)

    async def little(folder: Path) -> int:
        assert folder == tmp_path
        return 64 * 1024 * 1024 + 4

    monkeypatch.setattr(local_copies, "free_bytes", little)
    with pytest.raises(FileStoreError, match="no room for a copy of 5 bytes"):
        await workspace.fetch_video(JOB)
    assert here(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    ["", VIDEO[:-1], f"x/{JOB}.mp4", f"videos/../{JOB}.mp4", f"videos/{JOB}.exe", f"work/{JOB}"],
)
def test_foreign_names_are_no_keys(name: str) -> None:
    assert not is_key(name)
    with pytest.raises(ValueError, match="kept file"):
        job_of(name)
