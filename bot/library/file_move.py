"""FileMove: copies the kept files of a folder into another store, and compares the copies."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.errors import FileStoreError
from bot.media.files.atomic import make_private
from bot.media.files.inventory import list_folders
from bot.media.files.job_folder import JobFolder
from bot.media.files.stores.base import narration_key
from bot.media.files.stores.folder import FolderStore, link_or_copy

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from bot.media.files.stores.base import FileStore

log = logging.getLogger(__name__)

_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class FilesMoved:
    """The result of copying files to a store.

    `files`: the number of files that are in the store now. `were_there`: the number of those that
    were there before.
    """

    files: int
    were_there: int


class FileMove:
    """Copies all kept files below `data_dir` into `store`. Deletes nothing below `data_dir`.

    `open_jobs`: the ids of the open jobs. The attachment of such a job is copied too, if only
    the job's folder contains it.
    Raises FileStoreError if the store can't be used, or if a copy differs from its file. After an
    error, another run continues the work.
    """

    def __init__(self, data_dir: Path, store: FileStore, *, open_jobs: Collection[str]) -> None:
        self._data_dir = data_dir
        self._store = store
        self._open_jobs = open_jobs
        # After a crash, the bot's sweep deletes it, because it looks like the folder of a job.
        self._scratch = data_dir / "scratch" / uuid4().hex

    async def run(self) -> FilesMoved:
        """Copy the files, several at once."""
        files = await self._files()
        slots = asyncio.Semaphore(_AT_ONCE)
        were_there = 0

        async def copy(key: str, path: Path) -> None:
            nonlocal were_there
            async with slots:
                were_there += await self._copy(key, path)

        await asyncio.to_thread(make_private, self._scratch)
        try:
            async with asyncio.TaskGroup() as group:
                for key, path in files.items():
                    group.create_task(copy(key, path), name=f"move {key}")
        except* OSError as errors:
            raise errors.exceptions[0] from None
        finally:
            await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)
        return FilesMoved(files=len(files), were_there=were_there)

    async def _files(self) -> dict[str, Path]:
        """Return the paths of the files to copy, by their keys."""
        folder = FolderStore(self._data_dir)
        kept = [file.key for file in await folder.list() if not file.key.endswith(".part")]
        files = {key: folder.path(key) for key in kept}
        for item in await asyncio.to_thread(list_folders, self._data_dir / "work"):
            attachment = JobFolder(path=self._data_dir / "work" / item.job_id).attachment
            is_needed = item.job_id in self._open_jobs and attachment.exists()
            if is_needed and await self._store.head(narration_key(item.job_id)) is None:
                files.setdefault(narration_key(item.job_id), attachment)
        return files

    async def _copy(self, key: str, path: Path) -> bool:
        """Copy a file, or return True if the store has it already."""
        if await self._is_stored(key, path):
            return True
        link = self._scratch / uuid4().hex
        await asyncio.to_thread(link_or_copy, path, link)
        await self._store.put(key, link)
        if not await self._is_stored(key, path):
            raise FileStoreError(f"{key} arrived with another content")
        log.info("file.moved key=%s", key)
        return False

    async def _is_stored(self, key: str, path: Path) -> bool:
        """Compare the sizes, and then the hashes, of a file and of its copy in the store."""
        stored = await self._store.head(key)
        if stored is None or stored.size != (await asyncio.to_thread(path.stat)).st_size:
            return False
        copy = self._scratch / uuid4().hex
        try:
            await self._store.get(key, copy)
            return await asyncio.to_thread(_digest, copy) == await asyncio.to_thread(_digest, path)
        except FileNotFoundError:
            return False
        finally:
            await asyncio.to_thread(copy.unlink, missing_ok=True)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
