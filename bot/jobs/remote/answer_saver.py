"""AnswerSaver: repeats the writes that store the response to a paid create request."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

# If the response were lost, the job would have to be looked for at the provider, or its requester
# asked.
_MAX_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 1.0
_MAX_PAUSE_SECONDS = 8.0


class AnswerSaver:
    """Keeps a response in memory while the database fails; `steady`: a clock that is never set."""

    def __init__(
        self,
        *,
        steady: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._steady = steady
        self._sleep = sleep

    async def save(self, write: Callable[[], Awaitable[_Result]]) -> _Result:
        """Run a write, repeat it for a minute while the database fails, and return its result.

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
