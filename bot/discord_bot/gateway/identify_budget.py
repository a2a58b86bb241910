"""Delays new gateway sessions: after 1000 of them in a day, Discord resets the bot's token."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from storage.errors import StorageError
from storage.identifies import Identify

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from storage.identifies import IdentifyStore

log = logging.getLogger(__name__)

_HOUR, _DAY = 60 * 60.0, 24 * 60 * 60.0
# This many sessions can be opened without a pause. Beyond that, 20 an hour are allowed, so a
# process that restarts in a loop opens at most 880 sessions a day.
_MOST_AT_ONCE = 400
_MOST_PER_HOUR = 20
_MOST_FAULTS_PER_DAY = 20
_LOOK_SECONDS = 60.0


class IdentifyBudget:
    """Delays new sessions, so that the bot stays within Discord's limit on new sessions.

    Sessions of earlier processes count too, because most sessions are opened after a restart.
    """

    def __init__(
        self,
        store: IdentifyStore,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._unstored: list[Identify] = []

    async def wait(self, application_id: int, *, after_fault: bool) -> None:
        """Wait until a new session may be opened.

        `after_fault`: whether the session follows an unexpected error. Fewer such sessions are
        allowed.
        """
        is_logged = False
        while (pause := await self._pause(application_id, after_fault=after_fault)) > 0:
            if not is_logged:
                log.warning("gateway.too_many_logins again_in=%d", pause)
                is_logged = True
            # The pause is split into short ones, because the machine's clock may be set during the
            # pause.
            await self._sleep(min(pause, _LOOK_SECONDS))

    async def record(self, application_id: int, *, after_fault: bool) -> None:
        """Record that a session is being opened.

        If the database fails, keep the record in memory.
        """
        identify = Identify(at=self._clock(), after_fault=after_fault)
        try:
            await self._store.record(application_id, identify, seconds=_DAY)
        except StorageError as error:
            log.warning("gateway.login_not_stored error=%r", str(error))
            self._unstored.append(identify)

    async def _pause(self, application_id: int, *, after_fault: bool) -> float:
        now = self._clock()
        try:
            stored = await self._store.recent(application_id, now=now, seconds=_DAY)
        except StorageError:
            stored = []
        self._unstored = [identify for identify in self._unstored if identify.at > now - _DAY]
        recent = sorted((*stored, *self._unstored), key=lambda identify: identify.at)
        times = [min(identify.at, now) for identify in recent]
        faults = [min(identify.at, now) for identify in recent if identify.after_fault]
        is_scarce = len(times) >= _MOST_AT_ONCE
        return max(
            _until_free(times, _MOST_PER_HOUR, _HOUR, now) if is_scarce else 0.0,
            _until_free(faults, _MOST_FAULTS_PER_DAY, _DAY, now) if after_fault else 0.0,
        )


def _until_free(times: list[float], most: int, seconds: float, now: float) -> float:
    """Return the seconds until a new session is allowed.

    It is allowed if the last `seconds` contain fewer than `most` of the times. `times` is sorted.
    """
    return 0.0 if len(times) < most else times[-most] + seconds - now
