"""Sends private responses to people, such as error messages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.server_rules import is_blocked_by_server
from bot.delivery.views.notice import render_notice
from bot.errors import UserError
from bot.moderation.access.refusals import RefusedOrder

if TYPE_CHECKING:
    from bot.discord_bot.bot import VideoBot

log = logging.getLogger(__name__)

# Discord's error code for a response that was sent more than 3 seconds after the interaction.
_UNKNOWN_INTERACTION = 10062

#: This key is set in `interaction.extras` if the card was posted before its job was stored.
UNSAVED = "unsaved"


async def report_error(interaction: discord.Interaction[VideoBot], error: Exception) -> None:
    """Tell the person privately what went wrong. Unexpected errors are logged."""
    if await is_second_bot(interaction, error):
        return
    if getattr(error, "code", None) == _UNKNOWN_INTERACTION:
        # This response was too late, so any further response would be too late as well.
        log.warning("interaction.unknown id=%d", interaction.id)
        return
    texts = interaction.client.services.texts
    locale = str(interaction.locale)
    if isinstance(error, UserError):
        interaction.client.services.refusals.publish(_refusal_of(interaction, error))
        sentence = texts(error.key, locale, **error.fields)
    elif is_blocked_by_server(error):
        log.info("interaction.blocked id=%d", interaction.id)
        sentence = texts("reply.automod", locale)
    else:
        log.error("interaction.failed id=%d", interaction.id, exc_info=error)
        sentence = texts("error.internal", locale, incident=str(interaction.id))
    await reply_privately(interaction, sentence)


def _refusal_of(interaction: discord.Interaction[VideoBot], error: UserError) -> RefusedOrder:
    return RefusedOrder(
        reason=error.key,
        user_id=interaction.user.id,
        server_id=interaction.guild_id,
        channel_id=interaction.channel_id,
    )


async def reply_privately(interaction: discord.Interaction[VideoBot], sentence: str) -> None:
    """Respond with a sentence that only the person can see. A failure is only logged.

    The sentence replaces the "thinking" message, or the card of a job that was not stored. After
    any other response, no second message is sent: discord.py repeats a request after a server
    error, so the message could appear twice.
    """
    try:
        if interaction.type is discord.InteractionType.autocomplete:
            if not interaction.response.is_done():
                await interaction.response.autocomplete([])
        elif interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            await interaction.edit_original_response(content=sentence)
        elif interaction.extras.get(UNSAVED):
            await interaction.edit_original_response(view=render_notice(sentence))
        elif not interaction.response.is_done():
            await interaction.response.send_message(sentence, ephemeral=True)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        if await is_second_bot(interaction, error):
            return
        log.warning("interaction.unanswered id=%d error=%s", interaction.id, type(error).__name__)


async def is_second_bot(interaction: discord.Interaction[VideoBot], error: Exception) -> bool:
    """Tell whether another process has answered the interaction. If so, record this."""
    bot = interaction.client
    if not bot.callbacks.shows_second_bot(interaction, error):
        return False
    await bot.services.second_bot.record(interaction.application_id, interaction.id)
    return True
