"""FolderStore: keeps files in folders on this machine."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from bot.media.files.atomic import commit, make_private, part_of
from bot.media.files.stores.base import FOLDERS, KeptFile, is_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


class FolderStore:
    """Keeps each file below `root`, in a folder that only the bot's user can read."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def path(self, key: str) -> Path:
        """Return the path of a file, even if it doesn't exist."""
        return self._root / key

    async def put(self, key: str, path: Path) -> None:
        """Move the file at `path` into the store, so that the file survives a power cut."""
        await asyncio.to_thread(self._put, key, path)

    async def get(self, key: str, path: Path) -> None:
        """Link or copy a kept file to `path`. Raises FileNotFoundError if the file is not kept."""
        await asyncio.to_thread(link_or_copy, self.path(key), path)

    async def read(self, key: str, part: range) -> bytes:
        """Return a part of a file. Raises FileNotFoundError if the file is not kept."""
        return await asyncio.to_thread(_read, self.path(key), part)

    async def head(self, key: str) -> KeptFile | None:
        """Return the size and time of a file, or None if the file is not kept."""
        return await asyncio.to_thread(self._head, key)

    async def list(self) -> tuple[KeptFile, ...]:
        """List the files of all jobs."""
        return await asyncio.to_thread(lambda: tuple(self._list()))

    async def delete(self, keys: Collection[str]) -> None:
        """Delete the given files and their unfinished parts. Files that don't exist are ignored."""
        await asyncio.to_thread(self._delete, keys)

    async def link(self, key: str, seconds: float) -> str | None:  # noqa: ARG002 - as declared
        """Return None, because a folder has no links."""
        return None

    def _put(self, key: str, path: Path) -> None:
        target = self.path(key)
        make_private(target.parent)
        commit(path, target)

    def _head(self, key: str) -> KeptFile | None:
        try:
            status = self.path(key).stat()
        except FileNotFoundError:
            return None
        return KeptFile(key=key, size=status.st_size, modified_at=status.st_mtime)

    def _list(self) -> Iterator[KeptFile]:
        for folder in FOLDERS:
            try:
                names = [path.name for path in (self._root / folder).iterdir()]
            except FileNotFoundError:
                continue
            keys = filter(is_key, (f"{folder}/{name}" for name in names))
            yield from (file for file in map(self._head, keys) if file is not None)

    def _delete(self, keys: Collection[str]) -> None:
        for path in map(self.path, keys):
            path.unlink(missing_ok=True)
            part_of(path).unlink(missing_ok=True)


def _read(path: Path, part: range) -> bytes:
    with path.open("rb") as file:
        file.seek(part.start)
        return file.read(len(part))


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` a hard link to `source`, or a copy if the file system has no hard links."""
    part = part_of(target)
    part.unlink(missing_ok=True)
    try:
        part.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, part)
    # The old name is deleted first. If two names are links to the same file, renaming one to the
    # other does nothing.
    target.unlink(missing_ok=True)
    commit(part, target)
