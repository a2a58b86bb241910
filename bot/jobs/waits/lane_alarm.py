"""LaneAlarm: wakes a lane when one of its jobs may be due."""

from __future__ import annotations

import asyncio
import math


class LaneAlarm:
    """Wakes a lane when a job is due now, and at the time at which the next job will be due.

    At its start, and after `max_seconds` at the latest, the lane has to read that time from the
    table, because the clock may have been changed, or another process may have changed a job. The
    lane then claims nothing, because usually no job is due. If one is, it wakes once more.
    """

    def __init__(self, *, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._changed = asyncio.Event()
        self._is_rung = False
        self._due_at = math.inf  # a time of the event loop
        self._read_at = 0.0  # same

    def ring(self) -> None:
        """Wake the lane now."""
        self._is_rung = True
        self._changed.set()

    def set_in(self, seconds: float) -> None:
        """Wake the lane in `seconds`, unless it wakes earlier."""
        self._due_at = min(self._due_at, asyncio.get_running_loop().time() + seconds)
        self._changed.set()

    def look(self) -> None:
        """Wake the lane now, so that it reads when its next job is due."""
        self._read_at = 0.0
        self._changed.set()

    def begin(self) -> tuple[bool, bool]:
        """Note that the lane is awake.

        Returns whether the lane has to claim its due jobs, and whether it has to read the time at
        which the next job is due.
        """
        now = asyncio.get_running_loop().time()
        must_read = now >= self._wake_at
        is_due = self._is_rung or now >= self._due_at
        self._is_rung = False
        if must_read:
            # All lanes read at the same times, so that their statements share a transaction.
            next_read = (now // self._max_seconds + 1) * self._max_seconds
            self._due_at, self._read_at = math.inf, next_read
        return is_due, must_read

    async def wait(self) -> None:
        """Wait until the lane has to wake."""
        while not self.is_due:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(self._wake_at):
                    await self._changed.wait()
            except TimeoutError:
                return

    @property
    def is_due(self) -> bool:
        """Whether the lane has to wake now."""
        return self._is_rung or asyncio.get_running_loop().time() >= self._wake_at

    @property
    def _wake_at(self) -> float:
        return min(self._due_at, self._read_at)
