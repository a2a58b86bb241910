"""AnswerSaver: stores the response to a create request, even if the database fails at first."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

# The longest time for which a write is repeated. If the response were lost, the bot would have to
# look for the job at the provider and, if it did not find the job, ask the requester.
_MAX_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 1.0
_MAX_PAUSE_SECONDS = 8.0


class AnswerSaver:
    """Repeats a write while the database fails. `steady`: a clock that never jumps."""

    def __init__(
        self,
        *,
        steady: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._steady = steady
        self._sleep = sleep

    async def save(self, write: Callable[[], Awaitable[_Result]]) -> _Result:
        """Run a write, repeating it for up to a minute while the database fails.

        The write must be conditional, so that a repetition changes nothing. Raises StorageError if
        all attempts fail.
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
