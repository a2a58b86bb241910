"""FileStore: the protocol of the places in which files are kept, and the keys of the files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

VIDEOS, FITTED, SQUEEZED, NARRATIONS = "videos", "fitted", "squeezed", "narrations"
COPIES = frozenset({FITTED, SQUEEZED})
#: The folders of all keys.
FOLDERS = (VIDEOS, FITTED, SQUEEZED, NARRATIONS)

_JOB_ID = re.compile(r"[0-9a-f]{32}")
# A `.part` file is unfinished and from before a crash, and is deleted with its job.
_KEY = re.compile(
    rf"(?P<folder>{'|'.join(FOLDERS)})/(?P<job>[0-9a-f]{{32}})(\.(mp4|jpg|m4a)(\.part)?)?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFile:
    """A kept file; `size` is in bytes, `modified_at` in Unix seconds by the store's clock."""

    key: str
    size: int
    modified_at: float

    @property
    def folder(self) -> str:
        """The first part of the key, which tells the kind of file."""
        return self.key.partition("/")[0]

    @property
    def job_id(self) -> str:
        """The job to which the file belongs."""
        return job_of(self.key)


class FileStore(Protocol):
    """Keeps files by key: `videos/<job id>.mp4` and the like. OSError: the store fails."""

    def path(self, key: str) -> Path | None:
        """Return the path of a file, which need not exist; None: it is not on this machine."""
        ...

    async def put(self, key: str, path: Path) -> None:
        """Move the file at `path` into the store. An earlier file is replaced."""
        ...

    async def get(self, key: str, path: Path) -> None:
        """Link or copy a file to `path`; FileNotFoundError: it is not kept."""
        ...

    async def head(self, key: str) -> KeptFile | None:
        """Return a file's size and time, or None if it is not kept."""
        ...

    async def list(self) -> tuple[KeptFile, ...]:
        """List the files of all jobs."""
        ...

    async def delete(self, keys: Collection[str]) -> None:
        """Delete files, which need not exist."""
        ...

    async def link(self, key: str, seconds: float) -> str | None:
        """Return a secret link that ends after `seconds`, or None if the store has no links."""
        ...


def checked(job_id: str) -> str:
    """Return the job id; ValueError: it isn't 32 hex digits, so it must not be part of a path."""
    if not _JOB_ID.fullmatch(job_id):
        raise ValueError("a job id is 32 hex digits")
    return job_id


def is_key(text: str) -> bool:
    """Tell whether a name in a store is a key, rather than the name of a foreign file."""
    return _KEY.fullmatch(text) is not None


def job_of(key: str) -> str:
    """Return the id of the job to which a key belongs; ValueError: it is not a key."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError("not the key of a kept file")
    return match["job"]


def part_key(key: str) -> str:
    """Return the key under which a folder lists the unfinished part of a file."""
    return f"{key}.part"


def video_key(job_id: str) -> str:
    """Return the key of a job's finished video."""
    return f"{VIDEOS}/{checked(job_id)}.mp4"


def poster_key(job_id: str) -> str:
    """Return the key of a finished video's poster."""
    return f"{VIDEOS}/{checked(job_id)}.jpg"


def copy_key(job_id: str, *, decent: bool) -> str:
    """Return the key of a smaller copy of a finished video.

    There may be two. `decent`: whether to choose the copy of acceptable quality, rather than the
    one that was shrunk as far as necessary.
    """
    return f"{FITTED if decent else SQUEEZED}/{checked(job_id)}.mp4"


def narration_key(job_id: str) -> str:
    """Return the key of a job's attachment."""
    return f"{NARRATIONS}/{checked(job_id)}"


def encoded_narration_key(job_id: str) -> str:
    """Return the key of a job's narration in the form that was encoded for a merge."""
    return f"{NARRATIONS}/{checked(job_id)}.m4a"


def keys_of(job_id: str) -> tuple[str, ...]:
    """Return the keys of all files that a job can have."""
    return (
        video_key(job_id),
        poster_key(job_id),
        copy_key(job_id, decent=True),
        copy_key(job_id, decent=False),
        narration_key(job_id),
        encoded_narration_key(job_id),
    )
