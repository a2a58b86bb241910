"""DMs: those of a job, and what the operator has to know."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.bot_requests import post_message
from bot.delivery.card_edits import FileTooLargeError, describe, is_final, is_too_large
from bot.delivery.views.card import dm_marker
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.model import Job
    from storage.people import PeopleStore

log = logging.getLogger(__name__)

_NONCE_CHARACTERS = 25
_LOOK_BACK = 50
# Discord's brake on opening many DMs at once.
_TOO_FAST = 40003
# The person's privacy settings, or no server in common.
_TAKES_NONE = frozenset({50007, 50278})


class DmRefusedError(Exception):
    """The person takes no DMs from the bot, or Discord will not take this one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectMessage:
    """A DM; `marker` is the part of its `text` that stands in no other one."""

    user_id: int
    text: str
    marker: str

    @property
    def nonce(self) -> str:
        """By this Discord knows one that comes again within minutes."""
        return sha256(self.marker.encode()).hexdigest()[:_NONCE_CHARACTERS]


class DirectMessages:
    """Sends each DM at most once; who takes no DMs is asked once, and left alone."""

    def __init__(
        self, client: discord.Client, people: PeopleStore, *, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._people = people
        self._clock = clock

    async def send(
        self,
        job: Job,
        text: str,
        open_files: Callable[[], Sequence[discord.File]] = tuple,
        *,
        may_be_there: bool,
    ) -> None:
        """Send a job's DM, unless an attempt before a crash did already.

        DeliveryError: not now. FileTooLargeError: not with these files. DmRefusedError: never.
        """
        dm = DirectMessage(user_id=job.origin.user_id, text=text, marker=dm_marker(job))
        await self.write(dm, open_files, may_be_there=may_be_there)

    async def write(
        self,
        dm: DirectMessage,
        open_files: Callable[[], Sequence[discord.File]] = tuple,
        *,
        may_be_there: bool = True,
    ) -> None:
        """Send a DM, unless it is there; it fails like `send`."""
        if (await self._people.get(dm.user_id)).dm_closed_at is not None:
            raise DmRefusedError
        try:
            await self._write(dm, open_files, may_be_there=may_be_there)
        except discord.HTTPException as error:
            if is_too_large(error):
                raise FileTooLargeError from error
            if not is_final(error) or error.code == _TOO_FAST:
                raise DeliveryError(describe(error)) from error
            log.info("dm.refused marker=%r code=%d", dm.marker, error.code)
            if error.code in _TAKES_NONE:
                await self._people.dm_closed(dm.user_id, now=self._clock())
            raise DmRefusedError from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DeliveryError(describe(error)) from error

    async def _write(
        self,
        dm: DirectMessage,
        open_files: Callable[[], Sequence[discord.File]],
        *,
        may_be_there: bool,
    ) -> None:
        channel = await self._client.create_dm(discord.Object(dm.user_id))
        if may_be_there and await self._is_there(channel, dm.marker):
            return
        await post_message(self._client, channel, dm.text, open_files(), nonce=dm.nonce)

    async def _is_there(self, channel: discord.DMChannel, marker: str) -> bool:
        me = self._client.user
        async for message in channel.history(limit=_LOOK_BACK):
            if message.author == me and marker in message.content:
                return True
        return False
