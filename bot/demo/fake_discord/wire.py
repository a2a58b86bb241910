"""Defines ids, timestamps and flags as in Discord's API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.errors import ClapperError

if TYPE_CHECKING:
    from collections.abc import Callable

Payload: TypeAlias = dict[str, Any]

DISCORD_EPOCH_MS = 1_420_070_400_000
API = "/api/v10"

IS_EPHEMERAL = 1 << 6
IS_LOADING = 1 << 7
IS_COMPONENTS_V2 = 1 << 15


class FakeDiscordError(ClapperError):
    """The caller used a command, a button or a field that doesn't exist."""


class Snowflakes:
    """Creates ids that contain the current time, like Discord's.

    `clock` returns the time in Unix seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return a new id, which is greater than all earlier ids."""
        now = (int(self._clock() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last = max(self._last + 1, now)
        return self._last


def timestamp(seconds: float) -> str:
    """Format a Unix time as Discord does."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
