"""Manages the files of jobs: a private folder while a job runs, and its results afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.artifacts import Artifact
from bot.media.files.atomic import commit, part_of
from bot.media.files.inventory import Inventory, list_items

if TYPE_CHECKING:
    from pathlib import Path

_JOB_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFolder:
    """The paths of a running job's files. The names are fixed, so none comes from outside."""

    path: Path

    @property
    def attachment(self) -> Path:
        """The narration as it was attached."""
        return self.path / "attachment"

    @property
    def narration(self) -> Path:
        """The narration, converted to WAV."""
        return self.path / "narration.wav"

    @property
    def encoded_narration(self) -> Path:
        """The narration, encoded for the merge before the clip is available."""
        return self.path / "narration.m4a"

    @property
    def clip(self) -> Path:
        """The video as the provider made it."""
        return self.path / "clip.mp4"

    @property
    def result(self) -> Path:
        """The video with the narration merged in."""
        return self.path / "result.mp4"


class Workspace:
    """The folder `root` with the files of all jobs.

    `work/<id>`: the private folder of a running job.
    `videos/<id>.mp4`: a finished video. `videos/<id>.jpg`: its poster.
    `fitted/<id>.mp4` and `squeezed/<id>.mp4`: smaller copies of the video.
    `narrations/<id>`: an attachment. `narrations/<id>.m4a`: the same, encoded for the merge.
    All methods raise ValueError if a job id doesn't consist of 32 hex digits.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def folder(self, job_id: str) -> JobFolder:
        """Return the paths of a running job's files. The folder need not exist."""
        return JobFolder(path=self._root / "work" / _checked(job_id))

    def video(self, job_id: str) -> Path:
        """Return the path of a job's finished video, which need not exist."""
        return self._root / "videos" / f"{_checked(job_id)}.mp4"

    def poster(self, job_id: str) -> Path:
        """Return the path of a finished video's poster, which need not exist."""
        return self.video(job_id).with_suffix(".jpg")

    def copy(self, job_id: str, *, decent: bool) -> Path:
        """Return the path of a smaller copy of a finished video, which need not exist.

        `decent`: True for the copy that still looks acceptable, False for the one that was shrunk
        as far as necessary.
        """
        return self._root / ("fitted" if decent else "squeezed") / f"{_checked(job_id)}.mp4"

    async def prepare_copy(self, job_id: str, *, decent: bool) -> Path:
        """Create the folder for a smaller copy, and return the path of the copy."""
        copy = self.copy(job_id, decent=decent)
        await asyncio.to_thread(_make_private, copy.parent)
        return copy

    def narration(self, job_id: str) -> Path:
        """Return the path of a job's attachment that is kept for later jobs. It need not exist."""
        return self._root / "narrations" / _checked(job_id)

    def encoded_narration(self, job_id: str) -> Path:
        """Return the path of a job's encoded narration that is kept for later jobs.

        It need not exist.
        """
        return self.narration(job_id).with_suffix(".m4a")

    async def create(self, job_id: str) -> JobFolder:
        """Create a job's folder unless it exists, and return the paths of its files."""
        folder = self.folder(job_id)
        await asyncio.to_thread(_make_private, folder.path)
        return folder

    async def delete_folder(self, job_id: str) -> None:
        """Delete a job's folder and its contents, but not the finished video."""
        await asyncio.to_thread(shutil.rmtree, self.folder(job_id).path, ignore_errors=True)

    async def delete_files(self, job_id: str) -> None:
        """Delete all files of a job."""
        await self.delete_folder(job_id)
        derived = [self.copy(job_id, decent=decent) for decent in (True, False)]
        derived += [self.poster(job_id), self.encoded_narration(job_id)]
        for path in (self.video(job_id), self.narration(job_id), *derived, *map(part_of, derived)):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def publish(self, job_id: str, path: Path, *, now: float) -> Artifact:
        """Move the finished video at `path` to the folder `videos`, and return its metadata.

        If an earlier attempt has already moved the file, only the metadata is returned.
        """
        return await asyncio.to_thread(self._publish, job_id, path, now)

    async def keep_narration(self, job_id: str) -> None:
        """Move a job's narration to where it is kept for later jobs. Repeating this is harmless."""
        await asyncio.to_thread(self._keep_narration, job_id)

    async def reuse_narration(self, job_id: str, *, of: str) -> None:
        """Put the narration that was kept from the job `of` into another job's folder.

        The encoded form is included if there is one. Raises FileNotFoundError if the narration has
        been deleted.
        """
        folder = await self.create(job_id)
        await asyncio.to_thread(_link_or_copy, self.narration(of), folder.attachment)
        with suppress(FileNotFoundError):
            encoded = self.encoded_narration(of)
            await asyncio.to_thread(_link_or_copy, encoded, folder.encoded_narration)

    async def reuse_clip(self, job_id: str, *, of: str) -> None:
        """Put the finished video of the job `of` into another job's folder, as its clip.

        Raises FileNotFoundError if the video has been deleted.
        """
        folder = await self.create(job_id)
        await asyncio.to_thread(_link_or_copy, self.video(of), folder.clip)

    async def has_narration(self, job_id: str) -> bool:
        """Return whether a job's attachment is still kept."""
        return await asyncio.to_thread(self.narration(job_id).exists)

    async def has_video(self, job_id: str) -> bool:
        """Return whether a job's finished video exists."""
        return await asyncio.to_thread(self.video(job_id).exists)

    async def is_published(self, job_id: str, path: Path) -> bool:
        """Return whether the file at `path` has already been moved to the folder `videos`."""
        return await self.has_video(job_id) and not await asyncio.to_thread(path.exists)

    async def inventory(self) -> Inventory:
        """List the files of all jobs."""
        return await asyncio.to_thread(self._inventory)

    async def free_bytes(self) -> int:
        """Return the free space on the disk, in bytes."""
        usage = await asyncio.to_thread(shutil.disk_usage, self._root)
        return usage.free

    def _keep_narration(self, job_id: str) -> None:
        folder, kept = self.folder(job_id), self.narration(job_id)
        if folder.attachment.exists():
            _make_private(kept.parent)
            commit(folder.attachment, kept)
        if folder.encoded_narration.exists():
            _make_private(kept.parent)
            _link_or_copy(folder.encoded_narration, self.encoded_narration(job_id))

    def _inventory(self) -> Inventory:
        return Inventory(
            videos=list_items(self._root / "videos"),
            copies=list_items(self._root / "fitted") + list_items(self._root / "squeezed"),
            narrations=list_items(self._root / "narrations"),
            folders=list_items(self._root / "work"),
        )

    def _publish(self, job_id: str, path: Path, now: float) -> Artifact:
        video = self.video(job_id)
        _make_private(video.parent)
        if path.exists() or not video.exists():
            commit(path, video)
        with video.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Artifact(
            job_id=job_id,
            size=video.stat().st_size,
            sha256=digest,
            created_at=now,
        )


def _checked(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise ValueError("a job id is 32 hex digits")
    return job_id


def _link_or_copy(source: Path, target: Path) -> None:
    """Make `target` a hard link to `source`, or a copy if the file system has no hard links."""
    part = part_of(target)
    # Old links are deleted first. Renaming a hard link to the name of another link to the same file
    # would do nothing.
    for old in (part, target):
        old.unlink(missing_ok=True)
    try:
        part.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, part)
    commit(part, target)


def _make_private(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
