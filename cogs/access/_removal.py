"""The buttons that confirm or refuse the take-down of a person's videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.delivery.views.access.removal_view import TEMPLATE, RemovalStep, RemovalView
from bot.errors import UserError
from cogs._dynamic_button import DynamicButton

if TYPE_CHECKING:
    import re

    import discord
    from discord import ui

    from bot.discord_bot.bot import Services, VideoBot


class RemovalButton(DynamicButton, template=TEMPLATE):
    """A button that confirms or refuses the deletion of a person's videos and cards."""

    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item, match)
        self._step = RemovalStep(match["step"])
        self._person_id = int(match["person"])
        self._owner_id = int(match["owner"])

    async def act(self, interaction: discord.Interaction[VideoBot], services: Services) -> None:
        """Check that the person is the owner who was asked to confirm, and do what they chose."""
        await services.owners.check(interaction)
        if interaction.user.id != self._owner_id:
            raise UserError("removal.not_asked")
        view = removal_view(interaction, services)
        if self._step is RemovalStep.KEEP:
            await interaction.response.edit_message(view=view.kept())
            return
        # Deleting many cards takes longer than Discord waits for a response, so respond first.
        await interaction.response.edit_message(view=view.working(self._person_id))
        take_down = services.take_down(interaction.client)
        done = await take_down.remove(self._person_id, actor=interaction.user.id)
        await interaction.edit_original_response(view=view.done(self._person_id, done))


def removal_view(interaction: discord.Interaction[VideoBot], services: Services) -> RemovalView:
    """Return the renderer of the views, in the language of the interaction's user."""
    return RemovalView(services.texts, str(interaction.locale))
