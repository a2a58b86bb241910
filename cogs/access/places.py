"""Finds out where an order comes from, and chooses where Discord offers paid commands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.moderation.access.place import OrderFrom, OrderPlace

if TYPE_CHECKING:
    from bot.discord_bot.bot import VideoBot

_MAY_BE_RESTRICTED = (
    discord.TextChannel,
    discord.Thread,
    discord.VoiceChannel,
    discord.StageChannel,
    discord.ForumChannel,
)


async def place_of(interaction: discord.Interaction[VideoBot]) -> OrderPlace:
    """Return the place where a person used a command or button. The gate checks the place."""
    client = interaction.client
    server_id = interaction.guild_id
    member = interaction.user if isinstance(interaction.user, discord.Member) else None
    place = OrderPlace(
        user_id=interaction.user.id,
        server_id=server_id,
        is_installed=server_id is not None and is_installed(interaction, server_id),
        is_group=server_id is None and not interaction.context.dm_channel,
        channel_ids=_channel_ids(interaction.channel) if server_id is not None else (),
        is_age_restricted=_is_age_restricted(interaction.channel),
        role_ids=frozenset(role.id for role in member.roles) if member else frozenset(),
    )
    if not client.services.gate.asks_membership(place):
        return place
    memberships = await client.services.memberships.of(client, place.user_id)
    return replace(place, memberships=memberships)


def _channel_ids(channel: object) -> tuple[int, ...]:
    """Return the ids of the thread, the channel and the category that contain the interaction."""
    ids: list[int | None] = []
    if isinstance(channel, discord.Thread):
        ids += [channel.id, channel.parent_id]
        channel = channel.parent
    if isinstance(channel, discord.abc.GuildChannel):
        ids += [channel.id, channel.category_id]
    return tuple(dict.fromkeys(each for each in ids if each is not None))


def _is_age_restricted(channel: object) -> bool:
    return isinstance(channel, _MAY_BE_RESTRICTED) and channel.is_nsfw()


def is_installed(interaction: discord.Interaction[VideoBot], server_id: int) -> bool:
    """Tell whether the server, and not only the person, has installed the bot."""
    if interaction.is_guild_integration():
        return True
    # If the interaction is only possible because the person has installed the bot, Discord names
    # only the person's installation.
    is_member = interaction.client.get_guild(server_id) is not None
    return is_member and not interaction.is_user_integration()


def offer_where_ordered(
    command: app_commands.Command[Any, ..., Any], order_from: OrderFrom
) -> None:
    """Offer a command in Discord only in the places where people may order videos."""
    everywhere = order_from is OrderFrom.EVERYWHERE
    command.allowed_installs = app_commands.AppInstallationType(guild=True, user=everywhere)
    command.allowed_contexts = app_commands.AppCommandContext(
        guild=True, dm_channel=order_from.takes_dms, private_channel=everywhere
    )
