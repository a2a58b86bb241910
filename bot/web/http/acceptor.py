"""Accepts connections one at a time.

`loop.create_server` accepts up to a hundred at once. If the process runs out of file descriptors,
asyncio logs a traceback for each of these connections, and many more tracebacks one second later.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
# These errors mean that the peer closed the connection before it was accepted.
_CLOSED = {errno.ECONNABORTED, errno.EPROTO, errno.EPERM}


class Acceptor:
    """Accepts connections on a listening socket, and creates a protocol for each of them."""

    def __init__(
        self, listener: socket.socket, connect: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        self._listener = listener
        self._connect = connect
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start accepting connections."""
        self._listener.settimeout(0)
        self._task = asyncio.create_task(self._run(), name="web.accept")

    async def close(self) -> None:
        """Stop accepting connections. Open connections stay open."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError as error:
                if error.errno not in _CLOSED:
                    log.warning("web.not_accepting error=%r", error.strerror)
                    await asyncio.sleep(_PAUSE_SECONDS)
                continue
            try:
                await loop.connect_accepted_socket(self._connect, connection)
            except OSError:
                connection.close()  # the peer has closed the connection in the meantime
