"""FileStore: the protocol for places in which files are kept, and the keys of the files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

VIDEOS, FITTED, SQUEEZED, NARRATIONS = "videos", "fitted", "squeezed", "narrations"
#: The files of running jobs that several processes share. A process that works alone keeps none.
SHARED = "shared"
COPIES = frozenset({FITTED, SQUEEZED})
#: The first parts of all keys.
FOLDERS = (VIDEOS, FITTED, SQUEEZED, NARRATIONS, SHARED)

_JOB_ID = re.compile(r"[0-9a-f]{32}")
# An unfinished `.part` file may have been left over by a crash. It is deleted with its job.
_KEY = re.compile(
    rf"(?P<folder>{'|'.join(FOLDERS)})/(?P<job>[0-9a-f]{{32}})(\.(mp4|jpg|m4a|vtt|json)(\.part)?)?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFile:
    """A kept file. `size` is in bytes, and `modified_at` a Unix time by the store's clock."""

    key: str
    size: int
    modified_at: float

    @property
    def folder(self) -> str:
        """The first part of the key, which names the kind of file."""
        return self.key.partition("/")[0]

    @property
    def job_id(self) -> str:
        """The id of the job to which the file belongs."""
        return job_of(self.key)


class FileStore(Protocol):
    """Keeps files under keys such as `videos/<job id>.mp4`. Raises OSError if the store fails."""

    def path(self, key: str) -> Path | None:
        """Return the path of a file, or None if the store is elsewhere.

        The file need not exist.
        """
        ...

    async def put(self, key: str, path: Path) -> None:
        """Move the file at `path` into the store, in place of an earlier file with the same key."""
        ...

    async def get(self, key: str, path: Path) -> None:
        """Link or copy a kept file to `path`. Raises FileNotFoundError if the file is not kept."""
        ...

    async def read(self, key: str, part: range) -> bytes:
        """Return a part of a file. Raises FileNotFoundError if the file is not kept."""
        ...

    async def head(self, key: str) -> KeptFile | None:
        """Return the size and time of a file, or None if the file is not kept."""
        ...

    async def list(self) -> tuple[KeptFile, ...]:
        """List the files of all jobs."""
        ...

    async def delete(self, keys: Collection[str]) -> None:
        """Delete the given files. Files that don't exist are ignored."""
        ...

    async def link(self, key: str, seconds: float) -> str | None:
        """Return a secret link that is valid for `seconds`, or None if the store has no links."""
        ...


def checked(job_id: str) -> str:
    """Return the job id. Raises ValueError if the id doesn't consist of 32 hex digits.

    Anything else must not become part of a path.
    """
    if not _JOB_ID.fullmatch(job_id):
        raise ValueError("a job id is 32 hex digits")
    return job_id


def is_key(text: str) -> bool:
    """Return whether a name in a store is a key, and not the name of a foreign file."""
    return _KEY.fullmatch(text) is not None


def job_of(key: str) -> str:
    """Return the id of the job to which a key belongs.

    Raises ValueError if the text is not a key.
    """
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


def captions_key(job_id: str) -> str:
    """Return the key of a finished video's captions."""
    return f"{VIDEOS}/{checked(job_id)}.vtt"


def copy_key(job_id: str, *, decent: bool) -> str:
    """Return the key of a smaller copy of a finished video.

    `decent`: True for the copy that still looks acceptable, False for the one that was shrunk as
    far as necessary.
    """
    return f"{FITTED if decent else SQUEEZED}/{checked(job_id)}.mp4"


def narration_key(job_id: str) -> str:
    """Return the key of a job's attachment."""
    return f"{NARRATIONS}/{checked(job_id)}"


def encoded_narration_key(job_id: str) -> str:
    """Return the key of a job's narration, encoded for the merge."""
    return f"{NARRATIONS}/{checked(job_id)}.m4a"


def shared_clip_key(job_id: str) -> str:
    """Return the key of the clip of a running job."""
    return f"{SHARED}/{checked(job_id)}.mp4"


def asked_key(job_id: str) -> str:
    """Return the key of an empty file that marks a job whose text was sent to a paid voice."""
    return f"{SHARED}/{checked(job_id)}"


def cues_key(job_id: str) -> str:
    """Return the key of the words of a job's narration, with their times."""
    return f"{NARRATIONS}/{checked(job_id)}.json"


def keys_of(job_id: str) -> tuple[str, ...]:
    """Return the keys of all files that a job can have."""
    return (
        video_key(job_id),
        poster_key(job_id),
        captions_key(job_id),
        copy_key(job_id, decent=True),
        copy_key(job_id, decent=False),
        narration_key(job_id),
        encoded_narration_key(job_id),
        cues_key(job_id),
        shared_clip_key(job_id),
        asked_key(job_id),
    )
