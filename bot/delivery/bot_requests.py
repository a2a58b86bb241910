"""Requests with the bot's own token that carry files.

discord.py's time-out is too short for a large file over a slow connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import discord
from discord.http import MultipartParameters, Route, handle_message_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

# `total` allows for the largest file over a slow connection, `sock_read` for a missing answer.
TIMEOUT = aiohttp.ClientTimeout(total=900, sock_connect=15, sock_read=60)


async def edit_message(
    client: discord.Client,
    message: discord.PartialMessage,
    view: discord.ui.LayoutView,
    files: Sequence[discord.File],
) -> None:
    """Replace the content of one of the bot's messages by `view` and files."""
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
    """Post a message with files.

    For a few minutes Discord drops a second message with the same nonce.
    """
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
