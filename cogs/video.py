"""The command `/video`, which orders a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from bot.model import Attachment
from bot.presets import MAX_PROMPT  # noqa: TC001 - discord.py reads it from the annotation
from cogs._orders import place
from cogs.access.places import offer_where_ordered

if TYPE_CHECKING:
    from bot.discord_bot.bot import VideoBot


class VideoCog(commands.Cog):
    """Accepts orders for videos. After the first response, the workers do the rest."""

    def __init__(self, bot: VideoBot) -> None:
        self._services = bot.services
        offer_where_ordered(self.video, bot.services.gate.reach.order_from)

    @app_commands.command(name="video")
    async def video(
        self,
        interaction: discord.Interaction[VideoBot],
        prompt: app_commands.Range[str, 1, MAX_PROMPT],
        audio: discord.Attachment | None = None,
    ) -> None:
        """Check the prompt and the size of the audio file, store the job and post its card."""
        presets = self._services.presets
        request = presets.request(prompt)
        attachment = None
        if audio is not None:
            presets.check_audio(audio.size)
            attachment = Attachment(url=audio.url, filename=audio.filename, size=audio.size)
        await place(interaction, request, attachment)


async def setup(bot: VideoBot) -> None:
    """Add the cog to the bot."""
    await bot.add_cog(VideoCog(bot))
