"""Describes the people, channels and roles that are named in the options of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.world import World
    from bot.demo.fake_discord.wire import Payload

USER, CHANNEL, ROLE = 6, 7, 8
#: The types of options whose values are ids.
NAMING = frozenset({USER, CHANNEL, ROLE})


def resolve_names(world: World, where: Channel, data: Payload) -> Payload:
    """Return the data of a command, with descriptions of the objects that its options name."""
    found: dict[str, dict[str, Payload]] = {}
    for option in _leaves(data.get("options") or []):
        if option["type"] in NAMING:
            for group, payload in _objects(world, where, option["type"], option["value"]).items():
                found.setdefault(group, {})[option["value"]] = payload
    if not found:
        return data
    return data | {"resolved": {**data.get("resolved", {}), **found}}


def _leaves(options: Sequence[Payload]) -> list[Payload]:
    """Return the options of the innermost subcommand."""
    for option in options:
        if "value" not in option:
            return _leaves(option.get("options") or [])
    return list(options)


def _objects(world: World, where: Channel, kind: int, named: str) -> Mapping[str, Payload]:
    if kind == CHANNEL:
        return {"channels": world.any_channel(int(named)).payload()}
    if kind == ROLE:
        roles = [role for roles in world.roles.values() for role in roles]
        return {"roles": next(role for role in roles if role["id"] == named)}
    guild = where.guild
    user = world.find_user(int(named))
    objects: dict[str, Payload] = {"users": user.payload()}
    if guild is not None and (user.id, guild.id) not in world.absent:
        member = world.members.payload(user, guild)
        objects["members"] = {key: value for key, value in member.items() if key != "user"}
    return objects
