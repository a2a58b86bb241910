"""The places in Discord from which a person may order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.user import User
    from bot.demo.fake_discord.state.world import Channel
    from tests.support.desk import Desk


def find_place(desk: Desk, kind: str, user: User | None = None) -> Channel:
    """Return a place for a person: by default the desk's user, in the server with the bot."""
    world = desk.fake_discord.world
    user = user or world.user
    match kind:
        case "dm":
            return world.dm(user)
        case "group":
            return world.add_group(user, world.add_user("friend"))
        case "user_install":
            return world.add_channel(world.add_guild("Elsewhere", installed=False))
        case _:
            return world.channel
