"""Narrator: speaks texts for people, within what they may ask for."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.errors import UserError
from bot.media.ingest import ingest
from bot.media.recording import record
from bot.media.speech import as_of_speech, speak_once

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from pathlib import Path

    from bot.media.ffmpeg import Ffmpeg
    from bot.media.ingest import Narration
    from bot.media.speech import Voice
    from bot.media.workspace import JobFolder, Workspace
    from storage.speeches import SpeechCaps, SpeechStore

log = logging.getLogger(__name__)

_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """A spoken text as an MP3 that is deleted after use."""

    path: Path
    seconds: float


class Narrator:
    """Has texts spoken; those of jobs are spoken by their step, and only counted here."""

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        voice: Voice,
        ffmpeg: Ffmpeg,
        workspace: Workspace,
        store: SpeechStore,
        *,
        caps: SpeechCaps,
        max_seconds: int,
        clock: Callable[[], float],
    ) -> None:
        self._voice = voice
        self._ffmpeg = ffmpeg
        self._workspace = workspace
        self._store = store
        self._caps = caps
        self._max_seconds = max_seconds
        self._clock = clock
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._speaking: set[int] = set()

    async def count(self, interaction_id: int, user_id: int) -> bool:
        """Count a text before it costs anything; False: this interaction was counted before.

        UserError: a cap is reached.
        """
        usage = await self._store.take(interaction_id, user_id, self._caps, now=self._clock())
        if usage is None:
            return True
        if usage.is_repeated:
            return False
        if usage.of_user >= self._caps.per_user:
            raise UserError("speech.user", limit=self._caps.per_user)
        raise UserError("speech.day", limit=self._caps.per_day)

    @contextmanager
    def turn(self, user_id: int) -> Generator[None]:
        """Take the person's turn; UserError: a text of theirs is being spoken."""
        if user_id in self._speaking:
            raise UserError("speech.busy")
        self._speaking.add(user_id)
        try:
            yield
        finally:
            self._speaking.discard(user_id)

    @asynccontextmanager
    async def speak(self, text: str) -> AsyncGenerator[Recording]:
        """Speak a text, and keep the file while it is used.

        UserError: a key of `speech`. MediaError: it may work later.
        """
        # What a crash leaves of it is swept away, as a folder of no job.
        name = uuid4().hex
        try:
            async with self._slots:
                recording = await self._record(text, await self._workspace.create(name))
            log.info(
                "speech.done voice=%s characters=%d seconds=%.1f",
                self._voice.name,
                len(text),
                recording.seconds,
            )
            yield recording
        finally:
            await self._workspace.remove(name)

    async def _record(self, text: str, folder: JobFolder) -> Recording:
        await speak_once(self._voice, text, folder.attachment)
        narration = await self._ingest(folder)
        path = folder.path / "narration.mp3"
        await record(self._ffmpeg, narration, path)
        return Recording(path=path, seconds=narration.seconds)

    async def _ingest(self, folder: JobFolder) -> Narration:
        try:
            narration = await ingest(
                self._ffmpeg, folder.attachment, folder.narration, max_seconds=self._max_seconds
            )
        except UserError as error:
            raise as_of_speech(error) from error
        if narration.loudness is None:
            raise UserError("speech.unusable")
        return narration
