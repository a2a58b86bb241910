"""Sends DMs to requesters and to the operator."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.card_edits import FileTooLargeError, is_final, is_too_large, later
from bot.delivery.views.card import dm_marker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.delivery.bot_requests import BotRequests
    from bot.model import Job
    from storage.people import PeopleStore

log = logging.getLogger(__name__)

_NONCE_CHARACTERS = 25
_LOOK_BACK = 50
# Discord's rate limit on opening DM channels.
_OPENED_TOO_FAST = 40003
# The recipient's privacy settings forbid DMs, or there is no server in common.
_DMS_CLOSED = frozenset({50007, 50278})


class DmRefusedError(Exception):
    """The recipient accepts no DMs from the bot, or Discord refuses this one."""


class DmFormRefusedError(DmRefusedError):
    """Discord refuses this DM, but perhaps not another one to the same recipient."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectMessage:
    """A DM; `marker` is the part of its `text` that no other DM contains."""

    user_id: int
    text: str
    marker: str

    @property
    def nonce(self) -> str:
        """The value by which Discord recognises a repetition within a few minutes."""
        return sha256(self.marker.encode()).hexdigest()[:_NONCE_CHARACTERS]


class DirectMessages:
    """Sends each DM at most once, and none to recipients who have closed their DMs."""

    def __init__(
        self, bot_requests: BotRequests, people: PeopleStore, *, clock: Callable[[], float]
    ) -> None:
        self._bot_requests = bot_requests
        self._people = people
        self._clock = clock

    async def send(
        self,
        job: Job,
        text: str,
        open_files: Callable[[], Sequence[discord.File]] = tuple,
        *,
        may_be_sent: bool,
    ) -> None:
        """Send a job's DM; if it `may_be_sent` already, look for it in the channel first.

        DeliveryError: it may work later. FileTooLargeError: it may work without these files.
        DmRefusedError: it will never work.
        """
        dm = DirectMessage(user_id=job.origin.user_id, text=text, marker=dm_marker(job))
        await self.send_message(dm, open_files, may_be_sent=may_be_sent)

    async def send_message(
        self,
        dm: DirectMessage,
        open_files: Callable[[], Sequence[discord.File]] = tuple,
        *,
        may_be_sent: bool = True,
    ) -> None:
        """Send a DM that has its own marker; the parameters and errors are those of `send`."""
        if (await self._people.get(dm.user_id)).dm_closed_at is not None:
            raise DmRefusedError
        try:
            await self._send(dm, open_files, may_be_sent=may_be_sent)
        except discord.HTTPException as error:
            if is_too_large(error):
                raise FileTooLargeError from error
            if not is_final(error) or error.code == _OPENED_TOO_FAST:
                raise later(error) from error
            log.info("dm.refused marker=%r code=%d", dm.marker, error.code)
            if error.code not in _DMS_CLOSED:
                raise DmFormRefusedError from error
            await self._people.dm_closed(dm.user_id, now=self._clock())
            raise DmRefusedError from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise later(error) from error

    async def _send(
        self,
        dm: DirectMessage,
        open_files: Callable[[], Sequence[discord.File]],
        *,
        may_be_sent: bool,
    ) -> None:
        channel_id = await self._bot_requests.open_dm(dm.user_id)
        if may_be_sent and await self._is_sent(channel_id, dm.marker):
            return
        await self._bot_requests.post(channel_id, dm.text, open_files(), nonce=dm.nonce)

    async def _is_sent(self, channel_id: int, marker: str) -> bool:
        me = str(self._bot_requests.user_id)
        return any(
            message["author"]["id"] == me and marker in _last_line(message["content"])
            for message in await self._bot_requests.latest(channel_id, limit=_LOOK_BACK)
        )


def _last_line(text: str) -> str:
    # The rest quotes what a person wrote, which may look like the marker of another DM.
    return text.rstrip().rpartition("\n")[2]
