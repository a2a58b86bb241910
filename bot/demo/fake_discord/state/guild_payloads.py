"""Parts of Discord's objects that are the same for every server and thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.wire import timestamp

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.world import Guild
    from bot.demo.fake_discord.wire import Payload

# View, send, embed, attach, read history, use commands: an ordinary member's permissions.
PERMISSIONS = str(1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 31)
JOINED = timestamp(1_700_000_000)


def thread_fields(guild: Guild) -> Payload:
    """Return the fields of a thread's object that other channels lack."""
    return {
        "parent_id": str(guild.id),
        "owner_id": str(guild.id),
        "message_count": 0,
        "member_count": 1,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 1440,
            "archive_timestamp": JOINED,
            "locked": False,
        },
    }


def everyone_role(guild: Guild) -> Payload:
    """Return the role that every member has."""
    return {
        "id": str(guild.id),
        "name": "@everyone",
        "permissions": PERMISSIONS,
        "position": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
