"""The codes with which Discord closes a gateway connection, if the bot has to act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Not authenticated, invalid sequence, session timed out: the session can't be resumed.
NEW_SESSION_CODES = frozenset({4003, 4007, 4009})

_UPDATE = "update Clapper, and discord.py with it"
# After these codes, another attempt would be refused too.
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
    """Return the sentence for the operator if a code ends the bot, or None if it reconnects."""
    advice = None if code is None else _ADVICE.get(code)
    if advice is None:
        return None
    return (
        f"Discord has closed the connection for good (code {code}): {advice}. "
        "Open jobs continue after the next start."
    )
