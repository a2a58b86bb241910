"""Recognises messages that a server's own moderation blocked."""

from __future__ import annotations

import discord

# Discord's error codes for a message or title that AutoMod blocked, and for a message that contains
# a harmful link.
_BLOCKED = frozenset({200_000, 200_001, 240_000})


def is_blocked_by_server(error: Exception) -> bool:
    """Tell whether `error` means that AutoMod or the filter for harmful links blocked a message."""
    return isinstance(error, discord.HTTPException) and error.code in _BLOCKED
