"""Notices if the database's files are removed or replaced while the bot has them open."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from storage.database import Database

log = logging.getLogger(__name__)

_RESCUED = "clapper-rescued.db"
_Identity = tuple[int, int]


class DatabaseFiles:
    """Checks that the files on disk are still those that the bot has open.

    If they are not, the data is saved.

    If a file is removed, SQLite continues to write to the open file. That file is deleted when the
    bot stops, and everything in it would then be lost.
    """

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database = database
        self._path = data_dir / "clapper.db"
        self._wal = data_dir / "clapper.db-wal"
        self._opened = self._identities()

    async def sweep(self) -> None:
        """Check the files once. If they have changed, save the data and log what to do."""
        database, wal = await asyncio.to_thread(self._identities)
        if database != self._opened[0]:
            await self._rescue()
        elif wal != self._opened[1]:
            # The latest commits are copied from the removed WAL into the database file, now and at
            # each later sweep.
            await self._database.clear_log()
            log.error(
                "database.wal_removed file=%s advice=%r",
                self._wal.name,
                "its content is saved in clapper.db; restart the bot, and remove none of its files"
                " while it runs",
            )

    def _identities(self) -> tuple[_Identity | None, _Identity | None]:
        return _identity(self._path), _identity(self._wal)

    async def _rescue(self) -> None:
        target = self._path.with_name(_RESCUED)
        part = target.with_name(f"{target.name}.part")
        await asyncio.to_thread(part.unlink, missing_ok=True)
        await self._database.rows("VACUUM INTO :path", {"path": str(part)})
        await asyncio.to_thread(_replace, part, target)
        log.error(
            "database.replaced file=%s advice=%r",
            self._path.name,
            f"everything is saved in {_RESCUED}: stop the bot, rename that to clapper.db, delete"
            " clapper.db-wal and clapper.db-shm, and start it again",
        )


def _replace(part: Path, target: Path) -> None:
    part.chmod(0o600)
    part.replace(target)


def _identity(path: Path) -> _Identity | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino
