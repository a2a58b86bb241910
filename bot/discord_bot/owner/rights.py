"""Checks whether a person is an owner of the bot, according to Discord."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.requests.application_owners import fetch_owners
from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.discord_bot.bot import VideoBot

log = logging.getLogger(__name__)

# An interaction expires if it gets no response within 3 seconds.
_SECONDS = 2.0
_KNOWN_SECONDS = 60.0


class Owners:
    """Restricts the owner's commands to the bot's owner, or to the members of its owning team.

    `servers`: the servers in which the owner's commands are offered.

    Discord's answer about the owners is cached for a minute.
    """

    def __init__(self, servers: frozenset[int], *, clock: Callable[[], float]) -> None:
        self.servers = servers
        self._clock = clock
        self._known: frozenset[int] = frozenset()
        self._known_at: float | None = None
        self._asking = asyncio.Lock()

    async def check(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Raise UserError unless one of the bot's owners used a command in one of the `servers`."""
        if interaction.guild_id not in self.servers:
            raise UserError("owner.not_here")
        if interaction.user.id not in await self._ask(interaction.client):
            log.warning("owner.refused user=%d", interaction.user.id)
            raise UserError("owner.not_an_owner")

    async def includes_user_of(self, interaction: discord.Interaction[VideoBot]) -> bool:
        """Return whether the person is known to be allowed to use the owner's commands here."""
        if interaction.guild_id not in self.servers:
            return False
        try:
            return interaction.user.id in await self._ask(interaction.client)
        except UserError:
            return False

    async def _ask(self, bot: VideoBot) -> frozenset[int]:
        try:
            async with asyncio.timeout(_SECONDS), self._asking:
                return await self._owners(bot)
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("owner.unknown error=%s", type(error).__name__)
            raise UserError("owner.unknown") from error

    async def _owners(self, bot: VideoBot) -> frozenset[int]:
        now = self._clock()
        # A negative age means that the clock was set back.
        if self._known_at is None or not 0 <= now - self._known_at < _KNOWN_SECONDS:
            self._known = frozenset(await fetch_owners(bot))
            self._known_at = now
        return self._known
