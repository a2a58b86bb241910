"""Notices: exchanges short texts with the other processes on a PostgreSQL database."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

import asyncpg

from storage.postgres.opening import connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_CHANNEL = "clapper_changes"
_NOTIFY = f"SELECT pg_notify('{_CHANNEL}', $1)"
# PostgreSQL refuses more than 8,000 bytes.
_MAX_BYTES = 7_500
# While the database can't be reached, only the newest texts are kept. The processes that miss the
# older texts read the table anyway.
_MAX_WAITING = 5_000
_RETRY_SECONDS = 1.0
_SEND_SECONDS = 10.0
_SESSION = {
    "application_name": "clapper-notices",
    # A commit that is lost in a crash loses nothing but a wake-up.
    "synchronous_commit": "off",
}
_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Notices:
    """Sends texts in batches, and receives those of other processes, on one connection.

    A process misses the texts that are sent while its connection is lost.
    """

    def __init__(self, open_session: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._open_session = open_session
        self._outgoing = deque[str](maxlen=_MAX_WAITING)
        self._incoming = deque[str](maxlen=_MAX_WAITING)
        self._is_lost = False
        self._changed = asyncio.Event()

    def send(self, text: str) -> None:
        """Send a text to the other processes soon. A text that is already waiting is sent once."""
        if text not in self._outgoing:
            self._outgoing.append(text)
        self._changed.set()

    async def run(self, receive: Callable[[str], Awaitable[None]]) -> None:
        """Exchange texts until cancelled, and connect again whenever the connection is lost."""
        while True:
            try:
                await self._exchange(receive)
            except _FAILURES as error:
                log.info("notices.lost error=%r", str(error) or type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _exchange(self, receive: Callable[[str], Awaitable[None]]) -> None:
        connection = await self._open_session()
        self._is_lost = False
        own_pid = connection.get_server_pid()

        def heard(_: object, pid: int, _channel: str, payload: str) -> None:
            if pid != own_pid:
                self._incoming.extend(_texts(payload))
                self._changed.set()

        def ended(_: object) -> None:
            self._is_lost = True
            self._changed.set()

        try:
            connection.add_termination_listener(ended)
            await connection.add_listener(_CHANNEL, heard)
            while not self._is_lost:
                self._changed.clear()
                while self._outgoing and not self._is_lost:
                    await connection.execute(_NOTIFY, self._batch(), timeout=_SEND_SECONDS)
                while self._incoming and not self._outgoing:
                    await receive(self._incoming.popleft())
                if not self._outgoing:
                    await self._changed.wait()
        finally:
            connection.terminate()

    def _batch(self) -> str:
        texts, size = [self._outgoing.popleft()], 0
        while self._outgoing:
            size += len(json.dumps(texts[-1])) + 2
            if size + len(json.dumps(self._outgoing[0])) > _MAX_BYTES:
                break
            texts.append(self._outgoing.popleft())
        return json.dumps(texts)


def open_notices(url: str) -> Notices:
    """Return the exchange of texts on the database at `url`. It connects once it is run."""
    return Notices(partial(connect, url, _SESSION))


def _texts(payload: str) -> list[str]:
    """Return the texts of a batch. Any program that may use the database can send other batches."""
    try:
        texts: list[object] = json.loads(payload)
        return [text for text in texts if isinstance(text, str)]
    except (ValueError, TypeError, RecursionError):
        return []
