"""Passes commands to the cogs, and reports their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands

from bot.discord_bot.replies import report_error
from bot.errors import UserError

if TYPE_CHECKING:
    import discord

    from bot.discord_bot.bot import VideoBot


class CommandTree(app_commands.CommandTree["VideoBot"]):
    """A command tree that reports every error in a command to the person who used it."""

    async def _call(self, interaction: discord.Interaction[VideoBot]) -> None:
        try:
            await super()._call(interaction)
        except app_commands.AppCommandError:
            raise  # discord.py passes this error to `on_error`
        except Exception as error:  # noqa: BLE001 - malformed data can cause any error, such as a command without a name
            await report_error(interaction, error)

    async def on_error(
        self, interaction: discord.Interaction[VideoBot], error: app_commands.AppCommandError
    ) -> None:
        """Tell the person who used the command what went wrong."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        # a client may show a command that no longer exists
        if isinstance(error, app_commands.CommandNotFound):
            cause = UserError("error.no_command")
        await report_error(interaction, cause)
