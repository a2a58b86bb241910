"""KeptSpeeches: what is stored about the texts that were read aloud in the last day."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.speeches import SpeechStore

# Longer than any text takes from its order until the voice is asked.
_ABANDONED_SECONDS = 60 * 60.0


class KeptSpeeches:
    """Deletes the rows of texts after a day, and releases prices that a crash left reserved."""

    def __init__(self, store: SpeechStore) -> None:
        self._store = store

    async def sweep(self, *, now: float) -> None:
        """Release the prices of texts that were never read aloud, and delete old rows."""
        # A row is the only trace of a reserved price, so the price is released first.
        await self._store.release_abandoned(before=now - _ABANDONED_SECONDS, now=now)
        await self._store.delete_old(now=now)
