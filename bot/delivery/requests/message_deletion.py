"""Deletes the bot's own messages, and waits when Discord's rate limits require it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.requests.route_limits import ThrottledError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.delivery.requests.bot_requests import BotRequests

_ATTEMPTS = 5


class MessageDeletion:
    """Deletes messages one after another."""

    def __init__(
        self,
        requests: BotRequests,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._requests = requests
        self._sleep = sleep

    async def delete(self, channel_id: int, message_id: int) -> bool:
        """Delete a message.

        Returns False if Discord refuses the deletion or can't be reached.
        """
        for _ in range(_ATTEMPTS):
            try:
                await self._requests.delete(channel_id, message_id)
            except ThrottledError as error:
                await self._sleep(error.seconds)
            except discord.HTTPException as error:
                # A message that isn't found was deleted earlier, which counts as success.
                return error.status == HTTPStatus.NOT_FOUND
            except (aiohttp.ClientError, OSError, TimeoutError):
                return False
            else:
                return True
        return False
