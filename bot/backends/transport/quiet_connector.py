"""An aiohttp connector that keeps the bot from seeing or ordering the wrong job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from bot.backends.transport.base import LateConnectionError
from bot.pacing import PostFence

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class QuietConnector(aiohttp.TCPConnector):
    """A connector that closes idle connections on which unexpected bytes have arrived.

    aiohttp would take these bytes for the response to the next request. The bot could then see the
    state of another job.
    """

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - as declared
    ) -> Connection:
        """Return a connection for a request.

        Raises LateConnectionError if connecting took so long that a POST would be sent too late.
        """
        fence = PostFence()
        since = fence.now()
        connection = await super().connect(req, traces, timeout)
        if req.method == "POST" and fence.is_too_late(since):
            connection.close()
            raise LateConnectionError
        return connection

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            protocol = connection.protocol
            if protocol is not None and not protocol.should_close:
                return connection
            connection.close()
        return None
