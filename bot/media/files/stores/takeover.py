"""TakeoverStore: keeps files in a bucket, and moves those of an earlier folder into it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

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

    def path(self, key: str) -> Path | None:
        """Return the path of a file that is still in the folder, or None."""
        path = self._folder.path(key)
        return path if path.exists() else None

    async def put(self, key: str, path: Path) -> None:
        """Move the file at `path` into the bucket."""
        await self._bucket.put(key, path)
        await self._folder.delete((key,))

    async def get(self, key: str, path: Path) -> None:
        """Copy or link a file to `path`.

        Raises FileNotFoundError if the file is in neither place.
        """
        try:
            await self._folder.get(key, path)
        except FileNotFoundError:
            await self._bucket.get(key, path)

    async def head(self, key: str) -> KeptFile | None:
        """Return a file's size and time, or None if it is in neither place."""
        return await self._folder.head(key) or await self._bucket.head(key)

    async def list(self) -> tuple[KeptFile, ...]:
        """List the files of both places."""
        # A file that is moved between the two reads is then listed twice, rather than not at all.
        left, moved = await self._folder.list(), await self._bucket.list()
        known = {file.key for file in moved}
        return (*moved, *(file for file in left if file.key not in known))

    async def delete(self, keys: Collection[str]) -> None:
        """Delete files from both places."""
        await self._folder.delete(keys)
        await self._bucket.delete(keys)

    async def link(self, key: str, seconds: float) -> str | None:
        """Return a secret link to a file in the bucket, or None if it is still in the folder."""
        if await asyncio.to_thread(self.path, key) is not None:
            return None
        return await self._bucket.link(key, seconds)

    async def sweep(self) -> None:
        """Move what is still in the folder into the bucket. OSError: the next sweep continues."""
        left = [file for file in await self._folder.list() if not file.key.endswith(".part")]
        for file in left:
            await self._bucket.put(file.key, self._folder.path(file.key))
        if left:
            log.info("files.moved_to_store files=%d", len(left))
