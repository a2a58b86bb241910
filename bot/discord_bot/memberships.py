"""Finds an allowed server that a person is in, without the privileged intent for members."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

import aiohttp
import discord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.moderation.access.place import Reach

log = logging.getLogger(__name__)

# The answer to the interaction is due within 3 seconds.
_SECONDS = 1.5
_MAX_SERVERS = 10
_MAX_KNOWN = 1000
_KNOWN_SECONDS = 600.0


class Memberships:
    """Asks Discord which allowed server a person is in, and keeps answers for ten minutes.

    At most ten servers are asked: those in `allowed_servers`, or the bot's oldest ones.
    """

    def __init__(self, reach: Reach, *, clock: Callable[[], float]) -> None:
        self._reach = reach
        self._clock = clock
        self._known: OrderedDict[int, tuple[int, float]] = OrderedDict()

    async def home_of(self, client: discord.Client, user_id: int) -> int | None:
        """Return an allowed server that a person is in; None: none is known."""
        known = self._known.get(user_id)
        if known is not None and known[1] > self._clock():
            return known[0]
        try:
            async with asyncio.timeout(_SECONDS):
                home = await self._ask(self._candidates(client.guilds), user_id)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:  # also a timeout
            log.warning("membership.unknown user=%d error=%s", user_id, type(error).__name__)
            return None
        if home is not None:
            self._known[user_id] = (home, self._clock() + _KNOWN_SECONDS)
            self._known.move_to_end(user_id)
            if len(self._known) > _MAX_KNOWN:
                self._known.popitem(last=False)
        return home

    def _candidates(self, servers: Iterable[discord.Guild]) -> list[discord.Guild]:
        allowed = [server for server in servers if self._reach.allows_server(server.id)]
        return sorted(allowed, key=lambda server: server.id)[:_MAX_SERVERS]

    async def _ask(self, servers: Iterable[discord.Guild], user_id: int) -> int | None:
        for server in servers:
            try:
                await server.fetch_member(user_id)
            except discord.NotFound:
                continue
            return server.id
        return None
