"""Closes connections whose peer has stopped reading.

aiohttp has no write time-out, and TCP_USER_TIMEOUT also disconnected slow readers with a small
window.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import socket
import struct
import sys
import termios
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)

_CHECKS = 12  # in each period of `seconds`
_ACKED = struct.Struct("=120xQ")  # tcpi_bytes_acked in Linux's struct tcp_info
_LINGER_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """The number of bytes that a peer has acknowledged, and the time of its last change."""

    acked: int
    changed_at: float


class StalledReaders:
    """Resets connections whose peer has acknowledged nothing for `seconds` while data is pending.

    The kernel's count of acknowledged bytes also covers sendfile, and it grows for slow readers,
    which therefore stay connected.
    """

    def __init__(
        self,
        transports: Callable[[], Iterable[asyncio.WriteTransport]],
        *,
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._transports = transports
        self._seconds = seconds
        self._clock = clock
        self._readings: dict[asyncio.WriteTransport, _Reading] = {}

    async def run(self) -> None:
        """Check periodically, on Linux only: other systems don't count acknowledged bytes."""
        while sys.platform == "linux":
            self.check()
            await asyncio.sleep(self._seconds / _CHECKS)

    def check(self) -> None:
        """Reset the connections that have made no progress for too long."""
        now, readings = self._clock(), dict[asyncio.WriteTransport, _Reading]()
        for transport in self._transports():
            acked = _acked_bytes(transport)
            if acked is None:
                continue
            reading = self._readings.get(transport)
            if reading is None or reading.acked != acked:
                reading = _Reading(acked=acked, changed_at=now)
            if now - reading.changed_at >= self._seconds:
                _reset(transport)
            readings[transport] = reading
        self._readings = readings


def _acked_bytes(transport: asyncio.WriteTransport) -> int | None:
    """Return the number of bytes acknowledged by the peer, or None if no data is pending."""
    connection: socket.socket = transport.get_extra_info("socket")
    try:
        queued = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
        if not any(queued) and not transport.get_write_buffer_size():
            return None
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.size)
        return _ACKED.unpack(info)[0]
    except (OSError, ValueError, struct.error):
        return None  # just closed, or the kernel has no such count


def _reset(transport: asyncio.WriteTransport) -> None:
    connection: socket.socket = transport.get_extra_info("socket")
    log.warning("web.stalled")
    # After abort(), asyncio would wait forever for a pending sendfile. After shutdown(), every send
    # fails, and the reset discards the kernel's buffers.
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        connection.shutdown(socket.SHUT_RDWR)
