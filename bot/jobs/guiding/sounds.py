"""NarrationSounds: encodes the narration of a job, so that a video service can hear it."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.errors import MediaError, UserError
from bot.media.narration.ingest import read_narration
from bot.speech.mp3 import write_mp3

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bot.media.files.workspace import Workspace
    from bot.media.narration.ingest import Narration
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.model import Job


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedVoice:
    """The MP3 of a narration. `digest` is its SHA-256 digest in hex, and `size` is in bytes."""

    path: Path
    size: int
    digest: str


class VoiceEncoder(Protocol):
    """Encodes narrations for video services."""

    async def encode(self, job: Job) -> EncodedVoice:
        """Return the MP3 of a job's narration. Raises MediaError if it can't be made."""
        ...


class NarrationSounds:
    """Encodes each narration once. The file is deleted with the job's folder.

    `restore`: puts a job's kept narration into its folder, if the job began on another machine.
    """

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        workspace: Workspace,
        restore: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._ffmpeg = ffmpeg
        self._workspace = workspace
        self._restore = restore

    async def encode(self, job: Job) -> EncodedVoice:
        """Return the MP3 of a job's narration. Raises MediaError if it can't be made."""
        folder = self._workspace.folder(job.id)
        if not await asyncio.to_thread(folder.voice.exists):
            narration = await read_narration(folder.narration)
            if narration is None and self._restore is not None:
                narration = await self._restored(job, self._restore)
            if narration is None:
                raise MediaError("the narration is missing from the workspace")
            is_spoken = job.attachment is not None and job.attachment.text is not None
            await write_mp3(self._ffmpeg, narration, folder.voice, is_spoken=is_spoken)
        return await asyncio.to_thread(_describe, folder.voice)

    async def _restored(
        self, job: Job, restore: Callable[[str], Awaitable[None]]
    ) -> Narration | None:
        with suppress(UserError):  # nothing is kept
            await restore(job.id)
        return await read_narration(self._workspace.folder(job.id).narration)


def _describe(path: Path) -> EncodedVoice:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return EncodedVoice(path=path, size=path.stat().st_size, digest=digest)
