"""Keeps what anybody can cause from filling the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class LogThrottle:
    """Lets one thing through in each `apart` seconds, and counts the others."""

    def __init__(self, *, apart: float, clock: Callable[[], float]) -> None:
        self._apart = apart
        self._clock = clock
        self._next_at = 0.0
        self._held_back = 0

    def admit(self) -> int | None:
        """Return how many were held back since the last that was not, or None: hold it back."""
        now = self._clock()
        # A clock that was set back must not silence it for long.
        if self._next_at - self._apart <= now < self._next_at:
            self._held_back += 1
            return None
        held_back, self._held_back = self._held_back, 0
        self._next_at = now + self._apart
        return held_back
