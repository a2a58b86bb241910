"""The one DM of a job."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.cards import dm_marker
from bot.delivery.messages import FileTooLargeError, describe, is_too_large
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.model import Job

log = logging.getLogger(__name__)

_NONCE_CHARACTERS = 24
_LOOK_BACK = 50


class DirectMessages:
    """Sends a job's DM at most once; a person who takes no DMs is left alone."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def send(
        self,
        job: Job,
        text: str,
        open_files: Callable[[], Sequence[discord.File]] = tuple,
        *,
        may_be_there: bool,
    ) -> None:
        """Send the DM, unless an attempt before a crash did already.

        DeliveryError: not now. FileTooLargeError: not with these files.
        """
        try:
            channel = await self._client.create_dm(discord.Object(job.origin.user_id))
            if may_be_there and await self._is_there(channel, dm_marker(job)):
                return
            await channel.send(
                text,
                files=open_files(),
                # Discord drops a repetition within minutes by itself.
                nonce=f"{job.id[:_NONCE_CHARACTERS]}d",
                allowed_mentions=discord.AllowedMentions.none(),
            )
        except discord.HTTPException as error:
            if is_too_large(error):
                raise FileTooLargeError from error
            if not isinstance(error, (discord.Forbidden, discord.NotFound)):
                raise DeliveryError(describe(error)) from error
            log.info("dm.refused id=%s code=%d", job.id, error.code)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DeliveryError(describe(error)) from error

    async def _is_there(self, channel: discord.DMChannel, marker: str) -> bool:
        me = self._client.user
        async for message in channel.history(limit=_LOOK_BACK):
            if message.author == me and marker in message.content:
                return True
        return False
