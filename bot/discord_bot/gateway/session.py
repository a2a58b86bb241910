"""Keeps the bot connected to the gateway: resumes sessions, and pauses between attempts."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import discord
from discord.gateway import ReconnectWebSocket

from bot.discord_bot.gateway.closing_codes import NEW_SESSION_CODES, final_sentence
from bot.discord_bot.gateway.socket import GatewaySocket, SocketClosedError
from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from yarl import URL

    from bot.discord_bot.gateway.identify_budget import IdentifyBudget

log = logging.getLogger(__name__)

# discord.py waits 60 s for HELLO before it closes the connection. This limit has to be longer.
_OPEN_SECONDS = 90.0
# After a connection that lasted this long, the pauses between attempts begin at the shortest one
# again.
_LASTING_SECONDS = 120.0
_MAX_PAUSE_SECONDS = 300.0
_MAX_FAULT_PAUSE_SECONDS = 3600.0
# The pause before a new session, as a multiple of the first pause before reconnecting. Discord
# asks for 1 to 5 s.
_NEW_SESSION_PAUSES = 5.0
_MOST_DOUBLINGS = 20
# After this many failed resumes in a row, a new session is opened. The first number applies while
# Discord can be reached, and the second while it can't.
_MOST_FAILED_RESUMES, _MOST_UNREACHABLE = 3, 8
_UNREACHABLE = (OSError, aiohttp.ClientError, discord.HTTPException, discord.GatewayNotFound)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Session:
    """A gateway session that can be resumed after the event with the number `sequence`."""

    id: str
    sequence: int
    gateway: URL


class GatewaySession:
    """Keeps the bot connected to the gateway.

    discord.py's `Client.connect` is not used. It ends at an unexpected error, reconnects without
    pauses, and doesn't limit the number of new sessions.

    `first_pause`: the first pause before reconnecting, in seconds. It is doubled at each attempt.

    `report` is called with each unexpected error. It is called with None once a connection has
    lasted long enough to count as stable.
    """

    def __init__(
        self,
        client: discord.Client,
        budget: IdentifyBudget,
        *,
        first_pause: float,
        report: Callable[[Exception | None], Awaitable[None]],
        steady: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._budget = budget
        self._first_pause = first_pause
        self._report = report
        self._steady = steady
        self._sleep = sleep
        self._session: _Session | None = None
        self._socket: GatewaySocket | None = None
        self._failures = 0
        self._failed_resumes = 0
        self._is_after_fault = False

    async def run(self) -> None:
        """Stay connected until the client is closed.

        Raises StartupError if Discord permanently refuses the connection.
        """
        while not self._client.is_closed():
            self._socket = None
            try:
                await self._serve()
            except (ReconnectWebSocket, discord.ConnectionClosed):
                await self._interrupted("request")
            except SocketClosedError as error:
                if sentence := final_sentence(error.code):
                    raise StartupError(sentence) from error
                if error.code in NEW_SESSION_CODES and self._socket:
                    self._socket.session_id = None
                await self._interrupted(f"code {error.code}")
            except _UNREACHABLE as error:
                await self._interrupted(type(error).__name__, most_failed=_MOST_UNREACHABLE)
            except Exception as error:  # a bug in this code or in discord.py must not end the bot
                log.exception("gateway.failed")
                self._is_after_fault = True
                await self._report(error)
                await self._interrupted(type(error).__name__, is_fault=True)

    async def _serve(self) -> None:
        """Connect, and handle events until the connection ends.

        Always raises an exception, which tells why the connection ended.
        """
        session = self._session
        if session is None:
            await self._budget.wait(self._application_id, after_fault=self._is_after_fault)
        opened_at = self._steady()
        async with asyncio.timeout(_OPEN_SECONDS):
            socket = await GatewaySocket.from_client(
                self._client,
                initial=True,  # skips discord.py's own pause
                resume=session is not None,
                session=session.id if session else None,
                sequence=session.sequence if session else None,
                gateway=session.gateway if session else None,
            )
        self._client.ws = self._socket = socket
        if session is None:
            await self._budget.record(self._application_id, after_fault=self._is_after_fault)
        while True:
            await socket.poll_event()
            if self._failures and self._steady() - opened_at >= _LASTING_SECONDS:
                self._failures = 0
                self._is_after_fault = False
                await self._report(None)

    async def _interrupted(
        self, reason: str, *, most_failed: int = _MOST_FAILED_RESUMES, is_fault: bool = False
    ) -> None:
        self._client.dispatch("disconnect")
        self._failures += 1
        self._session = self._resumable(most_failed)
        pause = self._pause(is_fault=is_fault)
        level = logging.WARNING if pause else logging.INFO
        log.log(level, "gateway.lost because=%r again_in=%.1f", reason, pause)
        await self._sleep(pause)

    def _resumable(self, most_failed: int) -> _Session | None:
        """Return the session to resume, or None if a new session has to be opened."""
        before, socket = self._session, self._socket
        after = before if socket is None else _session_of(socket)
        self._failed_resumes = self._failed_resumes + 1 if after == before else 0
        return None if self._failed_resumes >= most_failed else after

    def _pause(self, *, is_fault: bool) -> float:
        growth = 2.0 ** min(self._failures - 1, _MOST_DOUBLINGS)
        if is_fault:
            seconds = _NEW_SESSION_PAUSES * self._first_pause * growth
            return min(seconds, _MAX_FAULT_PAUSE_SECONDS)
        seconds = min(self._first_pause * growth, _MAX_PAUSE_SECONDS)
        if self._session is None:
            return max(seconds, _NEW_SESSION_PAUSES * self._first_pause)
        return 0.0 if self._failures == 1 else seconds

    @property
    def _application_id(self) -> int:
        return self._client.application_id or 0


def _session_of(socket: GatewaySocket) -> _Session | None:
    sequence: object = socket.sequence
    if socket.session_id is None or not isinstance(sequence, int):
        return None
    return _Session(id=socket.session_id, sequence=sequence, gateway=socket.gateway)
