"""Defines a user, who is a person or the bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.wire import timestamp

if TYPE_CHECKING:
    from bot.demo.fake_discord.wire import Payload

# An ordinary member may view channels, send messages, embed links, attach files, read the history
# and use commands.
PERMISSIONS = str(1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 31)
JOINED = timestamp(1_700_000_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A person or the bot.

    `locale`: the language of the person's Discord app.
    """

    id: int
    name: str
    locale: str = "en-US"
    bot: bool = False

    def payload(self) -> Payload:
        """Return the user as Discord's user object."""
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": self.name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }

    def member(self) -> Payload:
        """Return the user as Discord's member object."""
        return {
            "user": self.payload(),
            "roles": [],
            "joined_at": JOINED,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": PERMISSIONS,
        }
