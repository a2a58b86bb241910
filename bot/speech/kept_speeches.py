"""KeptSpeeches: the texts that were read aloud for people in the last day, with their sound."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import UserError
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.media.files.workspace import Workspace
    from storage.speeches import KeptSpeech, SpeechStore

log = logging.getLogger(__name__)

# This is longer than any text waits between its order and the request to the voice.
_ABANDONED_SECONDS = 60 * 60.0


class KeptSpeeches:
    """Keeps each text for a day, and its sound in the workspace, so that a video can use them.

    The row of a text is written before its file, and cleared after its file is deleted. Therefore,
    every file is named in a row, even after a crash.
    """

    def __init__(
        self, store: SpeechStore, workspace: Workspace, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._workspace = workspace
        self._clock = clock

    async def keep(self, speech_id: int, text: str, *, narration_id: str) -> bool:
        """Keep a text, and the sound in the folder `narration_id`. Failures are logged.

        Returns False if the text was not kept, which includes that the person has deleted their
        data meanwhile.
        """
        try:
            if not await self._store.keep(speech_id, text, narration_id=narration_id):
                return False
            await self._workspace.keep_narration(narration_id)
            if await self._store.kept(speech_id, now=self._clock()) is not None:
                return True
            await self._workspace.delete_kept(narration_id)
        except (OSError, StorageError) as error:
            log.warning("speech.not_kept id=%d error=%s", speech_id, type(error).__name__)
        return False

    async def find(self, speech_id: int, user_id: int) -> KeptSpeech:
        """Return a text that was read aloud for a person.

        Raises UserError if the text is another person's, or is no longer kept.
        """
        speech = await self._store.kept(speech_id, now=self._clock())
        if speech is None:
            raise UserError("speech.expired")
        if speech.user_id != user_id:
            raise UserError("speech.not_yours")
        if not await self._workspace.has_narration(speech.narration_id):
            raise UserError("speech.expired")
        return speech

    async def count(self, user_id: int) -> int:
        """Return the number of texts that are kept for a person."""
        return len(await self._store.narrations_of(user_id))

    async def delete_all(self, user_id: int) -> int:
        """Delete the texts of a person, and return their number. The rows still count for caps.

        A text that is being read aloud is not kept.
        """
        await self._store.keep_no_more(user_id)
        narrations = await self._store.narrations_of(user_id)
        for narration_id in narrations:
            await self._delete(narration_id)
        return len(narrations)

    async def sweep(self, *, now: float) -> None:
        """Release the prices of texts that were never read aloud, and delete what is a day old."""
        # A row is the only trace of a reserved price, so the price is released first.
        await self._store.release_abandoned(before=now - _ABANDONED_SECONDS, now=now)
        for narration_id in await self._store.expired_narrations(now=now):
            await self._delete(narration_id)
        await self._store.delete_old(now=now)

    async def _delete(self, narration_id: str) -> None:
        # The folder may contain an MP3 that is being sent. It is deleted afterwards.
        try:
            await self._workspace.delete_kept(narration_id)
        except OSError as error:
            log.warning("speech.undeletable id=%s error=%s", narration_id, type(error).__name__)
            return  # the sweep tries again
        await self._store.forget(narration_id)
