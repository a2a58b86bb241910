"""LocalCopies: the files of a store on this machine, or local copies of them."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4
from weakref import WeakValueDictionary

from bot.errors import FileStoreError
from bot.media.files.atomic import make_private
from bot.media.files.stores.base import checked, job_of
from bot.media.files.stores.folder import link_or_copy
from bot.media.files.stores.remote_file import RemoteFile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.media.files.stores.base import FileStore

# The database and the unfinished files of jobs need this space.
_SPARE_BYTES = 64 * 1024 * 1024


class LocalCopies:
    """Provides local paths of kept files.

    If the store is on another machine, the copies are below `root`, in the folders of their jobs in
    `scratch`.
    """

    def __init__(self, root: Path, store: FileStore) -> None:
        self._root = root
        self._store = store
        # A lock is garbage-collected once no task holds it or is waiting for it.
        self._fetching: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def scratch(self, job_id: str) -> Path:
        """Return the folder for the copies and the unfinished results of a job."""
        return self._root / "scratch" / checked(job_id)

    def path(self, key: str) -> Path:
        """Return the path of a file or of its local copy, even if it doesn't exist."""
        return self._store.path(key) or self.scratch(job_of(key)) / key.replace("/", "-")

    async def find(self, key: str) -> Path | RemoteFile:
        """Return the path of a file, or a reader if its store is on another machine.

        Raises FileNotFoundError if a store on another machine doesn't have the file.
        """
        if (path := self._store.path(key)) is not None:
            return path
        stored = await self._store.head(key)
        if stored is None:
            raise FileNotFoundError(key)
        return RemoteFile(
            size=stored.size,
            modified_at=stored.modified_at,
            read=partial(self._store.read, key),
        )

    async def fetch(self, key: str) -> Path:
        """Return the path of a file. If its store is on another machine, copy the file first.

        Raises FileNotFoundError if a store on another machine doesn't have the file, and
        FileStoreError if the disk has no room for it.
        """
        if (path := self._store.path(key)) is not None:
            return path
        local = self.path(key)
        async with self._fetching.setdefault(key, asyncio.Lock()):
            stored = await self._store.head(key)
            if stored is None:
                raise FileNotFoundError(key)
            if not await asyncio.to_thread(_has_size, local, stored.size):
                await asyncio.to_thread(make_private, local.parent)
                await self._check_room(stored.size)
                await self._store.get(key, local)
                # All copies of a file have the same modification time, because callers compare it.
                await asyncio.to_thread(os.utime, local, (stored.modified_at, stored.modified_at))
        return local

    async def keep(self, key: str, path: Path) -> None:
        """Move a file into the store. If the store is on another machine, keep a local copy."""
        if self._store.path(key) is None:
            local = self.path(key)
            await asyncio.to_thread(make_private, local.parent)
            await asyncio.to_thread(link_or_copy, path, local)
        await self._store.put(key, path)

    @asynccontextmanager
    async def new(self, key: str) -> AsyncGenerator[Path]:
        """Provide a path for a file. If the `with` block writes the file, it is kept."""
        path = self.scratch(job_of(key)) / f"{uuid4().hex}-{key.replace('/', '-')}"
        await asyncio.to_thread(make_private, path.parent)
        try:
            yield path
            if await asyncio.to_thread(path.exists):
                await self.keep(key, path)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _check_room(self, size: int) -> None:
        if await free_bytes(self._root) < size + _SPARE_BYTES:
            raise FileStoreError(f"the disk has no room for a copy of {size} bytes")


async def free_bytes(folder: Path) -> int:
    """Return the free space on the disk of a folder, in bytes."""
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    return usage.free


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
