"""Closes connections whose peer has stopped reading.

aiohttp has no time-out for writing. TCP_USER_TIMEOUT was tried, but it also disconnects peers that
read slowly with a small window.
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

_CHECKS = 12  # the number of checks during `seconds`
_ACKED = struct.Struct("=120xQ")  # reads tcpi_bytes_acked from Linux's struct tcp_info
_LINGER_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """The number of bytes that a peer has acknowledged, and the time at which it last changed."""

    acked: int
    changed_at: float


class StalledReaders:
    """Resets connections whose peer acknowledges nothing for too long, although data is pending.

    `seconds`: the time without an acknowledgement after which a connection is reset.

    The kernel counts the acknowledged bytes, including those that sendfile sent. The count also
    grows if the peer reads slowly, so slow readers stay connected.
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
        """Check all connections periodically.

        This works only on Linux, because other systems don't count acknowledged bytes.
        """
        while sys.platform == "linux":
            self.check()
            await asyncio.sleep(self._seconds / _CHECKS)

    def check(self) -> None:
        """Reset the connections whose peer has acknowledged nothing for too long."""
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
    """Return the number of bytes that the peer has acknowledged, or None if no data is pending."""
    connection: socket.socket = transport.get_extra_info("socket")
    try:
        queued = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
        if not any(queued) and not transport.get_write_buffer_size():
            return None
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.size)
        return _ACKED.unpack(info)[0]
    except (OSError, ValueError, struct.error):
        return None  # the socket was just closed, or the kernel has no such count


def _reset(transport: asyncio.WriteTransport) -> None:
    connection: socket.socket = transport.get_extra_info("socket")
    log.warning("web.stalled")
    # transport.abort() is not used, because asyncio would wait forever for a sendfile in progress.
    # After shutdown(), every send fails. With SO_LINGER set, closing the socket discards the
    # kernel's buffers.
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        connection.shutdown(socket.SHUT_RDWR)
