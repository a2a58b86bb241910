"""Passes received bytes to aiohttp in small pieces.

While aiohttp parses a piece, no other task can run. asyncio receives up to 256 KiB at once. If a
body is sent in chunks of one byte, parsing that much takes a tenth of a second.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

RECEIVED_BYTES = 4 * 1024


class Connection(asyncio.BufferedProtocol):
    """A connection that is accepted or refused by `admit`.

    `admit` returns the HTTP protocol of the connection, or None to close the connection.

    `buffer` can be shared by all connections, because it is emptied as soon as it is filled.
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
        """Create the HTTP protocol, or close the connection."""
        self._protocol = self._admit(cast("asyncio.Transport", transport))
        if self._protocol is None:
            cast("asyncio.Transport", transport).close()
        else:
            self._protocol.connection_made(transport)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - the size is always the same
        """Return the buffer for the next bytes that are received."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass the received bytes to the HTTP protocol."""
        if self._protocol is not None:
            self._protocol.data_received(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> bool | None:
        """Tell the HTTP protocol that the peer will send nothing more."""
        return self._protocol.eof_received() if self._protocol else None

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the HTTP protocol that the connection is closed."""
        if self._protocol is not None:
            self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Tell the HTTP protocol that the peer reads too slowly."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Tell the HTTP protocol that the peer has caught up."""
        if self._protocol is not None:
            self._protocol.resume_writing()
