"""`/videos` and "Video details": what a person has had made, and how each of it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.delivery.views.details_view import DetailsView
from bot.delivery.views.library_view import (
    MAX_SEARCH,
    PAGE_TEMPLATE,
    SEND_TEMPLATE,
    LibraryView,
    choice_name,
)
from bot.errors import UserError
from cogs._errors import answering

if TYPE_CHECKING:
    import re
    from typing import Self

    from bot.discord_bot.bot import VideoBot


class LibraryCog(commands.Cog):
    """Shows people their own jobs, and nobody else's prompts."""

    def __init__(self, bot: VideoBot) -> None:
        self._bot = bot
        self._services = bot.services
        self._details = app_commands.ContextMenu(name="Video details", callback=self.details)

    async def cog_load(self) -> None:
        """Add the command for messages: discord.py takes only the others from a cog."""
        self._bot.tree.add_command(self._details)

    @app_commands.command(name="videos")
    async def videos(
        self,
        interaction: discord.Interaction[VideoBot],
        search: app_commands.Range[str, 1, MAX_SEARCH] | None = None,
    ) -> None:
        """Show the first page."""
        await interaction.response.send_message(
            view=await _page(interaction, search=" ".join((search or "").split())),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    @videos.autocomplete("search")
    async def suggest(
        self, interaction: discord.Interaction[VideoBot], typed: str
    ) -> list[app_commands.Choice[str]]:
        """Offer the person's own prompts."""
        found = await self._services.library.suggest(interaction.user.id, typed)
        return [
            app_commands.Choice(name=choice_name(prompt.text), value=prompt.job_id)
            for prompt in found
        ]

    async def details(
        self, interaction: discord.Interaction[VideoBot], message: discord.Message
    ) -> None:
        """Show what is known of the job whose card was chosen."""
        details = await self._services.library.details(message.id)
        if details is None:
            raise UserError("details.no_card")
        owner = interaction.user.id == details.job.origin.user_id
        view = DetailsView(self._services.texts).render(
            details,
            str(interaction.locale),
            in_full=owner or interaction.permissions.manage_messages,
        )
        await interaction.response.send_message(
            view=view, ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
        )


class PageButton(ui.DynamicItem[ui.Button[Any]], template=PAGE_TEMPLATE):
    """Turns the page of whoever presses it: the list is always the presser's own."""

    def __init__(self, item: ui.Button[Any], offset: int, search: str) -> None:
        super().__init__(item)
        self._offset = offset
        self._search = search

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
        return cls(item, int(match["offset"]), match["search"])

    async def callback(self, interaction: discord.Interaction[VideoBot]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - narrower than any client
        """Show another page in the place of this one."""
        async with answering(interaction):
            view = await _page(interaction, search=self._search, offset=self._offset)
            await interaction.response.edit_message(view=view)


class SendButton(ui.DynamicItem[ui.Button[Any]], template=SEND_TEMPLATE):
    """Sends a video once more."""

    def __init__(self, item: ui.Button[Any], job_id: str) -> None:
        super().__init__(item)
        self._job_id = job_id

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
        return cls(item, match["job"])

    async def callback(self, interaction: discord.Interaction[VideoBot]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - narrower than any client
        """Send it to the presser, if it is theirs."""
        async with answering(interaction):
            await interaction.client.services.resender.send(interaction, self._job_id)


async def _page(
    interaction: discord.Interaction[VideoBot], *, search: str, offset: int = 0
) -> ui.LayoutView:
    services = interaction.client.services
    page = await services.library.page(interaction.user.id, search=search, offset=offset)
    return LibraryView(services.texts).render(page, str(interaction.locale))


async def setup(bot: VideoBot) -> None:
    """Add the cog, and register the templates of its buttons."""
    await bot.add_cog(LibraryCog(bot))
    bot.add_dynamic_items(PageButton, SendButton)
