"""Records that another process uses this bot's token to answer interactions."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.delivery.second_bots import SecondBot, SecondBotStore

log = logging.getLogger(__name__)

# Discord's error code for a response to an interaction that already has one.
ALREADY_ANSWERED = 40060


class SecondBotWatch:
    """Records that another process has answered interactions of this bot."""

    def __init__(self, store: SecondBotStore, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def record(self, application_id: int, interaction_id: int) -> None:
        """Record that another process has answered an interaction."""
        log.warning(
            "token.shared interaction=%d advice='stop the other bot with this DISCORD_TOKEN'",
            interaction_id,
        )
        try:
            await self._store.record(application_id, now=self._clock())
        except StorageError:
            log.exception("token.shared_unsaved")  # the interaction must still be handled

    async def get(self, application_id: int) -> SecondBot | None:
        """Return when and how often a second bot was noticed, or None if it never was."""
        return await self._store.get(application_id)

    async def record_notice(self, application_id: int) -> None:
        """Record that a notice to the operator was sent or could not be delivered."""
        await self._store.record_notice(application_id, now=self._clock())
