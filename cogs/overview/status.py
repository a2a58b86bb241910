"""`/status`: whether orders are accepted, and how many videos wait.

The response also shows the person's own places in the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.delivery.views.status_view import StatusReport, StatusView
from cogs._orders import origin_of

if TYPE_CHECKING:
    from bot.discord_bot.bot import Services, VideoBot

# The forecast does not depend on the prompt.
_ANY_PROMPT = "…"


class StatusCommand:
    """Shows the state of the queue and of the video service, only to the person who asked."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def status(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Show the operator's pause, the service's state, and how many videos run or wait."""
        services = self._services
        request = services.presets.request(_ANY_PROMPT)
        next_job = services.jobs.draft(request, origin_of(interaction), None)
        report = StatusReport(
            overview=await services.queue_outlook.overview(interaction.user.id),
            outlook=await services.queue_outlook.of(next_job),
            pause=await services.access.pause(now=services.clock()),
        )
        await interaction.response.send_message(
            view=StatusView(services.texts, str(interaction.locale)).render(report),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )


def setup(bot: VideoBot) -> None:
    """Add the command to the bot."""
    bot.tree.command(name="status")(StatusCommand(bot.services).status)
