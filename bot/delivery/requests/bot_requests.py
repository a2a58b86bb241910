"""Sends requests about messages to Discord, authorised by the bot's own token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord.http import Route, handle_message_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.delivery.requests.discord_requests import DiscordRequests

_MESSAGES = "/channels/{channel_id}/messages"
_DM_CHANNELS = "/users/@me/channels"
_MOST_CHANNELS = 1000


class BotRequests:
    """Posts, edits and deletes messages as the bot.

    Its methods raise the exceptions of `DiscordRequests.send`.
    """

    def __init__(self, bot: discord.Client, requests: DiscordRequests) -> None:
        self._bot = bot
        self._requests = requests
        self._dm_channels: dict[int, int] = {}

    @property
    def user_id(self) -> int:
        """The bot's user id, or 0 until the bot has logged in."""
        return self._bot.user.id if self._bot.user else 0

    async def edit(
        self,
        channel_id: int,
        message_id: int,
        view: discord.ui.LayoutView,
        files: Sequence[discord.File],
    ) -> None:
        """Replace the content of one of the bot's messages with `view` and `files`."""
        route = Route(
            "PATCH", f"{_MESSAGES}/{{message_id}}", channel_id=channel_id, message_id=message_id
        )
        with handle_message_parameters(
            view=view, attachments=files, allowed_mentions=discord.AllowedMentions.none()
        ) as message:
            await self._requests.send(route, message, bot=self._bot)

    async def post(
        self, channel_id: int, text: str, files: Sequence[discord.File], *, nonce: str
    ) -> None:
        """Post a message with files.

        `nonce`: if a second message with the same nonce follows within minutes, Discord ignores it.
        """
        route = Route("POST", _MESSAGES, channel_id=channel_id)
        with handle_message_parameters(
            text, files=files, nonce=nonce, allowed_mentions=discord.AllowedMentions.none()
        ) as message:
            await self._requests.send(route, message, bot=self._bot)

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Delete one of the bot's messages."""
        route = Route(
            "DELETE", f"{_MESSAGES}/{{message_id}}", channel_id=channel_id, message_id=message_id
        )
        await self._requests.send(route, bot=self._bot)

    def check_dm(self, user_id: int) -> None:
        """Raise ThrottledError if the bot can't open its DM channel with a user now."""
        if user_id not in self._dm_channels:
            self._requests.check(Route("POST", _DM_CHANNELS))

    async def open_dm(self, user_id: int) -> int:
        """Return the id of the bot's DM channel with a user. Opens the channel if needed."""
        known = self._dm_channels.get(user_id)
        if known is not None:
            return known
        body = {"recipient_id": str(user_id)}
        route = Route("POST", _DM_CHANNELS)
        channel = await self._requests.send(route, bot=self._bot, json=body, queues=True)
        while len(self._dm_channels) >= _MOST_CHANNELS:
            del self._dm_channels[next(iter(self._dm_channels))]
        self._dm_channels[user_id] = int(channel["id"])
        return self._dm_channels[user_id]

    async def latest(self, channel_id: int, *, limit: int) -> list[dict[str, Any]]:
        """Return a channel's newest messages, as JSON objects from Discord's API."""
        route = Route("GET", _MESSAGES, channel_id=channel_id)
        return await self._requests.send(route, bot=self._bot, query={"limit": str(limit)})
