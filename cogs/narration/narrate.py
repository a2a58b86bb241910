"""The command `/narrate`, which reads a text aloud and responds with an audio file."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord
from discord import app_commands

from bot.delivery.server_rules import is_blocked_by_server
from bot.errors import UserError
from bot.speech.voice import MAX_TEXT, checked_text
from cogs._orders import origin_of
from cogs.access.places import offer_where_ordered, place_of
from cogs.narration.video_button import make_view
from storage.speeches import SpeechRequester

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.discord_bot.bot import Services, VideoBot
    from bot.speech.narrator import Narrator, SpokenMp3

log = logging.getLogger(__name__)

_FILENAME = "narration.mp3"
# The token of an interaction expires after 15 minutes. This is a minute less.
_TIMEOUT_SECONDS = 840.0
# The seconds to wait before each retry of a failed upload.
_PAUSES: Sequence[float] = (1.0, 4.0)


class NarrateCommand:
    """Reads texts aloud. The command is only added if the operator has configured a voice."""

    def __init__(self, services: Services, narrator: Narrator) -> None:
        self._services = services
        self._narrator = narrator

    async def narrate(
        self,
        interaction: discord.Interaction[VideoBot],
        text: app_commands.Range[str, 1, MAX_TEXT],
    ) -> None:
        """Check the text and the limits, and respond with a recording of the text."""
        wanted = checked_text(text)
        with self._narrator.speech_lock(interaction.user.id):
            requester = SpeechRequester(user_id=interaction.user.id, interaction_id=interaction.id)
            place = await place_of(interaction)
            payer = origin_of(interaction)
            speech_id = await self._narrator.order(requester, payer, wanted, place)
            if speech_id is None:
                log.warning("interaction.repeated id=%d", interaction.id)
                return
            try:
                await interaction.response.defer(thinking=True)
            except BaseException:
                await self._narrator.withdraw(speech_id)
                raise
            try:
                async with (
                    asyncio.timeout(_TIMEOUT_SECONDS),
                    self._narrator.speak(
                        wanted, speech_id, locale=str(interaction.locale)
                    ) as recording,
                ):
                    await self._upload(interaction, recording, speech_id)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning(
                    "speech.unsent interaction=%d error=%s", interaction.id, type(error).__name__
                )
                blocked = is_blocked_by_server(error)
                raise UserError("reply.automod" if blocked else "speech.unsent") from error

    async def _upload(
        self, interaction: discord.Interaction[VideoBot], recording: SpokenMp3, speech_id: int
    ) -> None:
        """Upload the recording. Retry if the connection breaks."""
        texts, locale = self._services.texts, str(interaction.locale)
        key = "speech.done_kept" if recording.is_kept else "speech.done"
        sentence = texts(key, locale, seconds=recording.seconds)
        label = texts("button.make_video", locale)
        view = make_view(speech_id, label) if recording.is_kept else None
        for pause in (*_PAUSES, None):
            try:
                file = await asyncio.to_thread(discord.File, recording.path, filename=_FILENAME)
                await interaction.edit_original_response(
                    content=sentence,
                    attachments=[file],
                    view=view,
                    allowed_mentions=discord.AllowedMentions.none(),
                )
            except (aiohttp.ClientError, OSError):
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return


def setup(bot: VideoBot) -> None:
    """Add the command to the bot, if texts can be read aloud."""
    services = bot.services
    if services.narrator is not None:
        narrate = NarrateCommand(services, services.narrator).narrate
        offer_where_ordered(
            bot.tree.command(name="narrate")(narrate), services.gate.reach.order_from
        )
