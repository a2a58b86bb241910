"""Reuses a connection only if no bytes have arrived since the connection's last response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class QuietConnector(aiohttp.TCPConnector):
    """A connector that closes idle connections on which unexpected bytes have arrived.

    aiohttp would take these bytes for the response to the next request. The bot could then see the
    state of another job.
    """

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            protocol = connection.protocol
            if protocol is not None and not protocol.should_close:
                return connection
            connection.close()
        return None
