"""Asks people once whether the video service may hear their voice, and handles the answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from bot.delivery.views.voice_view import TEMPLATE, VoiceAnswer
from bot.errors import UserError
from cogs._dynamic_button import DynamicButton
from cogs._orders import place

if TYPE_CHECKING:
    import re

    from discord import ui

    from bot.discord_bot.bot import Services, VideoBot

log = logging.getLogger(__name__)


class VoiceButton(DynamicButton, template=TEMPLATE):
    """A button that answers the question. Its id contains the id of the order that waits."""

    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item, match)
        self._agrees = VoiceAnswer(match["answer"]) is VoiceAnswer.SEND
        self._order = int(match["order"])
        self._service = match["service"]

    async def act(self, interaction: discord.Interaction[VideoBot], services: Services) -> None:
        """Store the answer, and place the order that waits for it.

        Raises UserError if the question is about another service, if no order waits any longer, or
        if the order is refused.
        """
        asked = services.voice_permissions.asked_service
        # The operator may have chosen another service since the person was asked.
        if asked is None or asked.digest != self._service:
            raise UserError("voice.unasked")
        order = interaction.client.pending_orders.pop(self._order, interaction.user.id)
        await services.voice_permissions.answer(interaction.user.id, agrees=self._agrees)
        if order is None:
            raise UserError("voice.answered")
        await place(interaction, order.request, order.attachment, narration_of=order.narration_of)
        await _remove_question(order.interaction)


async def _remove_question(interaction: discord.Interaction[VideoBot]) -> None:
    try:
        await interaction.delete_original_response()
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        # The question stays visible, but its order no longer waits for an answer.
        log.warning("voice.question_left id=%d error=%s", interaction.id, type(error).__name__)


def setup(bot: VideoBot) -> None:
    """Register the template of the buttons with the bot."""
    bot.add_dynamic_items(VoiceButton)
