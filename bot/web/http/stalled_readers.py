"""Ends connections whose reader has stopped taking what is sent."""

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

_LOOKS = 12  # in the time that a reader has
_ACKED = struct.Struct("=120xQ")  # tcpi_bytes_acked in Linux's struct tcp_info
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sign:
    """What a reader had taken, and when that was last more than before."""

    taken: int
    at: float


class StalledReaders:
    """Ends a connection whose reader has taken nothing for `seconds`, though there was something.

    What counts is what the reader's machine has acknowledged, as the kernel knows it: that holds
    for files that the kernel sends by itself too, and a slow reader that goes on is left alone.
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
        self._signs: dict[asyncio.WriteTransport, _Sign] = {}

    async def run(self) -> None:
        """Look again and again; elsewhere than on Linux there is nothing to look at."""
        while sys.platform == "linux":
            self.look()
            await asyncio.sleep(self._seconds / _LOOKS)

    def look(self) -> None:
        """End what has stood still for too long."""
        now, signs = self._clock(), dict[asyncio.WriteTransport, _Sign]()
        for transport in self._transports():
            taken = _taken(transport)
            if taken is None:
                continue
            sign = self._signs.get(transport)
            if sign is None or sign.taken != taken:
                sign = _Sign(taken=taken, at=now)
            if now - sign.at >= self._seconds:
                _end(transport)
            signs[transport] = sign
        self._signs = signs


def _taken(transport: asyncio.WriteTransport) -> int | None:
    """Return how many bytes the reader has taken; None: nothing is on its way."""
    connection: socket.socket = transport.get_extra_info("socket")
    try:
        queued = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
        if not any(queued) and not transport.get_write_buffer_size():
            return None
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.size)
        return _ACKED.unpack(info)[0]
    except (OSError, ValueError, struct.error):
        return None  # closed in this moment, or by a kernel that can't tell


def _end(transport: asyncio.WriteTransport) -> None:
    connection: socket.socket = transport.get_extra_info("socket")
    log.info("web.stalled")
    # Not abort(): asyncio would wait for ever for a file that the kernel is sending. After this
    # each try to send fails, and with the reset nothing is left in the kernel.
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.shutdown(socket.SHUT_RDWR)
