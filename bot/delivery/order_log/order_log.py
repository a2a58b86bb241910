"""OrderLog: posts orders and refusals to the channel that the owner chose."""

from __future__ import annotations

import asyncio
import io
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp
import discord

from bot.delivery.order_log.entries import LogEntry, LogMessage, log_message
from bot.delivery.requests.route_limits import ThrottledError
from bot.model import Origin
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.delivery.requests.bot_requests import BotRequests
    from bot.model import JobChanged
    from bot.moderation.access.refusals import RefusedOrder
    from bot.texts import Texts
    from storage.access.closed_log_channels import ClosedLogChannelStore
    from storage.access.settings import AccessSettingsStore

log = logging.getLogger(__name__)

_MAX_WAITING = 2000
_MAX_IN_MESSAGE = 1000
# The pause between two messages. At most four messages are sent in a minute.
_PAUSE_SECONDS = 15.0
_RETRY_SECONDS = 30.0
_CLOSED_SECONDS = 60.0
_FILE = "orders.txt"
_NONCE_CHARACTERS = 25
_SERVER_ERROR = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class _Batch:
    """A message that is being sent, which a retry repeats with the same nonce."""

    message: LogMessage
    nonce: str
    entries: int


class OrderLog:
    """Collects entries, and posts them in batches. No other component waits for the posts.

    The newest entries are kept in memory until they are posted. Older entries are dropped and
    counted. Entries that are not posted when the bot stops are lost.
    """

    def __init__(
        self,
        bot_requests: BotRequests,
        access: AccessSettingsStore,
        closed: ClosedLogChannelStore,
        *,
        texts: Texts,
        clock: Callable[[], float],
    ) -> None:
        self._bot_requests = bot_requests
        self._access = access
        self._closed = closed
        self._texts = texts
        self._clock = clock
        self._waiting = deque[LogEntry]()
        self._lost = 0
        self._batch: _Batch | None = None
        self._added = asyncio.Event()

    def on_job_changed(self, event: JobChanged) -> None:
        """Add an entry for a new job."""
        if event.previous is not None:
            return
        job, requester = event.job, event.job.requester
        if isinstance(requester, Origin):
            self._add(
                LogEntry(
                    at=job.created_at,
                    job_id=job.id,
                    user_id=requester.user_id,
                    server_id=requester.guild_id,
                    channel_id=requester.channel_id,
                )
            )
        else:
            self._add(LogEntry(at=job.created_at, job_id=job.id, client=requester.name))

    def on_refusal(self, refusal: RefusedOrder) -> None:
        """Add an entry for a refused order."""
        self._add(
            LogEntry(
                at=self._clock(),
                reason=refusal.reason,
                client=refusal.client,
                user_id=refusal.user_id,
                server_id=refusal.server_id,
                channel_id=refusal.channel_id,
            )
        )

    async def run(self) -> None:
        """Post entries, until cancelled. The bot must be logged in."""
        while True:
            await self._added.wait()
            await asyncio.sleep(await self.post())

    async def post(self) -> float:
        """Post the waiting entries, and return the seconds until the next attempt."""
        try:
            channel_id = await self._access.log_channel()
            if channel_id is None:
                self._clear()
                return _PAUSE_SECONDS
            self._batch = self._batch or self._next_batch()
            if self._batch is None:
                self._added.clear()
                return 0.0
            return await self._send(channel_id, self._batch)
        except StorageError as error:
            log.warning("order_log.unsaved error=%r", str(error))
            return _RETRY_SECONDS

    def _add(self, entry: LogEntry) -> None:
        if len(self._waiting) >= _MAX_WAITING:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(entry)
        self._added.set()

    def _clear(self) -> None:
        self._waiting.clear()
        self._lost, self._batch = 0, None
        self._added.clear()

    def _next_batch(self) -> _Batch | None:
        entries = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_IN_MESSAGE))]
        if not entries:
            return None
        lost, self._lost = self._lost, 0
        return _Batch(
            message=log_message(entries, lost=lost, texts=self._texts),
            nonce=uuid4().hex[:_NONCE_CHARACTERS],
            entries=len(entries) + lost,
        )

    async def _send(self, channel_id: int, batch: _Batch) -> float:
        message = batch.message
        content = io.BytesIO(message.attached.encode())
        files = [discord.File(content, filename=_FILE)] if message.attached else []
        try:
            await self._bot_requests.post(channel_id, message.text, files, nonce=batch.nonce)
        except ThrottledError as error:
            return max(error.seconds, _PAUSE_SECONDS)
        except (discord.Forbidden, discord.NotFound) as error:
            reason = f"{error.status} {error.code}"
            log.warning("order_log.closed channel=%d reason=%r", channel_id, reason)
            await self._closed.record(channel_id, reason=reason, now=self._clock())
            return _CLOSED_SECONDS
        except discord.HTTPException as error:
            if error.status >= _SERVER_ERROR:
                return _RETRY_SECONDS
            # Discord does not accept this message, so the next one says that entries are missing.
            log.warning("order_log.refused channel=%d code=%d", channel_id, error.code)
            self._lost += batch.entries
        except (aiohttp.ClientError, OSError, TimeoutError):
            return _RETRY_SECONDS
        else:
            await self._closed.clear()
        self._batch = None
        return _PAUSE_SECONDS
