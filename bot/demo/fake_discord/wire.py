"""Defines the ids, timestamps and flags of Discord's API."""

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
    """The caller used a command, a button or a field that does not exist."""


class Snowflakes:
    """Creates ids that contain their time, as Discord's do; `clock` returns Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return an id that is greater than all earlier ones."""
        now = (int(self._clock() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last = max(self._last + 1, now)
        return self._last


def timestamp(seconds: float) -> str:
    """Format Unix seconds as Discord does."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
