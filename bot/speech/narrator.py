"""Narrator: reads texts aloud for people and API clients, within the operator's caps."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.errors import BackendError, UserError
from bot.media.captions.captioner import caption_narration
from bot.media.narration.ingest import ingest
from bot.model import Client
from bot.moderation.access.place import OrderPlace
from bot.speech.mp3 import write_mp3
from bot.speech.payment import SpeechPayment
from bot.speech.spoken_words import remember_words
from bot.speech.voice import as_speech_error, checked_text, speak_once, was_asked
from storage.ledger.budgets import Reservation
from storage.speeches import SpeechRequester

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from pathlib import Path

    from bot.media.files.job_folder import JobFolder
    from bot.media.files.workspace import Workspace
    from bot.media.narration.ingest import Narration
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.model import Origin
    from bot.moderation.access.gate import Gate
    from bot.moderation.base import Moderator
    from bot.moderation.words import BlockedWords
    from bot.speech.kept_speeches import KeptSpeeches
    from bot.speech.payment import SpeechBudget
    from bot.speech.voice import Voice
    from bot.speech.voices import Voices
    from storage.speeches import SpeechCaps, SpeechStore

log = logging.getLogger(__name__)

_SLOTS = 4
_TRIES = 20
# The longest wait for a free slot. Waiting costs nothing.
_MAX_WAIT_SECONDS = 120.0
_RECORDING = "narration.mp3"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenMp3:
    """The MP3 file of a text that was read aloud. The file is soon deleted.

    `is_kept`: whether the text is kept for a day, together with the voice's original sound.
    """

    path: Path
    seconds: float
    is_kept: bool = False


class Narrator:
    """Counts texts against the caps, and reads texts aloud. A job's text is only counted here."""

    def __init__(
        self,
        voices: Voices,
        ffmpeg: Ffmpeg,
        workspace: Workspace,
        store: SpeechStore,
        budget: SpeechBudget,
        *,
        kept: KeptSpeeches,
        caps: SpeechCaps,
        blocked: BlockedWords,
        gate: Gate,
        moderator: Moderator | None,
        max_seconds: int,
        clock: Callable[[], float],
    ) -> None:
        self._voices = voices
        self._ffmpeg = ffmpeg
        self._workspace = workspace
        self._store = store
        self._kept = kept
        self._budget = budget
        self._caps = caps
        self._blocked = blocked
        self._gate = gate
        self._moderator = moderator
        self._max_seconds = max_seconds
        self._clock = clock
        self._slots = asyncio.Semaphore(_SLOTS)
        self._speaking: set[int | str] = set()

    @property
    def languages(self) -> str:
        """The names of the languages that have a voice, or "" if any text may be read aloud."""
        return self._voices.languages

    async def count(
        self, requester: SpeechRequester, text: str, *, place: OrderPlace | None = None
    ) -> bool:
        """Count a job's text against the caps, or return False if it was already counted.

        `place`: the place in Discord from which the order comes.
        Raises UserError if orders from there are refused, a cap is reached, a word is blocked, the
        text contains nothing to read aloud, or its language has no voice.
        """
        return await self._count(requester, text, place, Reservation()) is not None

    async def order(
        self,
        requester: SpeechRequester,
        payer: Origin | Client,
        text: str,
        place: OrderPlace | None,
    ) -> int | None:
        """Count a text that belongs to no job, and reserve its price.

        Returns the id with which `speak` settles the price, or None if this interaction was already
        counted. Raises UserError as `count` does, or if a budget is reached.
        """
        reservation = await self._budget.for_speech(payer)
        return await self._count(requester, text, place, reservation)

    async def _count(
        self,
        requester: SpeechRequester,
        text: str,
        place: OrderPlace | None,
        reservation: Reservation,
    ) -> int | None:
        if place is None and requester.user_id is not None:
            place = OrderPlace(user_id=requester.user_id)
        await self._gate.check(place)
        checked_text(text)  # an earlier job's text may have been stored before this check existed
        self._blocked.check(text)
        await self._voices.choose(text)  # refuses other languages before anything is counted
        for _ in range(_TRIES):
            usage = await self._store.count(requester, self._caps, reservation, now=self._clock())
            if isinstance(usage, int):
                return usage
            if usage.is_repeated:
                return None
            if usage.of_user >= self._caps.per_user:
                raise UserError("speech.user", limit=self._caps.per_user)
            if usage.today >= self._caps.per_day:
                break
            await self._budget.check(reservation)  # it may have room again by now
        raise UserError("speech.day", limit=self._caps.per_day)

    async def withdraw(self, speech_id: int) -> None:
        """Release the price of an ordered text that is not going to be read aloud."""
        await self._payment(speech_id).release()

    @contextmanager
    def speech_lock(self, requester: int | str) -> Generator[None]:
        """Mark that a text is being read aloud for a requester.

        Raises UserError if another text is already being read aloud for the requester.
        """
        if requester in self._speaking:
            raise UserError("speech.busy")
        self._speaking.add(requester)
        try:
            yield
        finally:
            self._speaking.discard(requester)

    @asynccontextmanager
    async def speak(
        self, text: str, speech_id: int, *, locale: str | None = None
    ) -> AsyncGenerator[SpokenMp3]:
        """Read a text aloud into an MP3 file, which is deleted after the `with` block.

        `speech_id`: the result of `order`. `locale`: the person's language, as Discord names it.
        Raises UserError if the voice or the moderator refuses the text, and MediaError if a retry
        may succeed.
        """
        # The folder belongs to no job. If the folder is left over after a crash, the sweep deletes
        # it.
        name = uuid4().hex
        try:
            payment = self._payment(speech_id)
            async with payment.released_if_free():
                await self._moderate(text)
                voice = await self._voices.choose(text, locale)
                async with self._slot():
                    folder = await self._workspace.create(name)
                    recording = await self._record(voice, text, folder, payment)
            is_kept = await self._kept.keep(speech_id, text, narration_id=name)
            # The slot has already been freed, because uploading the MP3 may take a while.
            yield replace(recording, is_kept=is_kept)
        finally:
            await self._workspace.delete_folder(name)

    async def speak_for(self, client: str, text: str) -> Path:
        """Read a text aloud for an API client, and return the path of the MP3.

        The MP3 is kept for about a day. In that time, the same text costs nothing and is not
        counted again. The caller must hold the client's `speech_lock`.
        Raises UserError for the same reasons as `count` and `speak`, and MediaError if a retry may
        succeed. A retry costs nothing.
        """
        voice = await self._voices.choose(text)
        name = hashlib.sha256(f"{voice.name}\0{client}\0{text}".encode()).hexdigest()[:32]
        folder = await self._workspace.create(name)
        recording = folder.path / _RECORDING
        if await asyncio.to_thread(recording.exists):
            return recording
        try:
            speech_id = await self._order_for(client, text, folder)
            payment = self._payment(speech_id)
            async with payment.released_if_free():
                if speech_id is not None:
                    await self._moderate(text)
                async with self._slot():
                    await self._record(voice, text, folder, payment)
            await remember_words(self._workspace, client, recording, folder.cues)
        except UserError:
            # This error tells the client that repeating the request may cost money again, so the
            # record of the attempt can be deleted too.
            await self._workspace.delete_folder(name)
            raise
        for leftover in (folder.attachment, folder.narration):
            await asyncio.to_thread(leftover.unlink, missing_ok=True)
        return recording

    async def _order_for(self, client: str, text: str, folder: JobFolder) -> int | None:
        """Order the reading of a text for a client.

        Returns None if an earlier attempt has already asked the voice. The price of that attempt is
        already counted, and the voice is not asked again.
        """
        if await asyncio.to_thread(was_asked, folder.attachment):
            return None
        return await self.order(SpeechRequester(client=client), Client(name=client), text, None)

    def _payment(self, speech_id: int | None) -> SpeechPayment:
        return SpeechPayment(self._store, speech_id, clock=self._clock)

    @asynccontextmanager
    async def _slot(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(_MAX_WAIT_SECONDS):
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

    async def _record(
        self, voice: Voice, text: str, folder: JobFolder, payment: SpeechPayment
    ) -> SpokenMp3:
        await payment.begin()
        await speak_once(voice, text, folder.attachment)
        narration = await self._ingest(folder)
        await caption_narration(narration, text, folder.cues)
        path = folder.path / _RECORDING
        await write_mp3(self._ffmpeg, narration, path)
        log.info(
            "speech.done voice=%s characters=%d seconds=%.1f",
            voice.name,
            len(text),
            narration.seconds,
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
