"""Narrator: speaks texts for people, within what they may ask for."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.errors import BackendError, UserError
from bot.media.narration.ingest import ingest
from bot.speech.mp3 import record
from bot.speech.voice import as_speech_error, speak_once
from storage.speeches import SpeechRequester

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from pathlib import Path

    from bot.media.files.workspace import JobFolder, Workspace
    from bot.media.narration.ingest import Narration
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.moderation.base import Moderator
    from bot.moderation.words import BlockedWords
    from bot.speech.voice import Voice
    from storage.speeches import SpeechCaps, SpeechStore

log = logging.getLogger(__name__)

_AT_ONCE = 4
# Before anything is paid: what was paid for is waited for.
_WAIT_SECONDS = 120.0
_RECORDING = "narration.mp3"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenMp3:
    """A spoken text as an MP3 that is deleted after use."""

    path: Path
    seconds: float


class Narrator:
    """Has texts spoken; those of jobs are spoken by their step, and only counted here."""

    def __init__(
        self,
        voice: Voice,
        ffmpeg: Ffmpeg,
        workspace: Workspace,
        store: SpeechStore,
        *,
        caps: SpeechCaps,
        blocked: BlockedWords,
        moderator: Moderator | None,
        max_seconds: int,
        clock: Callable[[], float],
    ) -> None:
        self._voice = voice
        self._ffmpeg = ffmpeg
        self._workspace = workspace
        self._store = store
        self._caps = caps
        self._blocked = blocked
        self._moderator = moderator
        self._max_seconds = max_seconds
        self._clock = clock
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._speaking: set[int | str] = set()

    async def count(self, listener: SpeechRequester, text: str) -> bool:
        """Count a text before it costs anything; False: this interaction was counted before.

        UserError: a cap is reached, or a word is blocked.
        """
        self._blocked.check(text)
        usage = await self._store.take(listener, self._caps, now=self._clock())
        if usage is None:
            return True
        if usage.is_repeated:
            return False
        if usage.of_user >= self._caps.per_user:
            raise UserError("speech.user", limit=self._caps.per_user)
        raise UserError("speech.day", limit=self._caps.per_day)

    @contextmanager
    def turn(self, who: int | str) -> Generator[None]:
        """Take the turn of a person or client; UserError: a text of theirs is being spoken."""
        if who in self._speaking:
            raise UserError("speech.busy")
        self._speaking.add(who)
        try:
            yield
        finally:
            self._speaking.discard(who)

    @asynccontextmanager
    async def speak(self, text: str) -> AsyncGenerator[SpokenMp3]:
        """Speak a text, and keep the file while it is used.

        UserError: a key of `speech`, or the moderation has something against it. MediaError: it
        may work later.
        """
        await self._moderate(text)
        # What a crash leaves of it is swept away, as a folder of no job.
        name = uuid4().hex
        try:
            async with self._slot():
                recording = await self._record(text, await self._workspace.create(name))
            # Its upload may take long, and must not keep the voice from others.
            yield recording
        finally:
            await self._workspace.remove(name)

    async def speak_for(self, client: str, text: str) -> Path:
        """Speak a text for an API client, and return the MP3, which is kept for about a day.

        The same text costs, and counts, nothing in that time; it must not be spoken twice at once.
        UserError: as `count` and `speak` say. MediaError: it may work later, at no new cost.
        """
        name = hashlib.sha256(f"{self._voice.name}\0{client}\0{text}".encode()).hexdigest()[:32]
        folder = await self._workspace.create(name)
        recording = folder.path / _RECORDING
        if await asyncio.to_thread(recording.exists):
            return recording
        try:
            if not await asyncio.to_thread(folder.attachment.exists):
                await self.count(SpeechRequester(client=client), text)
                await self._moderate(text)
            async with self._slot():
                await self._record(text, folder)
        except UserError:
            # Whoever asks again now knows what that may cost.
            await self._workspace.remove(name)
            raise
        for other in (folder.attachment, folder.narration):
            await asyncio.to_thread(other.unlink, missing_ok=True)
        return recording

    @asynccontextmanager
    async def _slot(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise UserError("speech.unavailable") from None
        try:
            yield
        finally:
            self._slots.release()

    async def _moderate(self, text: str) -> None:
        if self._moderator is None:
            return
        try:
            reason = await self._moderator.check((text,))
        except BackendError as error:
            log.warning("speech.unchecked error=%r", str(error))
            raise UserError("speech.unchecked") from error
        if reason is not None:
            raise UserError(reason)

    async def _record(self, text: str, folder: JobFolder) -> SpokenMp3:
        await speak_once(self._voice, text, folder.attachment)
        narration = await self._ingest(folder)
        path = folder.path / _RECORDING
        await record(self._ffmpeg, narration, path)
        log.info(
            "speech.done voice=%s characters=%d seconds=%.1f",
            *(self._voice.name, len(text), narration.seconds),
        )
        return SpokenMp3(path=path, seconds=narration.seconds)

    async def _ingest(self, folder: JobFolder) -> Narration:
        try:
            narration = await ingest(
                self._ffmpeg, folder.attachment, folder.narration, max_seconds=self._max_seconds
            )
        except UserError as error:
            raise as_speech_error(error) from error
        if narration.loudness is None:
            raise UserError("speech.unusable")
        return narration
