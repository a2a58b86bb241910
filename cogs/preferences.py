"""`/notify` and `/privacy`: what a person chose, and what is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.delivery.views.privacy_view import TEMPLATE, PrivacyStep, PrivacyView
from bot.discord_bot.bot import answer
from bot.errors import UserError
from cogs._errors import answering
from storage.people import Notify

if TYPE_CHECKING:
    import re
    from typing import Self

    from bot.discord_bot.bot import VideoBot

_DAY_MINUTES = 24 * 60
_CHOICES = [app_commands.Choice(name=notify.value, value=notify.value) for notify in Notify]


class PreferencesCog(commands.Cog):
    """Answers to the person alone."""

    def __init__(self, bot: VideoBot) -> None:
        self._services = bot.services

    @app_commands.command(name="notify")
    @app_commands.choices(when=_CHOICES)
    async def notify(
        self,
        interaction: discord.Interaction[VideoBot],
        when: str | None = None,
        minutes: app_commands.Range[int, 1, _DAY_MINUTES] | None = None,
    ) -> None:
        """Remember when the person wants a DM, and say what holds."""
        people, user_id = self._services.people, interaction.user.id
        if when is not None or minutes is not None:
            # Minutes alone can only mean this.
            choice = Notify.LATE if when is None else Notify(when)
            if choice is Notify.LATE and minutes is None:
                raise UserError("notify.minutes")
            is_late = choice is Notify.LATE
            await people.choose(user_id, choice, minutes or 0 if is_late else 0)
        pages = _pages(interaction)
        await answer(interaction, pages.choice(await people.get(user_id)))

    @app_commands.command(name="privacy")
    async def privacy(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Show what is kept of the person."""
        await interaction.response.send_message(
            view=await _overview(interaction),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )


class DataButton(ui.DynamicItem[ui.Button[Any]], template=TEMPLATE):
    """Deletes what is kept of the person who presses it, after it has asked."""

    def __init__(self, item: ui.Button[Any], step: PrivacyStep, user_id: int) -> None:
        super().__init__(item)
        self._step = step
        self._user_id = user_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Rebuild the button that was pressed."""
        assert isinstance(item, ui.Button)  # noqa: S101 - the template is only on buttons
        return cls(item, PrivacyStep(match["step"]), int(match["user"]))

    async def callback(self, interaction: discord.Interaction[VideoBot]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - narrower than any client
        """Do what the button says, or say why not."""
        async with answering(interaction):
            await self._act(interaction)

    async def _act(self, interaction: discord.Interaction[VideoBot]) -> None:
        if interaction.user.id != self._user_id:
            raise UserError("privacy.not_yours")
        match self._step:
            case PrivacyStep.ASK:
                stored = await interaction.client.services.retention.stored(self._user_id)
                await interaction.response.edit_message(view=_pages(interaction).question(stored))
            case PrivacyStep.SHOW:
                await interaction.response.edit_message(view=await _overview(interaction))
            case PrivacyStep.DELETE:
                await _delete(interaction)


async def _overview(interaction: discord.Interaction[VideoBot]) -> ui.LayoutView:
    retention = interaction.client.services.retention
    stored = await retention.stored(interaction.user.id)
    return _pages(interaction).overview(stored, retention.limits)


async def _delete(interaction: discord.Interaction[VideoBot]) -> None:
    pages = _pages(interaction)
    # Answered first: many files may take longer than Discord waits.
    await interaction.response.edit_message(view=pages.working())
    deletion = await interaction.client.services.retention.delete_all(interaction.user.id)
    await interaction.edit_original_response(view=pages.done(deletion))


def _pages(interaction: discord.Interaction[VideoBot]) -> PrivacyView:
    return PrivacyView(interaction.client.services.texts, str(interaction.locale))


async def setup(bot: VideoBot) -> None:
    """Add the cog, and register the template of its buttons."""
    await bot.add_cog(PreferencesCog(bot))
    bot.add_dynamic_items(DataButton)
