"""DiscordNames: the names of servers and people, as Discord shows them now."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

if TYPE_CHECKING:
    from bot.discord_bot.bot import VideoBot

log = logging.getLogger(__name__)

_MOST_KEPT = 200
_WITHIN_SECONDS = 5.0


class DiscordNames:
    """Looks up names. A person's name is requested once, and kept only in memory."""

    def __init__(self, bot: VideoBot) -> None:
        self._bot = bot
        self._people = dict[int, str]()

    async def server(self, server_id: int) -> str | None:
        """Return the name of a server that the bot is in."""
        guild = self._bot.get_guild(server_id)
        return guild.name if guild else None

    async def person(self, user_id: int) -> str | None:
        """Return a person's display name, or None if Discord does not provide it."""
        if user_id not in self._people:
            user = self._bot.get_user(user_id) or await self._fetch(user_id)
            if user is None:
                return None
            if len(self._people) >= _MOST_KEPT:
                self._people.clear()
            self._people[user_id] = user.display_name
        return self._people[user_id]

    async def _fetch(self, user_id: int) -> discord.User | None:
        if self._bot.user is None:
            return None  # not logged in yet
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                return await self._bot.fetch_user(user_id)
        except (discord.DiscordException, aiohttp.ClientError, TimeoutError) as error:
            log.info("names.unknown user=%d because=%s", user_id, type(error).__name__)
            return None
