"""Defines a server, which Discord's API calls a guild."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.state.user import PERMISSIONS

if TYPE_CHECKING:
    from bot.demo.fake_discord.wire import Payload


@dataclass(frozen=True, kw_only=True, slots=True)
class Guild:
    """A server.

    `installed`: whether the application is installed in the server, and not only for a user.
    `has_bot`: whether the application was installed with its bot, and not only with its commands.
    """

    id: int
    name: str
    locale: str = "en-US"
    installed: bool = True
    has_bot: bool = True
    premium_tier: int = 0


def everyone_role(guild: Guild) -> Payload:
    """Return the role that every member of a server has."""
    return role_payload(guild.id, "@everyone")


def role_payload(role_id: int, name: str) -> Payload:
    """Return a role as Discord's role object."""
    return {
        "id": str(role_id),
        "name": name,
        "permissions": PERMISSIONS,
        "position": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
