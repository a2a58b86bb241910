"""Shows the owner a month's spending, in a response that only the owner sees."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import discord

from bot.discord_bot.names import DiscordNames
from bot.errors import MediaError, UserError
from bot.jobs.costs.spending import is_month

if TYPE_CHECKING:
    from bot.delivery.spending.picture import SpendingPicture
    from bot.discord_bot.bot import VideoBot

log = logging.getLogger(__name__)


async def show_spending(
    interaction: discord.Interaction[VideoBot], picture: SpendingPicture, month: str | None
) -> None:
    """Send the picture of a month's spending. Raises UserError if `month` is malformed."""
    if month is not None and not is_month(month):
        raise UserError("spending.not_a_month")
    # The picture takes longer than Discord waits for an answer.
    await interaction.response.defer(ephemeral=True, thinking=True)
    locale = str(interaction.locale)
    spending = await picture.read(month, DiscordNames(interaction.client), locale)
    text = f"{spending.figures.title}: {spending.figures.summary}"
    try:
        drawn = await picture.draw(spending)
    except MediaError as error:
        log.warning("spending.not_drawn reason=%r tail=%r", str(error), error.stderr_tail[-300:])
        await interaction.followup.send(text, ephemeral=True)
        return
    file = discord.File(
        io.BytesIO(drawn), filename=f"spending-{spending.month}.png", description=text
    )
    await interaction.followup.send(text, file=file, ephemeral=True)
