"""LaneAlarm: wakes a lane when one of its jobs may be due."""

from __future__ import annotations

import asyncio


class LaneAlarm:
    """Wakes a lane when a job is due now, and at the time at which the next job will be due.

    After `max_seconds` at the latest, the lane has to read that time from the table, because the
    clock may have been changed, or another process may have changed a job.
    """

    def __init__(self, *, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._changed = asyncio.Event()
        self._is_due = True
        self._read_at = 0.0  # a time of the event loop

    def ring(self) -> None:
        """Wake the lane now."""
        self._is_due = True
        self._changed.set()

    def set_in(self, seconds: float) -> None:
        """Wake the lane in `seconds`, unless it wakes earlier."""
        self._read_at = min(self._read_at, asyncio.get_running_loop().time() + seconds)
        self._changed.set()

    def begin(self) -> bool:
        """Note that the lane claims its due jobs.

        Returns whether it also has to read the time at which the next job is due.
        """
        self._is_due = False
        now = asyncio.get_running_loop().time()
        if now < self._read_at:
            return False
        self._read_at = now + self._max_seconds
        return True

    async def wait(self) -> None:
        """Wait until the lane has to wake."""
        loop = asyncio.get_running_loop()
        while not self._is_due and loop.time() < self._read_at:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(self._read_at):
                    await self._changed.wait()
            except TimeoutError:
                return
