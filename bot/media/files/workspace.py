"""Manages the files of jobs: a private folder while a job runs, and its results afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.artifacts import Artifact, FinishedVideo
from bot.errors import MediaError
from bot.media.files.atomic import make_private
from bot.media.files.inventory import Inventory, InventoryFolder, list_folders
from bot.media.files.job_folder import JobFolder
from bot.media.files.local_copies import LocalCopies, free_bytes
from bot.media.files.stores.base import (
    captions_key,
    checked,
    copy_key,
    cues_key,
    encoded_narration_key,
    keys_of,
    narration_key,
    poster_key,
    video_key,
)
from bot.media.files.stores.folder import FolderStore, link_or_copy
from bot.media.mp4.reader import read_mp4

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.media.files.stores.base import FileStore
    from bot.media.files.stores.remote_file import RemoteFile


class Workspace:
    """Keeps the files of all jobs in folders below `root`, and the results of jobs in a store.

    The folder `work/<job id>` is private, and contains the files of a running job. A job's results
    are the finished video, its captions and poster, two smaller copies, the attachment, the encoded
    narration and its cues. Without a `store`, they are in folders below `root`. The folder
    `scratch/<job id>` contains unfinished results, and local copies of results whose store is on
    another machine. It is soon deleted by the sweep.
    All methods raise ValueError if a job id doesn't consist of 32 hex digits.
    """

    def __init__(self, root: Path, store: FileStore | None = None) -> None:
        self._root = root.absolute()
        self._store = store or FolderStore(self._root)
        self._copies = LocalCopies(self._root, self._store)

    def folder(self, job_id: str) -> JobFolder:
        """Return the paths of a running job's files. The folder need not exist."""
        return JobFolder(path=self._root / "work" / checked(job_id))

    def video(self, job_id: str) -> Path:
        """Return the local path of a job's finished video, even if the file doesn't exist."""
        return self._copies.path(video_key(job_id))

    def poster(self, job_id: str) -> Path:
        """Return the local path of a finished video's poster, even if the file doesn't exist."""
        return self._copies.path(poster_key(job_id))

    def copy(self, job_id: str, *, decent: bool) -> Path:
        """Return the local path of a finished video's smaller copy, even if it doesn't exist."""
        return self._copies.path(copy_key(job_id, decent=decent))

    def narration(self, job_id: str) -> Path:
        """Return the local path of an attachment kept for later jobs, even if it doesn't exist."""
        return self._copies.path(narration_key(job_id))

    def encoded_narration(self, job_id: str) -> Path:
        """Return the local path of an encoded narration that is kept for later jobs."""
        return self._copies.path(encoded_narration_key(job_id))

    async def create(self, job_id: str) -> JobFolder:
        """Create a job's folder unless it exists, and return the paths of its files."""
        folder = self.folder(job_id)
        await asyncio.to_thread(make_private, folder.path)
        return folder

    async def delete_folder(self, job_id: str) -> None:
        """Delete a job's folder and its contents, but not the finished video."""
        await asyncio.to_thread(shutil.rmtree, self.folder(job_id).path, ignore_errors=True)

    async def delete_scratch(self, job_id: str) -> None:
        """Delete a job's unfinished results, and the local copies of its kept results."""
        await asyncio.to_thread(shutil.rmtree, self._copies.scratch(job_id), ignore_errors=True)

    async def delete_files(self, job_id: str) -> None:
        """Delete all files of a job."""
        await self.delete_folder(job_id)
        await self.delete_kept(job_id)

    async def delete_kept(self, job_id: str) -> None:
        """Delete the files that are kept of a job, but not the job's folder."""
        await self.delete_scratch(job_id)
        await self._store.delete(keys_of(job_id))

    async def publish(self, job_id: str, video: FinishedVideo, *, now: float) -> Artifact:
        """Move a finished video and its captions to where they are kept, and return its metadata.

        If an earlier attempt has already moved the files, only the metadata is returned.
        """
        key = video_key(job_id)
        try:
            if video.captions is not None:  # first, so that no crash leaves a video without them
                await self._copies.keep(captions_key(job_id), video.captions)
            await self._copies.keep(key, video.path)
        except FileNotFoundError:
            if await self._store.head(key) is None:
                raise
        kept = await self.fetch_video(job_id)
        artifact = await asyncio.to_thread(_describe, job_id, kept, video.frame, now)
        return replace(artifact, has_captions=video.captions is not None)

    async def keep_narration(self, job_id: str) -> None:
        """Move a job's narration to where it is kept for later jobs. Repeating this is harmless."""
        folder = self.folder(job_id)
        if await asyncio.to_thread(folder.attachment.exists):
            await self._store.put(narration_key(job_id), folder.attachment)
        copied = {
            encoded_narration_key(job_id): folder.encoded_narration,
            cues_key(job_id): folder.cues,
        }
        for key, file in copied.items():
            if await asyncio.to_thread(file.exists):
                link = folder.path / f"kept{file.suffix}"
                await asyncio.to_thread(link_or_copy, file, link)
                await self._store.put(key, link)

    async def reuse_narration(self, job_id: str, *, of: str) -> None:
        """Put the narration that was kept from another job into this job's folder.

        `of`: the id of the other job.
        The encoded form and the cues are included if they were kept. Raises FileNotFoundError if
        the narration has been deleted.
        """
        folder = await self.create(job_id)
        await self._store.get(narration_key(of), folder.attachment)
        with suppress(FileNotFoundError):
            await self._store.get(encoded_narration_key(of), folder.encoded_narration)
        with suppress(FileNotFoundError):
            await self._store.get(cues_key(of), folder.cues)

    async def restore_attachment(self, job_id: str) -> None:
        """Put the attachment that was kept, if any, into the job's folder, unless it is there.

        The folder lacks the attachment if the job has begun on another machine.
        """
        folder = await self.create(job_id)
        if not await asyncio.to_thread(folder.attachment.exists):
            with suppress(FileNotFoundError):
                await self._store.get(cues_key(job_id), folder.cues)
            with suppress(FileNotFoundError):
                await self._store.get(narration_key(job_id), folder.attachment)

    async def reuse_clip(self, job_id: str, *, of: str) -> None:
        """Put the finished video of another job into this job's folder, as the clip.

        `of`: the id of the other job.

        Raises FileNotFoundError if the video has been deleted.
        """
        folder = await self.create(job_id)
        await self._store.get(video_key(of), folder.clip)

    async def fetch_video(self, job_id: str) -> Path:
        """Return the local path of a finished video. If its store is elsewhere, fetch it first.

        Raises FileNotFoundError if the video has to be fetched, but the store doesn't have it.
        """
        return await self._copies.fetch(video_key(job_id))

    async def fetch_poster(self, job_id: str) -> Path:
        """Return the local path of a poster. If its store is elsewhere, fetch the poster first."""
        return await self._copies.fetch(poster_key(job_id))

    async def fetch_captions(self, job_id: str) -> Path:
        """Return the local path of a video's captions, like `fetch_poster`."""
        return await self._copies.fetch(captions_key(job_id))

    async def fetch_copy(self, job_id: str, *, decent: bool) -> Path:
        """Return the local path of a smaller copy, like `fetch_poster`."""
        return await self._copies.fetch(copy_key(job_id, decent=decent))

    async def find_video(self, job_id: str) -> Path | RemoteFile:
        """Return a finished video without fetching it: its local path, or a reader of its store.

        Raises FileNotFoundError if the video has to be read from a store that doesn't have it.
        """
        return await self._copies.find(video_key(job_id))

    async def find_poster(self, job_id: str) -> Path | RemoteFile:
        """Return a poster, like `find_video`."""
        return await self._copies.find(poster_key(job_id))

    async def link_video(self, job_id: str, *, seconds: float) -> str | None:
        """Return a secret link to a finished video, or None if its store has no links.

        The file need not exist. For `seconds`, any person who has the link can open the video.
        """
        return await self._store.link(video_key(job_id), seconds)

    async def link_poster(self, job_id: str, *, seconds: float) -> str | None:
        """Return a secret link to a poster, like `link_video`."""
        return await self._store.link(poster_key(job_id), seconds)

    @asynccontextmanager
    async def new_copy(self, job_id: str, *, decent: bool) -> AsyncGenerator[Path]:
        """Provide a path for a smaller copy. A file that the `with` block writes there is kept."""
        async with self._copies.new(copy_key(job_id, decent=decent)) as path:
            yield path

    @asynccontextmanager
    async def new_poster(self, job_id: str) -> AsyncGenerator[Path]:
        """Provide a path for a poster. A file that the `with` block writes there is kept."""
        async with self._copies.new(poster_key(job_id)) as path:
            yield path

    async def has_narration(self, job_id: str) -> bool:
        """Return whether a job's attachment is still kept."""
        return await self._store.head(narration_key(job_id)) is not None

    async def has_video(self, job_id: str) -> bool:
        """Return whether a job's finished video exists."""
        return await self._store.head(video_key(job_id)) is not None

    async def has_poster(self, job_id: str) -> bool:
        """Return whether a finished video's poster exists."""
        return await self._store.head(poster_key(job_id)) is not None

    async def copy_size(self, job_id: str, *, decent: bool) -> int | None:
        """Return the size of a smaller copy in bytes, or None if there is none."""
        copy = await self._store.head(copy_key(job_id, decent=decent))
        return copy.size if copy else None

    def is_local(self, job_id: str) -> bool:
        """Tell whether a finished video is kept on this machine."""
        return self._store.path(video_key(job_id)) is not None

    async def inventory(self) -> Inventory:
        """List the files of all jobs."""
        kept = await self._store.list()
        folders, scratch = await self.local_folders()
        return Inventory(kept=kept, folders=folders, scratch=scratch)

    async def local_folders(self) -> tuple[tuple[InventoryFolder, ...], ...]:
        """List the folders of running jobs, and the folders with local copies of kept files."""
        names = ("work", "scratch")
        return tuple([await asyncio.to_thread(list_folders, self._root / name) for name in names])

    async def free_bytes(self) -> int:
        """Return the free space on the disk, in bytes."""
        return await free_bytes(self._root)


def _describe(job_id: str, video: Path, frame: tuple[int, int] | None, now: float) -> Artifact:
    with video.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    width, height = frame or _frame_of(video) or (None, None)
    return Artifact(
        job_id=job_id,
        size=video.stat().st_size,
        sha256=digest,
        created_at=now,
        width=width,
        height=height,
    )


def _frame_of(video: Path) -> tuple[int, int] | None:
    try:
        info = read_mp4(video)
    except MediaError:
        return None  # the provider's file is published as it is
    return info.width, info.height
