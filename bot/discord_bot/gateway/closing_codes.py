"""Handles the codes with which Discord closes a gateway connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# These codes mean that the session can't be resumed: not authenticated, invalid sequence number, or
# session timed out.
NEW_SESSION_CODES = frozenset({4003, 4007, 4009})

_UPDATE = "update Clapper, and discord.py with it"
# After these codes, Discord would refuse every further attempt to connect.
_ADVICE: Mapping[int, str] = {
    4004: "Discord no longer accepts DISCORD_TOKEN; copy it again from the Developer Portal's Bot "
    "page",
    4010: f"Discord refuses the shard; {_UPDATE}",
    4011: "the bot is in too many servers for one connection (2,500 at most); remove it from some",
    4012: f"Discord no longer has this version of its API; {_UPDATE}",
    4013: f"Discord does not know the intents; {_UPDATE}",
    4014: "Discord does not allow the intents; check the Bot page in the Developer Portal, and "
    "whether DISCORD_TOKEN belongs to this application",
}


def final_sentence(code: int | None) -> str | None:
    """Return a sentence for the operator if a closing code rules out reconnecting, or else None."""
    advice = None if code is None else _ADVICE.get(code)
    if advice is None:
        return None
    return (
        f"Discord has closed the connection for good (code {code}): {advice}. "
        "Open jobs continue after the next start."
    )
