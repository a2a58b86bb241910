"""The base class of buttons that discord.py recognises by a template of their `custom_id`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from discord import ui

from cogs._errors import reporting_errors

if TYPE_CHECKING:
    import re
    from typing import Self

    import discord

    from bot.discord_bot.bot import Services, VideoBot

# discord.py requires a template for every subclass, including this base class. This template
# matches no button.
_MATCHES_NOTHING = r"(?!)"


class DynamicButton(ui.DynamicItem[ui.Button[Any]], ABC, template=_MATCHES_NOTHING):
    """A button that is recreated from its `custom_id`, so it still works after a restart.

    The constructor of a subclass reads the values in the `custom_id` from the match.
    """

    @abstractmethod
    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item)

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Create an object for the button that was pressed."""
        assert isinstance(item, ui.Button)  # noqa: S101 - the template is only on buttons
        return cls(item, match)

    async def callback(self, interaction: discord.Interaction[VideoBot]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - only interactions of this bot
        """Handle a press of the button. If handling it fails, tell the person why."""
        async with reporting_errors(interaction):
            await self.act(interaction, interaction.client.services)

    @abstractmethod
    async def act(self, interaction: discord.Interaction[VideoBot], services: Services) -> None:
        """Handle a press of the button. Exceptions are reported to the person who pressed it."""
