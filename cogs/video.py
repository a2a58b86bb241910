"""The command `/video`, which orders a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord  # noqa: TC002 - discord.py reads the annotations
from discord import app_commands  # noqa: TC002 - same

from bot.model import Attachment
from bot.presets import MAX_PROMPT  # noqa: TC001 - discord.py reads it from the annotation
from cogs._orders import place
from cogs.access.places import offer_where_ordered

if TYPE_CHECKING:
    from bot.discord_bot.bot import Services, VideoBot


class VideoCommand:
    """Accepts orders for videos. After the first response, the workers do the rest."""

    def __init__(self, services: Services) -> None:
        self._services = services

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


def setup(bot: VideoBot) -> None:
    """Add the command to the bot."""
    video = bot.tree.command(name="video")(VideoCommand(bot.services).video)
    offer_where_ordered(video, bot.services.gate.reach.order_from)
