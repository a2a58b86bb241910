"""AnswerSaver: repeats the writes that store the provider's answer to a paid create."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

# Without its answer, a paid create has to be looked for at the provider, or its requester be asked.
_MAX_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 1.0
_MAX_PAUSE_SECONDS = 8.0


class AnswerSaver:
    """Keeps an answer in memory while the database fails; `steady` is a clock that is never set."""

    def __init__(
        self,
        *,
        steady: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._steady = steady
        self._sleep = sleep

    async def save(self, write: Callable[[], Awaitable[_Result]]) -> _Result:
        """Return the result of a write, which is repeated for up to a minute while storage fails.

        The write has to be conditional, so that a repetition changes nothing. StorageError: it
        failed for the whole minute.
        """
        until, pause = self._steady() + _MAX_SECONDS, _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await write()
            except StorageError as error:
                if self._steady() + pause > until:
                    raise
                log.warning("submit.answer_unsaved error=%r again_in=%d", str(error), pause)
            await self._sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)
