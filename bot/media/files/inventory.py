"""Lists the media files of all jobs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from bot.media.files.stores.base import COPIES, NARRATIONS, VIDEOS, KeptFile

if TYPE_CHECKING:
    from pathlib import Path

_JOB_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class InventoryFolder:
    """A job's folder. `modified_at`: the Unix time of its last change, by the machine's clock."""

    job_id: str
    modified_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """The files and folders of all jobs.

    `kept`: the files that are kept after their job has ended.
    `folders`: the folders of running jobs.
    `scratch`: the folders with local copies of kept files.
    """

    kept: tuple[KeptFile, ...]
    folders: tuple[InventoryFolder, ...]
    scratch: tuple[InventoryFolder, ...]

    @property
    def videos(self) -> tuple[KeptFile, ...]:
        """The finished videos and their posters."""
        return tuple(file for file in self.kept if file.folder == VIDEOS)

    @property
    def copies(self) -> tuple[KeptFile, ...]:
        """The smaller copies of finished videos."""
        return tuple(file for file in self.kept if file.folder in COPIES)

    @property
    def narrations(self) -> tuple[KeptFile, ...]:
        """The attachments and their encoded forms."""
        return tuple(file for file in self.kept if file.folder == NARRATIONS)

    @property
    def job_ids(self) -> frozenset[str]:
        """The ids of all jobs that have a file or folder."""
        folders = chain(self.folders, self.scratch)
        return frozenset(item.job_id for item in chain(self.kept, folders))


def list_folders(parent: Path) -> tuple[InventoryFolder, ...]:
    """List the jobs' folders in `parent`. The list is empty if `parent` doesn't exist."""
    try:
        with os.scandir(parent) as entries:
            found = [_item(entry) for entry in entries]
    except FileNotFoundError:
        return ()
    return tuple(item for item in found if item is not None)


def _item(entry: os.DirEntry[str]) -> InventoryFolder | None:
    if not _JOB_ID.fullmatch(entry.name):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # deleted after the folder was listed
    return InventoryFolder(job_id=entry.name, modified_at=status.st_mtime)
