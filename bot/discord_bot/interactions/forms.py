"""Passes the forms that people submit to the functions that handle them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord

from bot.discord_bot.replies import report_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord_bot.bot import VideoBot

    Submit = Callable[[discord.Interaction[VideoBot], re.Match[str]], Awaitable[None]]


class Forms:
    """Recognises forms by templates of their ids, so that they can be submitted after a restart."""

    def __init__(self) -> None:
        self._by_template: dict[str, Submit] = {}

    def add(self, template: str, submit: Submit) -> None:
        """Have `submit` handle the forms whose ids match a template."""
        self._by_template[template] = submit

    async def handle(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Handle an interaction if it is a form. If handling it fails, tell the person why."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        form_id = str((interaction.data or {}).get("custom_id"))
        for template, submit in self._by_template.items():
            if match := re.fullmatch(template, form_id):
                try:
                    await submit(interaction, match)
                except Exception as error:  # noqa: BLE001 - discord.py would only log it
                    await report_error(interaction, error)
