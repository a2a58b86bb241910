"""The commands `/clapper`. Managers of a server use them to control who may order videos in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.ext import commands

from bot.errors import UserError
from cogs.access.commands import AccessCommands
from cogs.access.places import is_installed

if TYPE_CHECKING:
    import discord

    from bot.discord_bot.bot import VideoBot


@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
class ServerCog(AccessCommands, commands.GroupCog, group_name="clapper"):
    """The settings of the server in which the command is used. Only managers may use it."""

    def _scope(self, interaction: discord.Interaction[VideoBot]) -> int:
        # Discord checks permissions too, but a server can change that check, and a client may have
        # an old definition of the command.
        server_id = managed_server(interaction)
        if server_id is None:
            raise UserError("access.not_a_manager")
        return server_id


def managed_server(interaction: discord.Interaction[VideoBot]) -> int | None:
    """Return the id of the interaction's server, or None if the person does not manage it."""
    server_id, may = interaction.guild_id, interaction.permissions
    is_manager = may.manage_guild or may.administrator
    if server_id is None or not is_manager or not is_installed(interaction, server_id):
        return None
    return server_id


async def setup(bot: VideoBot) -> None:
    """Add the cog to the bot."""
    await bot.add_cog(ServerCog(bot.services))
