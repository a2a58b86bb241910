"""`/help`: the commands that a person can use in a place, and who may order videos there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.delivery.views.help_view import HelpView
from bot.discord_bot.owner.command_sync import OWNER_GROUP
from cogs.access.places import place_of
from cogs.server import managed_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.discord_bot.bot import Services, VideoBot

#: People who may not order can still use these commands.
FREE_COMMANDS = ("videos", "usage", "status", "notify", "privacy")


class HelpCommand:
    """Shows the commands and rules that apply to a person in a place.

    Only the person sees the response.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def help(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Show the commands, and whether the person may order here. A refusal is not counted."""
        services, place = self._services, await place_of(interaction)
        verdict = await services.gate.judge(place)
        is_owner = await services.owners.includes_user_of(interaction)
        view = HelpView(services.texts, str(interaction.locale)).render(
            [
                *self._commands(interaction, may_order=verdict.refusal is None),
                *([OWNER_GROUP] if is_owner else []),
            ],
            verdict,
            place,
            members_only=services.gate.reach.needs_membership,
            languages=services.narrator.languages if services.narrator else "",
        )
        await interaction.response.send_message(
            view=view, ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
        )

    def _commands(
        self, interaction: discord.Interaction[VideoBot], *, may_order: bool
    ) -> Iterator[str]:
        if may_order:
            yield "video"
            if self._services.narrator is not None:
                yield "narrate"
        yield from FREE_COMMANDS
        if managed_server(interaction) is not None:
            yield "clapper"


def setup(bot: VideoBot) -> None:
    """Add the command to the bot."""
    bot.tree.command(name="help")(HelpCommand(bot.services).help)
