"""The bot's own requests that carry files: a slow line may take longer than discord.py allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import discord
from discord.http import MultipartParameters, Route, handle_message_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

# The largest file over a slow line, and an answer that does not come.
TIMEOUT = aiohttp.ClientTimeout(total=900, sock_connect=15, sock_read=60)


async def edit_message(
    client: discord.Client,
    message: discord.PartialMessage,
    view: discord.ui.LayoutView,
    files: Sequence[discord.File],
) -> None:
    """Replace a message of the bot's by `view` and files."""
    route = Route(
        "PATCH",
        "/channels/{channel_id}/messages/{message_id}",
        channel_id=message.channel.id,
        message_id=message.id,
    )
    with handle_message_parameters(
        view=view, attachments=files, allowed_mentions=discord.AllowedMentions.none()
    ) as params:
        await _send(client, route, params)


async def post_message(
    client: discord.Client,
    channel: discord.DMChannel,
    text: str,
    files: Sequence[discord.File],
    *,
    nonce: str,
) -> None:
    """Post a message with files; within minutes Discord drops another with the same nonce."""
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    with handle_message_parameters(
        text, files=files, nonce=nonce, allowed_mentions=discord.AllowedMentions.none()
    ) as params:
        await _send(client, route, params)


async def _send(client: discord.Client, route: Route, params: MultipartParameters) -> None:
    if params.files:
        await client.http.request(route, files=params.files, form=params.multipart, timeout=TIMEOUT)
    else:
        await client.http.request(route, json=params.payload)
