"""Reports the errors of buttons and forms to the person who used them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.discord_bot.replies import report_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import discord

    from bot.discord_bot.bot import VideoBot


@asynccontextmanager
async def reporting_errors(interaction: discord.Interaction[VideoBot]) -> AsyncGenerator[None]:
    """If the `with` block raises an exception, respond to the interaction with an explanation."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - discord.py would only log it
        await report_error(interaction, error)
