"""Recognises messages that a server's own moderation blocked."""

from __future__ import annotations

import discord

# AutoMod blocked the message or its title, or the message contains a link that Discord lists as
# harmful.
_BLOCKED = frozenset({200_000, 200_001, 240_000})


def is_blocked_by_server(error: Exception) -> bool:
    """Tell whether AutoMod, or Discord's link filter, blocked the message."""
    return isinstance(error, discord.HTTPException) and error.code in _BLOCKED
