"""TakeoverStore: keeps files in a bucket, and moves those of an earlier folder into it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from bot.errors import FileStoreError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from bot.media.files.stores.base import FileStore, KeptFile
    from bot.media.files.stores.folder import FolderStore

log = logging.getLogger(__name__)


class TakeoverStore:
    """Keeps new files in `bucket`, and serves those that are still in `folder`.

    An operator can therefore name a bucket at any time, even while videos wait to be delivered.
    """

    def __init__(self, bucket: FileStore, folder: FolderStore) -> None:
        self._bucket = bucket
        self._folder = folder
        # While a file is moved, it is neither replaced nor deleted. Otherwise, the old content
        # could reach the bucket after that. A lock is garbage-collected once no task needs it.
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def path(self, key: str) -> Path | None:  # noqa: ARG002 - as declared
        """Return None, because even a file in the folder may be moved at any time."""
        return None

    async def put(self, key: str, path: Path) -> None:
        """Move the file at `path` into the bucket."""
        async with self._lock(key):
            await self._bucket.put(key, path)
            await self._folder.delete((key,))

    async def get(self, key: str, path: Path) -> None:
        """Copy or link a file to `path`.

        Raises FileNotFoundError if the file is neither in the folder nor in the bucket.
        """
        try:
            await self._folder.get(key, path)
        except FileNotFoundError:
            await self._bucket.get(key, path)

    async def read(self, key: str, part: range) -> bytes:
        """Return a part of a file. Raises FileNotFoundError if the file is not kept."""
        try:
            return await self._folder.read(key, part)
        except FileNotFoundError:
            return await self._bucket.read(key, part)

    async def head(self, key: str) -> KeptFile | None:
        """Return a file's size and time, or None if neither the folder nor the bucket has it."""
        return await self._folder.head(key) or await self._bucket.head(key)

    async def list(self) -> tuple[KeptFile, ...]:
        """List the files of the folder and of the bucket."""
        # A file that is moved between the two reads is then listed twice, rather than not at all.
        left, moved = await self._folder.list(), await self._bucket.list()
        known = {file.key for file in moved}
        return (*moved, *(file for file in left if file.key not in known))

    async def delete(self, keys: Collection[str]) -> None:
        """Delete files from the folder and from the bucket."""
        async with AsyncExitStack() as stack:
            for key in sorted(keys):  # the same order everywhere, so that no two tasks block
                await stack.enter_async_context(self._lock(key))
            await self._folder.delete(keys)
            await self._bucket.delete(keys)

    async def link(self, key: str, seconds: float) -> str | None:
        """Return a secret link to a file, or None if the file is still in the folder."""
        if await self._folder.head(key) is not None:
            return None
        return await self._bucket.link(key, seconds)

    async def sweep(self) -> None:
        """Move the files that are still in the folder into the bucket.

        If a file can't be moved, the sweep continues with the next file. If the bucket can't be
        reached, the sweep ends. The next sweep tries again. Raises OSError if a file was not moved.
        """
        left = [file for file in await self._folder.list() if not file.key.endswith(".part")]
        failed: list[OSError] = []
        for file in left:
            try:
                await self._move(file.key)
            except OSError as error:
                if isinstance(error, FileStoreError) and not error.is_refusal:
                    raise
                failed.append(error)
        if moved := len(left) - len(failed):
            log.info("files.moved_to_store files=%d", moved)
        if failed:
            raise failed[0]

    async def _move(self, key: str) -> None:
        async with self._lock(key):
            left = await self._folder.head(key)
            if left is None:
                return  # it was replaced or deleted after the folder was listed
            stored = await self._bucket.head(key)
            # A crash between the two steps of `put` leaves the older content in the folder.
            if stored is not None and stored.modified_at > left.modified_at:
                await self._folder.delete((key,))
            else:
                await self._bucket.put(key, self._folder.path(key))

    def _lock(self, key: str) -> asyncio.Lock:
        return self._changing.setdefault(key, asyncio.Lock())
