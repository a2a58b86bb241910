"""ClockFollower: follows the database's clock, but shifts no stored times."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.pacing import CLOCK_STEP_SECONDS

if TYPE_CHECKING:
    from bot.pacing import WatchedClock

log = logging.getLogger(__name__)

_MIN_DRIFT_SECONDS = 1.0


class ClockFollower:
    """Adopts the time of the database's clock. The desk shifts the times of the jobs.

    `pause`: the seconds between two checks.
    """

    def __init__(self, clock: WatchedClock, *, pause: float) -> None:
        self._clock = clock
        self._pause = pause

    async def run(self) -> None:
        """Check the clock again and again until cancelled."""
        while True:
            self.check()
            await asyncio.sleep(self._pause)

    def check(self) -> None:
        """Adopt the time if the clock was set."""
        drift = self._clock.drift
        if abs(drift) < _MIN_DRIFT_SECONDS:
            return
        if abs(drift) > CLOCK_STEP_SECONDS:
            log.warning("clock.set seconds=%d", drift)
            self._clock.mark_unsettled()
        self._clock.adopt(drift)
