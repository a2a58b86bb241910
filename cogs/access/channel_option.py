"""A command option for a channel."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

AppCommandChannel = app_commands.AppCommandChannel | app_commands.AppCommandThread


class ChannelOption(app_commands.Transformer):
    """A command option that accepts channels of any type, even channels that the bot can't see."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """The type of this option in Discord's API."""
        return discord.AppCommandOptionType.channel

    async def transform(
        self,
        interaction: discord.Interaction[Any],  # noqa: ARG002 - of the base class
        value: Any,  # noqa: ANN401 - of the base class
        /,
    ) -> AppCommandChannel:
        """Return the channel, as described in the interaction."""
        return value


AnyChannel = app_commands.Transform[AppCommandChannel, ChannelOption]
