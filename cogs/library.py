"""The commands `/videos` and "Video details"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.delivery.views.details_view import DetailsView
from bot.delivery.views.library_view import (
    MAX_SEARCH,
    PAGE_TEMPLATE,
    SEND_TEMPLATE,
    LibraryView,
    choice_name,
)
from bot.errors import UserError
from cogs._dynamic_button import DynamicButton

if TYPE_CHECKING:
    import re

    from discord import ui

    from bot.discord_bot.bot import Services, VideoBot


class LibraryCommands:
    """Shows people their own jobs, but never another person's prompts."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def videos(
        self,
        interaction: discord.Interaction[VideoBot],
        search: app_commands.Range[str, 1, MAX_SEARCH] | None = None,
    ) -> None:
        """Show the first page of the person's jobs."""
        search = " ".join((search or "").split())
        await interaction.response.send_message(
            view=await _page(interaction, self._services, search=search),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    async def suggest(
        self, interaction: discord.Interaction[VideoBot], typed: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest prompts that the person has used, while the person types a search."""
        found = await self._services.library.suggest(interaction.user.id, typed)
        return [
            app_commands.Choice(name=choice_name(prompt.text), value=prompt.job_id)
            for prompt in found
        ]

    async def details(
        self, interaction: discord.Interaction[VideoBot], message: discord.Message
    ) -> None:
        """Show the details of the job to which the chosen message belongs."""
        details = await self._services.library.details(message.id)
        if details is None:
            raise UserError("details.no_card")
        owner = interaction.user.id == details.job.origin.user_id
        view = DetailsView(
            self._services.texts,
            self._services.service_name,
            shows_prices=self._services.budgeting.shows_prices,
        ).render(
            details,
            str(interaction.locale),
            in_full=owner or interaction.permissions.manage_messages,
        )
        await interaction.response.send_message(
            view=view, ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
        )


class PageButton(DynamicButton, template=PAGE_TEMPLATE):
    """A button that shows another page of the person's jobs."""

    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item, match)
        self._offset = int(match["offset"])
        self._search = match["search"]

    async def act(self, interaction: discord.Interaction[VideoBot], services: Services) -> None:
        """Show another page of the list of jobs, in place of the current page."""
        view = await _page(interaction, services, search=self._search, offset=self._offset)
        await interaction.response.edit_message(view=view)


class SendButton(DynamicButton, template=SEND_TEMPLATE):
    """A button that sends a finished video again."""

    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item, match)
        self._job_id = match["job"]

    async def act(self, interaction: discord.Interaction[VideoBot], services: Services) -> None:
        """Send the video to the person who pressed the button.

        Only the video's requester can get it.
        """
        await services.resender.send(interaction, self._job_id)


async def _page(
    interaction: discord.Interaction[VideoBot],
    services: Services,
    *,
    search: str,
    offset: int = 0,
) -> ui.LayoutView:
    page = await services.library.page(interaction.user.id, search=search, offset=offset)
    return LibraryView(services.texts).render(page, str(interaction.locale))


def setup(bot: VideoBot) -> None:
    """Add the commands to the bot, and register the templates of their buttons."""
    library = LibraryCommands(bot.services)
    videos = bot.tree.command(name="videos")(library.videos)
    videos.autocomplete("search")(library.suggest)
    bot.tree.context_menu(name="Video details")(library.details)
    bot.add_dynamic_items(PageButton, SendButton)
