from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import FinishedVideo
from bot.media.files.atomic import part_of
from bot.media.files.workspace import Workspace
from tests.support.fakes.remote_store import RemoteStore

if TYPE_CHECKING:
    from pathlib import Path

JOB = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "data")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_jobs_folder_is_private(workspace: Workspace) -> None:
    folder = await workspace.create(JOB)
    assert mode(folder.path) == 0o700
    assert folder == await workspace.create(JOB) == workspace.folder(JOB)
    files = (folder.attachment, folder.narration, folder.clip, folder.result)
    assert {file.parent for file in files} == {folder.encoded_narration.parent} == {folder.path}
    assert len({*files, folder.encoded_narration}) == 5


async def test_a_discarded_job_leaves_no_files(workspace: Workspace) -> None:
    folder = await workspace.create(JOB)
    encoded = workspace.encoded_narration(JOB)
    kept = (workspace.video(JOB), workspace.narration(JOB), encoded, part_of(encoded))
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"kept")
    await workspace.delete_files(JOB)
    await workspace.delete_files(JOB)
    assert not any(path.exists() for path in (folder.path, *kept))


async def test_a_folder_is_removed_with_its_contents(workspace: Workspace) -> None:
    folder = await workspace.create(JOB)
    folder.clip.write_bytes(b"clip")
    await workspace.delete_folder(JOB)
    assert not folder.path.exists()
    await workspace.delete_folder(JOB)


@pytest.mark.parametrize(
    "job_id", ["", "..", "../" * 10 + "ab", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n"]
)
def test_only_32_hex_digits_become_a_path(job_id: str, workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="32 hex digits"):
        workspace.folder(job_id)
    with pytest.raises(ValueError, match="32 hex digits"):
        workspace.video(job_id)


async def test_a_published_file_is_moved_and_described(workspace: Workspace) -> None:
    folder = await workspace.create(JOB)
    folder.result.write_bytes(b"video" * 1000)
    artifact = await workspace.publish(JOB, FinishedVideo(path=folder.result), now=12.5)
    assert workspace.video(JOB).read_bytes() == b"video" * 1000
    assert not folder.result.exists()
    assert (artifact.job_id, artifact.size, artifact.created_at) == (JOB, 5000, 12.5)
    assert artifact.sha256 == hashlib.sha256(b"video" * 1000).hexdigest()


@pytest.mark.parametrize("captioned", [False, True])
async def test_publishing_again_describes_the_same_file(
    workspace: Workspace, *, captioned: bool
) -> None:
    folder = await workspace.create(JOB)
    folder.result.write_bytes(b"video")
    folder.captions.write_bytes(b"WEBVTT")
    video = FinishedVideo(path=folder.result, captions=folder.captions if captioned else None)
    first = await workspace.publish(JOB, video, now=1)
    assert await workspace.publish(JOB, video, now=1) == first


async def test_publishing_again_to_a_store_elsewhere_keeps_the_local_copy(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, RemoteStore())
    folder = await workspace.create(JOB)
    folder.result.write_bytes(b"video")
    first = await workspace.publish(JOB, FinishedVideo(path=folder.result), now=1)
    copy = workspace.video(JOB).stat()
    assert await workspace.publish(JOB, FinishedVideo(path=folder.result), now=1) == first
    assert workspace.video(JOB).stat().st_ino == copy.st_ino


async def test_publishing_nothing_fails(workspace: Workspace) -> None:
    with pytest.raises(FileNotFoundError):
        await workspace.publish(JOB, FinishedVideo(path=workspace.folder(JOB).result), now=1)


async def test_the_free_disk_space_is_returned(workspace: Workspace) -> None:
    await workspace.create(JOB)
    assert await workspace.free_bytes() > 0


@pytest.mark.parametrize("links", [True, False])
async def test_a_video_is_shared_with_and_without_hard_links(
    *, links: bool, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    video = workspace.video(JOB)
    video.parent.mkdir(parents=True)
    video.write_bytes(b"a video")
    for _ in range(2):
        await workspace.reuse_clip(OTHER, of=JOB)
    folder = workspace.folder(OTHER)
    assert [path.name for path in folder.path.iterdir()] == [folder.clip.name]
    assert folder.clip.read_bytes() == b"a video"
    assert folder.clip.samefile(video) is links
    await workspace.delete_files(JOB)
    with pytest.raises(FileNotFoundError):
        await workspace.reuse_clip(OTHER, of=JOB)


async def test_a_kept_narration_is_in_a_private_folder(workspace: Workspace) -> None:
    folder = await workspace.create(JOB)
    folder.attachment.write_bytes(b"a voice")
    for _ in range(2):
        await workspace.keep_narration(JOB)
    kept = workspace.narration(JOB)
    assert (kept.read_bytes(), mode(kept.parent)) == (b"a voice", 0o700)
    assert not folder.attachment.exists()


@pytest.mark.parametrize("links", [True, False])
async def test_an_encoded_narration_is_kept_and_taken_over_by_the_next_job(
    *, links: bool, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    folder = await workspace.create(JOB)
    folder.attachment.write_bytes(b"a voice")
    await workspace.keep_narration(JOB)
    folder.encoded_narration.write_bytes(b"encoded")
    for _ in range(2):
        await workspace.keep_narration(JOB)
    kept = workspace.encoded_narration(JOB)
    assert (kept.read_bytes(), kept.parent) == (b"encoded", workspace.narration(JOB).parent)
    assert folder.encoded_narration.read_bytes() == b"encoded"
    for _ in range(2):
        await workspace.reuse_narration(OTHER, of=JOB)
        await workspace.delete_folder(JOB)
    assert workspace.folder(OTHER).encoded_narration.read_bytes() == b"encoded"
    await workspace.keep_narration(OTHER)
    await workspace.delete_files(JOB)
    assert workspace.encoded_narration(OTHER).read_bytes() == b"encoded"


async def test_a_narration_that_was_not_encoded_is_taken_over_alone(workspace: Workspace) -> None:
    folder = await workspace.create(JOB)
    folder.attachment.write_bytes(b"a voice")
    await workspace.keep_narration(JOB)
    await workspace.reuse_narration(OTHER, of=JOB)
    assert workspace.folder(OTHER).attachment.read_bytes() == b"a voice"
    assert not workspace.folder(OTHER).encoded_narration.exists()


async def test_an_encoded_narration_counts_with_its_unfinished_copy(workspace: Workspace) -> None:
    folder = await workspace.create(JOB)
    folder.encoded_narration.write_bytes(b"encoded")
    await workspace.keep_narration(JOB)
    part_of(workspace.encoded_narration(JOB)).write_bytes(b"enc")
    found = (await workspace.inventory()).narrations
    assert [(item.job_id, item.size) for item in sorted(found, key=lambda item: item.size)] == [
        (JOB, 3),
        (JOB, 7),
    ]


def _no_links(*_: object, **__: object) -> None:
    raise PermissionError
