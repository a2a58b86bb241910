"""SpeechPayment: the reserved price of a text that belongs to no job, within the budgets."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from bot.errors import UserError
from bot.speech.voice import MAYBE_CHARGED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from bot.model import Client, Origin
    from storage.ledger.budgets import Reservation
    from storage.speeches import SpeechStore


class SpeechBudget(Protocol):
    """The budgets, and the price of reading a text aloud."""

    async def for_speech(self, requester: Origin | Client) -> Reservation:
        """Return the reservation for reading a text aloud."""
        ...

    async def check(self, reservation: Reservation) -> None:
        """Raise UserError if a reservation exceeds a budget. The error names the budget."""
        ...


class SpeechPayment:
    """Counts the price of a text as spent once the voice is about to be asked.

    `speech_id`: the text's row, or None if an earlier attempt has already asked the voice.
    """

    def __init__(
        self, store: SpeechStore, speech_id: int | None, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._speech_id = speech_id
        self._clock = clock
        self._is_begun = False

    async def begin(self) -> None:
        """Record that the voice is about to be asked.

        If the process crashes after this, the price still counts as spent.

        Raises UserError if the voice may have been asked before.
        """
        if self._speech_id is None:
            return
        self._is_begun = True
        if not await self._store.begin_speaking(self._speech_id, now=self._clock()):
            raise UserError("speech.unsure")

    async def release(self) -> None:
        """Record that the text costs nothing."""
        if self._speech_id is not None:
            await self._store.release(self._speech_id, now=self._clock())

    @asynccontextmanager
    async def released_if_free(self) -> AsyncGenerator[None]:
        """Release the price if the block fails before the voice is asked, or if the voice refuses.

        Cancellations release the price too. If the process is killed, the sweep does so.
        """
        try:
            yield
        except BaseException as error:
            is_refused = isinstance(error, UserError) and error.key not in MAYBE_CHARGED
            if is_refused or not self._is_begun:
                await self.release()
            raise
