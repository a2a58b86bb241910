"""Hands a connection to aiohttp, and passes on the bytes that it receives in small pieces.

aiohttp parses each piece without letting anything else run. asyncio receives up to 256 KiB at
once, which take a tenth of a second to parse if the body is sent in chunks of one byte.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

RECEIVED_BYTES = 4 * 1024


class Connection(asyncio.BufferedProtocol):
    """A connection that `admit` gives its HTTP protocol, or closes by returning None.

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
        """Return the buffer for what is received next."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hand over what was received."""
        if self._protocol is not None:
            self._protocol.data_received(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> bool | None:
        """Hand over that the peer sends no more."""
        return self._protocol.eof_received() if self._protocol else None

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand over that the connection is closed."""
        if self._protocol is not None:
            self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Hand over that the peer reads too slowly."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Hand over that the peer has read enough."""
        if self._protocol is not None:
            self._protocol.resume_writing()
