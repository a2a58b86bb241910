"""Sends DMs to requesters and to the operator."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import aiohttp
import discord

from bot.delivery.card_edits import FileTooLargeError, as_delivery_error, is_final, is_too_large
from bot.delivery.requests.route_limits import ThrottledError
from bot.delivery.views.card import dm_marker
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.delivery.requests.bot_requests import BotRequests
    from bot.model import Job
    from storage.people import PeopleStore, Person

log = logging.getLogger(__name__)

_NONCE_CHARACTERS = 25
_LOOK_BACK = 50
# After a refused DM, the bot sends the recipient no other DM for a week. If only a DM can reach the
# recipient, the bot tries again after a day.
_DAY_SECONDS = 24 * 60 * 60.0
_WEEK_SECONDS = 7 * _DAY_SECONDS
_MOST_PEOPLE = 10_000
# While the first DM to a recipient is being sent, other DMs to them wait at most this many seconds,
# and then fail. The first DM may have a large file, and each DM that waits occupies the worker.
_FIRST_SECONDS = 2.0
# Discord's error code if DM channels are opened too fast.
_OPENED_TOO_FAST = 40003
# Discord answers with these codes if the recipient's privacy settings forbid DMs, or if the bot and
# the recipient share no server.
_DMS_CLOSED = frozenset({50007, 50278})


class DmRefusedError(Exception):
    """The recipient accepts no DMs from the bot, or Discord refuses this DM."""


class DmFormRefusedError(DmRefusedError):
    """Discord refuses this DM, but may accept another one to the same recipient."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectMessage:
    """A DM. `marker` is a part of its `text` that no other DM contains."""

    user_id: int
    text: str
    marker: str

    @property
    def subject(self) -> str:
        """The last word of the marker. It identifies the job or the event that the DM is about."""
        return self.marker.rpartition(" ")[2]

    @property
    def nonce(self) -> str:
        """The value by which Discord recognises a message that is sent again within minutes."""
        return sha256(self.marker.encode()).hexdigest()[:_NONCE_CHARACTERS]


class DirectMessages:
    """Sends each DM only once. Recipients with closed DMs get at most one attempt a day."""

    def __init__(
        self, bot_requests: BotRequests, people: PeopleStore, *, clock: Callable[[], float]
    ) -> None:
        self._bot_requests = bot_requests
        self._people = people
        self._clock = clock
        self._first_dms: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._accepting: set[int] = set()

    async def check_limit(self, job: Job, *, only_way: bool) -> None:
        """Raise DeliveryError if a job's DM would have to wait for a rate limit.

        A DM that an earlier refusal forbids doesn't wait, because it is never sent.
        """
        dm = DirectMessage(user_id=job.origin.user_id, text="", marker=dm_marker(job))
        try:
            self._bot_requests.check_dm(dm.user_id)
        except ThrottledError as error:
            person = await self._people.get(dm.user_id)
            if not self._is_refused(person, dm, only_way=only_way):
                raise as_delivery_error(error) from error

    async def send(
        self,
        job: Job,
        text: str,
        open_files: Callable[[], Sequence[discord.File]] = tuple,
        *,
        may_be_sent: bool,
        only_way: bool = True,
    ) -> None:
        """Send a job's DM.

        `may_be_sent`: whether an earlier attempt may have sent the DM. If so, the channel is
        searched for it first.
        `only_way`: whether the DM is the recipient's only notification. If so, the bot tries again
        one day after a refusal, not one week after it.

        Raises DeliveryError if the DM may be accepted later, FileTooLargeError if it may be
        accepted without its attachments, and DmRefusedError if it will never be accepted.
        """
        dm = DirectMessage(user_id=job.origin.user_id, text=text, marker=dm_marker(job))
        await self.send_message(dm, open_files, may_be_sent=may_be_sent, only_way=only_way)

    async def send_message(
        self,
        dm: DirectMessage,
        open_files: Callable[[], Sequence[discord.File]] = tuple,
        *,
        may_be_sent: bool = True,
        only_way: bool = True,
    ) -> None:
        """Send a DM that has its own marker. Its parameters and exceptions are those of `send`."""
        if dm.user_id in self._accepting:
            await self._send_unless_refused(dm, open_files, may_be_sent, only_way=only_way)
            return
        # Until a recipient has accepted one DM, send DMs to that person one at a time. If the
        # recipient doesn't accept DMs, only one request is refused, rather than several at once.
        first = self._first_dms.setdefault(dm.user_id, asyncio.Lock())
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                await first.acquire()
        except TimeoutError:
            reason = "another DM to this person is still being sent"
            raise DeliveryError(reason, retry_after=_FIRST_SECONDS) from None
        try:
            await self._send_unless_refused(dm, open_files, may_be_sent, only_way=only_way)
        finally:
            first.release()

    async def _send_unless_refused(
        self,
        dm: DirectMessage,
        open_files: Callable[[], Sequence[discord.File]],
        may_be_sent: bool,  # noqa: FBT001 - passed on
        *,
        only_way: bool,
    ) -> None:
        person = await self._people.get(dm.user_id)
        if self._is_refused(person, dm, only_way=only_way):
            raise DmRefusedError
        await self._try_to_send(dm, open_files, may_be_sent=may_be_sent)
        if person.dm_closed_at is not None:
            await self._people.dm_open(dm.user_id)
        if len(self._accepting) >= _MOST_PEOPLE:
            self._accepting.clear()
        self._accepting.add(dm.user_id)

    def _is_refused(self, person: Person, dm: DirectMessage, *, only_way: bool) -> bool:
        """Tell whether an earlier refusal still forbids sending this DM."""
        if person.dm_closed_at is None:
            return False
        age = self._clock() - person.dm_closed_at
        holds = _DAY_SECONDS if only_way else _WEEK_SECONDS
        return person.dm_closed_for == dm.subject or age < holds

    async def _try_to_send(
        self,
        dm: DirectMessage,
        open_files: Callable[[], Sequence[discord.File]],
        *,
        may_be_sent: bool,
    ) -> None:
        try:
            await self._send(dm, open_files, may_be_sent=may_be_sent)
        except discord.HTTPException as error:
            if is_too_large(error):
                raise FileTooLargeError from error
            if not is_final(error) or error.code == _OPENED_TOO_FAST:
                raise as_delivery_error(error) from error
            log.info("dm.refused marker=%r code=%d", dm.marker, error.code)
            if error.code not in _DMS_CLOSED:
                raise DmFormRefusedError from error
            self._accepting.discard(dm.user_id)
            await self._people.dm_closed(dm.user_id, now=self._clock(), subject=dm.subject)
            raise DmRefusedError from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise as_delivery_error(error) from error

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
    # Only the last line can be the marker. The other lines may quote text that looks like a marker.
    return text.rstrip().rpartition("\n")[2]
