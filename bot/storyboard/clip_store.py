"""Stores each clip in two files: its data in `<id>.json`, and its video in `<id>.mp4`."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class ClipStatus(StrEnum):
    """The four states that a video can have in OpenAI's Videos API."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipOrder:
    """The video that a caller has ordered. `size` is "WIDTHxHEIGHT" in pixels."""

    prompt: str
    model: str
    seconds: int
    size: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipError:
    """The reason why a clip failed, as reported by the API."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookNotice:
    """A webhook that still has to be delivered.

    All attempts to deliver it have the same event id.
    """

    event_id: str
    attempts: int
    due_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """The stored data of a clip. Times are in Unix seconds.

    `sequence`: a number that orders clips by their creation.
    """

    id: str
    sequence: int
    order: ClipOrder
    status: ClipStatus
    created_at: float
    completed_at: float | None = None
    expires_at: float | None = None
    fault: ClipError | None = None
    attempts: int = 0
    idempotency_key: str | None = None
    notice: WebhookNotice | None = None

    @property
    def is_finished(self) -> bool:
        """Whether rendering the clip has succeeded or failed."""
        return self.status in {ClipStatus.COMPLETED, ClipStatus.FAILED}


def new_clip_id() -> str:
    """Return a new id for a clip. It can't be guessed."""
    return f"video_{secrets.token_hex(16)}"


class ClipStore:
    """Stores the clips in one directory, and caches their data in memory.

    Only one process at a time can open a directory. A method that changes something returns after
    the change has been written to the disk. All writes are made by one thread, in order.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = TypeAdapter(Clip)
        self._clips: dict[str, Clip] = {}
        self._ids_by_key: dict[str, str] = {}
        self._sequence = 0
        self._lock: int | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="storyboard-store")

    async def open(self) -> None:
        """Lock the directory, read its clips, and delete temporary files that a crash has left.

        Raises StartupError if another process is using the directory.
        """
        for clip in await self._run_in_writer(self._load):
            self._remember(clip)

    async def close(self) -> None:
        """Wait until the last write is finished, and unlock the directory."""
        await self._run_in_writer(self._unlock)
        self._writer.shutdown()

    def all(self) -> list[Clip]:
        """Return all clips, oldest first."""
        return sorted(self._clips.values(), key=lambda clip: clip.sequence)

    def get(self, clip_id: str) -> Clip | None:
        """Return a clip, or None if it doesn't exist."""
        return self._clips.get(clip_id)

    def find_key(self, key: str) -> Clip | None:
        """Return the clip that was created with this idempotency key, or None."""
        return self._clips.get(self._ids_by_key.get(key, ""))

    def next_sequence(self) -> int:
        """Return a sequence number that is higher than that of any clip."""
        self._sequence += 1
        return self._sequence

    def video(self, clip_id: str) -> Path:
        """Return the path of a clip's video. The file exists once the clip is completed."""
        return self._directory / f"{clip_id}.mp4"

    async def add(self, clip: Clip) -> None:
        """Store a new clip."""
        await self._run_in_writer(lambda: self._write(clip))
        self._remember(clip)

    async def update(self, clip: Clip) -> bool:
        """Store the changed data of a clip.

        If the clip has been removed, stores nothing and returns False.
        """
        if clip.id not in self._clips:
            return False
        await self._run_in_writer(lambda: self._write(clip))
        if clip.id not in self._clips:  # the clip was removed during the write
            return False
        self._clips[clip.id] = clip
        return True

    async def remove(self, clip_id: str) -> None:
        """Remove a clip and its video."""
        clip = self._clips.pop(clip_id)
        if clip.idempotency_key is not None:
            self._ids_by_key.pop(clip.idempotency_key, None)
        await self._run_in_writer(lambda: self._unlink(clip_id))

    async def create_work_folder(self, clip_id: str) -> Path:
        """Create an empty folder in which a clip can be rendered, and return it."""
        folder = self._work_folder(clip_id)
        await self._run_in_writer(lambda: self._recreate(folder))
        return folder

    async def remove_work_folder(self, clip_id: str) -> None:
        """Remove the folder in which a clip was rendered."""
        await self._run_in_writer(
            lambda: shutil.rmtree(self._work_folder(clip_id), ignore_errors=True)
        )

    async def store_video(self, clip_id: str, video: Path) -> None:
        """Move a rendered video into the store, and make sure that it is written to the disk."""
        await self._run_in_writer(lambda: self._move(video, self.video(clip_id)))

    def _remember(self, clip: Clip) -> None:
        self._clips[clip.id] = clip
        self._sequence = max(self._sequence, clip.sequence)
        if clip.idempotency_key is not None:
            self._ids_by_key[clip.idempotency_key] = clip.id

    async def _run_in_writer(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def _work_folder(self, clip_id: str) -> Path:
        return self._directory / f"{clip_id}.work"

    def _load(self) -> list[Clip]:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._acquire_lock()
        for folder in self._directory.glob("video_*.work"):
            shutil.rmtree(folder)
        for leftover in self._directory.glob("video_*.tmp"):
            leftover.unlink()
        clips = [
            clip for file in self._directory.glob("video_*.json") if (clip := self._read(file))
        ]
        known = {clip.id for clip in clips}
        for video in self._directory.glob("video_*.mp4"):
            if video.stem not in known:
                video.unlink()
        return clips

    def _acquire_lock(self) -> None:
        self._lock = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._unlock()
            raise StartupError(
                f"Another process is using {self._directory}: stop it, or choose another DATA_DIR."
            ) from None

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _read(self, file: Path) -> Clip | None:
        try:
            clip = self._files.validate_json(file.read_bytes())
        except ValidationError:
            log.exception("storyboard.unreadable file=%s", file.name)
            return None
        return clip if clip.id == file.stem else None

    def _write(self, clip: Clip) -> None:
        temporary = self._directory / f"{clip.id}.tmp"
        temporary.write_bytes(self._files.dump_json(clip))
        self._move(temporary, self._directory / f"{clip.id}.json")

    def _move(self, source: Path, target: Path) -> None:
        _sync(source)
        source.replace(target)
        _sync(self._directory)

    def _unlink(self, clip_id: str) -> None:
        (self._directory / f"{clip_id}.json").unlink(missing_ok=True)
        self.video(clip_id).unlink(missing_ok=True)
        _sync(self._directory)

    def _recreate(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
