"""Limits log messages that outsiders can trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class LogThrottle:
    """Admits one message per `interval` seconds, and counts the suppressed ones."""

    def __init__(self, *, interval: float, clock: Callable[[], float]) -> None:
        self._interval = interval
        self._clock = clock
        self._next_at = 0.0
        self._suppressed = 0

    def admit(self) -> int | None:
        """Return the number suppressed since the last message, or None to suppress this one."""
        now = self._clock()
        # A clock that is set back must not suppress messages for long.
        if self._next_at - self._interval <= now < self._next_at:
            self._suppressed += 1
            return None
        suppressed, self._suppressed = self._suppressed, 0
        self._next_at = now + self._interval
        return suppressed
