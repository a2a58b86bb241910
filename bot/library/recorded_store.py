"""RecordedStore: records each file in the database before the file is stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.media.files.stores.base import KeptFile, part_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from bot.media.files.stores.base import FileStore
    from storage.files.kept_files import KeptFileTable


class RecordedStore:
    """Keeps files in another store, and records them in a table.

    A record is written before its file is stored, and deleted after its file is deleted. Therefore,
    a crash never leaves a file that has no record.
    """

    def __init__(
        self, store: FileStore, table: KeptFileTable, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._table = table
        self._clock = clock

    def path(self, key: str) -> Path | None:
        """Return the path of a file, or None if the store is not on this machine."""
        return self._store.path(key)

    async def put(self, key: str, path: Path) -> None:
        """Record the file at `path`, and then move it into the store."""
        await self._table.record(await self._file(key, path))
        await self._store.put(key, path)

    async def put_once(self, key: str, path: Path) -> bool:
        """Keep the file at `path`, or return False if a file with this key is already kept.

        If several processes call this at the same time, only one of their files is kept.
        """
        if not await self._table.record_first(await self._file(key, path)):
            return False
        try:
            await self._store.put(key, path)
        except BaseException:
            await self._table.forget((key,))
            raise
        return True

    async def get(self, key: str, path: Path) -> None:
        """Link or copy a kept file to `path`. Raises FileNotFoundError if the file is not kept."""
        await self._store.get(key, path)

    async def read(self, key: str, part: range) -> bytes:
        """Return a part of a file. Raises FileNotFoundError if the file is not kept."""
        return await self._store.read(key, part)

    async def head(self, key: str) -> KeptFile | None:
        """Return the size and time of a file, or None if the file is not kept."""
        return await self._store.head(key)

    async def list(self) -> tuple[KeptFile, ...]:
        """List all files in the store, even those that are not recorded."""
        return await self._store.list()

    async def delete(self, keys: Collection[str]) -> None:
        """Delete files, and then their records."""
        await self._store.delete(keys)
        await self._table.forget([*keys, *map(part_key, keys)])

    async def link(self, key: str, seconds: float) -> str | None:
        """Return a secret link that is valid for `seconds`, or None if the store has no links."""
        return await self._store.link(key, seconds)

    async def _file(self, key: str, path: Path) -> KeptFile:
        size = (await asyncio.to_thread(path.stat)).st_size
        return KeptFile(key=key, size=size, modified_at=self._clock())
