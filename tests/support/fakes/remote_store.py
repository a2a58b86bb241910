"""A store on another machine: a dictionary of files, that can be away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.errors import FileStoreError
from bot.media.files.stores.base import KeptFile

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


class RemoteStore:
    """Keeps files in memory. Its links name the file and the seconds; `public` is their address."""

    def __init__(self, *, public: str = "") -> None:
        self.files: dict[str, bytes] = {}
        self.public = public
        self.is_away = False
        self.read_bytes = 0

    async def check(self) -> None:
        self._reach()

    def path(self, key: str) -> Path | None:
        assert key
        return None

    async def put(self, key: str, path: Path) -> None:
        self._reach()
        self.files[key] = await asyncio.to_thread(path.read_bytes)
        await asyncio.to_thread(path.unlink)

    async def put_once(self, key: str, path: Path) -> bool:
        self._reach()
        if key in self.files:
            return False
        self.files[key] = b""
        await self.put(key, path)
        return True

    async def get(self, key: str, path: Path) -> None:
        self._reach()
        if key not in self.files:
            raise FileNotFoundError
        await asyncio.to_thread(path.write_bytes, self.files[key])

    async def read(self, key: str, part: range) -> bytes:
        self._reach()
        if key not in self.files:
            raise FileNotFoundError
        self.read_bytes += len(part)
        return self.files[key][part.start : part.stop]

    async def head(self, key: str) -> KeptFile | None:
        self._reach()
        file = self.files.get(key)
        return None if file is None else KeptFile(key=key, size=len(file), modified_at=1e9)

    async def list(self) -> tuple[KeptFile, ...]:
        self._reach()
        return tuple(
            KeptFile(key=key, size=len(file), modified_at=1e9) for key, file in self.files.items()
        )

    async def delete(self, keys: Collection[str]) -> None:
        self._reach()
        for key in keys:
            self.files.pop(key, None)

    async def link(self, key: str, seconds: float) -> str | None:
        self._reach()
        link = f"{self.public}/{key}?X-Amz-Expires={seconds:.0f}&X-Amz-Signature=secret-of-a-link"
        return link if self.public else None

    def _reach(self) -> None:
        if self.is_away:
            raise FileStoreError("the store can't be reached")
