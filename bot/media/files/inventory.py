"""Lists the media files of all jobs on the disk."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# An unfinished `.part` file may have been left over by a crash. It is deleted with its job.
_NAME = re.compile(r"(?P<job>[0-9a-f]{32})(\.(mp4|jpg|m4a)(\.part)?)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class InventoryFile:
    """A file or folder of a job. `size` is in bytes, and has no meaning for a folder.

    `modified_at`: the Unix time of the last change, by the machine's clock.
    """

    job_id: str
    size: int
    modified_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """The files and folders of all jobs."""

    videos: tuple[InventoryFile, ...]
    copies: tuple[InventoryFile, ...]
    narrations: tuple[InventoryFile, ...]
    folders: tuple[InventoryFile, ...]

    @property
    def kept(self) -> tuple[InventoryFile, ...]:
        """The files that are kept after their job has ended."""
        return self.videos + self.copies + self.narrations

    @property
    def job_ids(self) -> frozenset[str]:
        """The ids of all jobs that have a file or folder."""
        return frozenset(item.job_id for item in chain(self.kept, self.folders))


def list_items(folder: Path) -> tuple[InventoryFile, ...]:
    """List the jobs' files and folders in `folder`. The list is empty if it doesn't exist."""
    try:
        with os.scandir(folder) as entries:
            found = [_item(entry) for entry in entries]
    except FileNotFoundError:
        return ()
    return tuple(item for item in found if item is not None)


def _item(entry: os.DirEntry[str]) -> InventoryFile | None:
    match = _NAME.fullmatch(entry.name)
    if match is None:
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # deleted after the folder was listed
    return InventoryFile(job_id=match["job"], size=status.st_size, modified_at=status.st_mtime)
