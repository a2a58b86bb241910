"""Connects a transport with aiohttp, and passes received bytes on in small pieces.

While aiohttp parses a piece, nothing else can run. asyncio receives up to 256 KiB at once, which
take a tenth of a second to parse if the body is sent in chunks of one byte.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

RECEIVED_BYTES = 4 * 1024


class Connection(asyncio.BufferedProtocol):
    """A connection that gets its HTTP protocol from `admit`, or is closed if that returns None.

    `buffer` may be shared by all connections, since it is emptied as soon as it is filled.
    """

    def __init__(
        self,
        admit: Callable[[asyncio.Transport], asyncio.Protocol | None],
        *,
        buffer: bytearray,
    ) -> None:
        self._admit = admit
        self._buffer = buffer
        self._protocol: asyncio.Protocol | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the HTTP protocol, or close the connection."""
        self._protocol = self._admit(cast("asyncio.Transport", transport))
        if self._protocol is None:
            cast("asyncio.Transport", transport).close()
        else:
            self._protocol.connection_made(transport)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - the size is always the same
        """Return the buffer for the bytes that are received next."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on the received bytes."""
        if self._protocol is not None:
            self._protocol.data_received(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> bool | None:
        """Pass on that the peer sends no more."""
        return self._protocol.eof_received() if self._protocol else None

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that the connection is closed."""
        if self._protocol is not None:
            self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass on that the peer reads too slowly."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the peer has read enough."""
        if self._protocol is not None:
            self._protocol.resume_writing()
