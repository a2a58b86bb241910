"""`/video`: the one command that costs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from bot.errors import UserError
from bot.model import Attachment, Origin

if TYPE_CHECKING:
    from bot.client import Presets, VideoBot

log = logging.getLogger(__name__)

_MAX_PROMPT = 2000
_MIB = 1024 * 1024


class VideoCog(commands.Cog):
    """Takes requests in; everything after the first answer is the worker's."""

    def __init__(self, bot: VideoBot) -> None:
        self._services = bot.services

    @app_commands.command(name="video")
    async def video(
        self,
        interaction: discord.Interaction[VideoBot],
        prompt: app_commands.Range[str, 1, _MAX_PROMPT],
        audio: discord.Attachment | None = None,
    ) -> None:
        """Check what is cheap to check, store the job, post its card."""
        _check(self._services.presets, prompt, audio)
        job = await self._services.jobs.submit(
            self._services.presets.request(prompt.strip()), _origin(interaction), _attachment(audio)
        )
        if job is None:
            log.warning("interaction.repeated id=%d", interaction.id)
            return
        response = await interaction.response.send_message(
            view=self._services.cards.render(job),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        if response.message_id is not None:
            await self._services.jobs.acknowledge(job.id, response.message_id)


def _check(presets: Presets, prompt: str, audio: discord.Attachment | None) -> None:
    if not prompt.strip():
        raise UserError("prompt.empty")
    if audio is not None and audio.size > presets.max_audio_bytes:
        raise UserError("audio.too_large", max_mb=presets.max_audio_bytes // _MIB)


def _origin(interaction: discord.Interaction[VideoBot]) -> Origin:
    return Origin(
        interaction_id=interaction.id,
        application_id=interaction.application_id,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        locale=str(interaction.locale),
        token=interaction.token,
        token_until=interaction.expires_at.timestamp(),
        upload_limit=interaction.filesize_limit,
        by_bot=_is_installed(interaction),
    )


def _is_installed(interaction: discord.Interaction[VideoBot]) -> bool:
    """Tell whether the bot itself may edit what it answers here."""
    if interaction.guild_id is None:
        return not interaction.context.private_channel
    return interaction.is_guild_integration()


def _attachment(audio: discord.Attachment | None) -> Attachment | None:
    if audio is None:
        return None
    return Attachment(url=audio.url, filename=audio.filename, size=audio.size)


async def setup(bot: VideoBot) -> None:
    """Add the cog."""
    await bot.add_cog(VideoCog(bot))
