"""The place of an interaction, and the places in which Discord offers the commands that cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from discord import app_commands

from bot.moderation.access.place import OrderFrom, OrderPlace

if TYPE_CHECKING:
    import discord

    from bot.discord_bot.bot import VideoBot


async def place_of(interaction: discord.Interaction[VideoBot]) -> OrderPlace:
    """Return the place of an interaction, which the gate judges."""
    client = interaction.client
    server_id = interaction.guild_id
    place = OrderPlace(
        user_id=interaction.user.id,
        server_id=server_id,
        is_installed=server_id is not None and _is_installed(interaction, server_id),
        is_group=server_id is None and not interaction.context.dm_channel,
    )
    if not client.services.gate.asks_membership(place):
        return place
    memberships = await client.services.memberships.of(client, place.user_id)
    return replace(place, memberships=memberships)


def _is_installed(interaction: discord.Interaction[VideoBot], server_id: int) -> bool:
    if interaction.is_guild_integration():
        return True
    # If only the person's own installation allows the interaction, Discord names only the person.
    is_member = interaction.client.get_guild(server_id) is not None
    return is_member and not interaction.is_user_integration()


def offer_where_ordered(
    command: app_commands.Command[Any, ..., Any], order_from: OrderFrom
) -> None:
    """Have Discord offer a command that costs only in the places from which orders may come."""
    everywhere = order_from is OrderFrom.EVERYWHERE
    command.allowed_installs = app_commands.AppInstallationType(guild=True, user=everywhere)
    command.allowed_contexts = app_commands.AppCommandContext(
        guild=True, dm_channel=order_from.takes_dms, private_channel=everywhere
    )
