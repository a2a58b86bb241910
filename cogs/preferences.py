"""The commands `/notify` and `/privacy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.delivery.views.privacy_view import TEMPLATE, PrivacyStep, PrivacyView, VoiceTerms
from bot.discord_bot.replies import reply_privately
from bot.errors import UserError
from cogs._dynamic_button import DynamicButton
from storage.people import Notify

if TYPE_CHECKING:
    import re

    from discord import ui

    from bot.discord_bot.bot import Services, VideoBot

_DAY_MINUTES = 24 * 60
_CHOICES = [app_commands.Choice(name=notify.value, value=notify.value) for notify in Notify]


class PreferenceCommands:
    """Lets people choose when they get DMs, and see or delete the data stored about them.

    Only the person sees the responses.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.choices(when=_CHOICES)
    async def notify(
        self,
        interaction: discord.Interaction[VideoBot],
        when: str | None = None,
        minutes: app_commands.Range[int, 1, _DAY_MINUTES] | None = None,
    ) -> None:
        """Show when the person gets DMs. If the person has made a new choice, store it first."""
        people, user_id = self._services.people, interaction.user.id
        if when is not None or minutes is not None:
            # A number of minutes alone means `Notify.LATE`.
            choice = Notify.LATE if when is None else Notify(when)
            if choice is Notify.LATE and minutes is None:
                raise UserError("notify.minutes")
            is_late = choice is Notify.LATE
            await people.choose(user_id, choice, minutes or 0 if is_late else 0)
        privacy_view = _privacy_view(interaction, self._services)
        await reply_privately(interaction, privacy_view.choice(await people.get(user_id)))

    async def privacy(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Show the data that is stored about the person."""
        await interaction.response.send_message(
            view=await _overview(interaction, self._services),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )


class DataButton(DynamicButton, template=TEMPLATE):
    """A button that deletes a person's data after they confirm it."""

    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item, match)
        self._step = PrivacyStep(match["step"])
        self._user_id = int(match["user"])

    async def act(self, interaction: discord.Interaction[VideoBot], services: Services) -> None:
        """Depending on the button, ask for confirmation, delete data, or show the data again.

        Raises UserError if the data is another person's.
        """
        if interaction.user.id != self._user_id:
            raise UserError("privacy.not_yours")
        match self._step:
            case PrivacyStep.ASK:
                stored = await services.retention.stored(self._user_id)
                view = _privacy_view(interaction, services).question(stored)
                await interaction.response.edit_message(view=view)
            case PrivacyStep.SHOW:
                view = await _overview(interaction, services)
                await interaction.response.edit_message(view=view)
            case PrivacyStep.FORGET_VOICE:
                await services.voice_permissions.forget(self._user_id)
                view = await _overview(interaction, services)
                await interaction.response.edit_message(view=view)
            case PrivacyStep.DELETE:
                await _delete(interaction, services)


async def _overview(
    interaction: discord.Interaction[VideoBot], services: Services
) -> ui.LayoutView:
    stored = await services.retention.stored(interaction.user.id)
    return _privacy_view(interaction, services).overview(
        stored,
        services.retention.limits,
        has_costs=services.budgeting.has_costs,
        is_named=await services.audit.names(interaction.user.id),
        voice=await _voice_terms(interaction, services),
        has_answered=await services.voice_permissions.has_answered(interaction.user.id),
    )


async def _voice_terms(
    interaction: discord.Interaction[VideoBot], services: Services
) -> VoiceTerms | None:
    service = services.voice_permissions.hearing_service
    if service is None:
        return None
    return VoiceTerms(
        service=service.label,
        is_asked=not service.is_inside,
        agrees=None
        if service.is_inside
        else await services.voice_permissions.answer_of(interaction.user.id),
        speaks=services.narrator is not None,
    )


async def _delete(interaction: discord.Interaction[VideoBot], services: Services) -> None:
    privacy_view = _privacy_view(interaction, services)
    # Deleting many files can take longer than Discord waits, so respond first.
    await interaction.response.edit_message(view=privacy_view.working())
    interaction.client.pending_orders.forget(interaction.user.id)
    deletion = await services.retention.delete_all(interaction.user.id)
    await services.audit.forget(interaction.user.id)
    view = privacy_view.done(deletion, services.retention.limits)
    await interaction.edit_original_response(view=view)


def _privacy_view(interaction: discord.Interaction[VideoBot], services: Services) -> PrivacyView:
    return PrivacyView(services.texts, str(interaction.locale))


def setup(bot: VideoBot) -> None:
    """Add the commands to the bot, and register the template of their buttons."""
    preferences = PreferenceCommands(bot.services)
    bot.tree.command(name="notify")(preferences.notify)
    bot.tree.command(name="privacy")(preferences.privacy)
    bot.add_dynamic_items(DataButton)
