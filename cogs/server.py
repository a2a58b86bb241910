"""The commands `/clapper`. Managers use them to control who may order videos in a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.errors import UserError
from cogs.access.channel_option import AnyChannel  # noqa: TC001 - discord.py reads the annotations
from cogs.access.commands import MAX_LIMIT, AccessCommands, LimitChoice, RuleChoice
from cogs.access.places import is_installed
from storage.access.settings import Setting

if TYPE_CHECKING:
    from bot.discord_bot.bot import VideoBot


class ServerCommands(AccessCommands):
    """The settings of the server in which a command is used.

    Only the server's managers may use the commands.
    """

    def add_to(self, group: app_commands.Group) -> None:
        """Add the commands to a group."""
        super().add_to(group)
        group.command()(self.channel)
        group.command()(self.role)
        group.command()(self.limit)

    async def _scope(self, interaction: discord.Interaction[VideoBot]) -> int:
        # Discord checks permissions too, but a server can change that check, and a client may have
        # an old definition of the command.
        server_id = managed_server(interaction)
        if server_id is None:
            raise UserError("access.not_a_manager")
        return server_id

    async def channel(
        self, interaction: discord.Interaction[VideoBot], channel: AnyChannel, rule: RuleChoice
    ) -> None:
        """Allow or refuse orders in a channel, a category or a thread."""
        await self._set_rule(interaction, Setting.CHANNEL, channel.id, rule)

    async def role(
        self, interaction: discord.Interaction[VideoBot], role: discord.Role, rule: RuleChoice
    ) -> None:
        """Allow or refuse orders from people with a role."""
        await self._set_rule(interaction, Setting.ROLE, role.id, rule)

    async def limit(
        self,
        interaction: discord.Interaction[VideoBot],
        videos: app_commands.Range[int, 0, MAX_LIMIT],
        of: LimitChoice | None = None,
        role: discord.Role | None = None,
    ) -> None:
        """Limit the number of videos in 24 hours.

        The limit is for the whole server, for each person, or for people with a role.
        """
        await self._set_limit(interaction, videos, of, role.id if role else None)


def managed_server(interaction: discord.Interaction[VideoBot]) -> int | None:
    """Return the id of the interaction's server, or None if the person does not manage it."""
    server_id, may = interaction.guild_id, interaction.permissions
    is_manager = may.manage_guild or may.administrator
    if server_id is None or not is_manager or not is_installed(interaction, server_id):
        return None
    return server_id


def setup(bot: VideoBot) -> None:
    """Add the group of commands to the bot."""
    group = app_commands.Group(
        name="clapper",
        description="The settings of this server",
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        allowed_contexts=app_commands.AppCommandContext(
            guild=True, dm_channel=False, private_channel=False
        ),
    )
    ServerCommands(bot.services).add_to(group)
    bot.tree.add_command(group)
