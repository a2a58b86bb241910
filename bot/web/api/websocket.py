"""`/ws`: the progress of jobs, as it happens."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, hdrs, web

from bot.web.api.socket_session import MAX_MESSAGE_BYTES, SocketSession
from bot.web.http.error_response import ApiError, language
from bot.web.http.middleware import id_of, is_client_fault

if TYPE_CHECKING:
    from bot.api_clients.client_jobs import ClientJobs
    from bot.events import JobFeed
    from bot.texts import Texts
    from bot.web.api.access import Access
    from bot.web.api.authentication import Authentication

log = logging.getLogger(__name__)

_MOST_SOCKETS = 20  # of one client
_PING_SECONDS = 25.0
_CLOSE_SECONDS = 2.0  # for the other side's word: until then all that it sends is read
_UNAUTHORIZED = 4401


class JobSocket:
    """Answers WebSockets; each belongs to one client, and tells of nothing but its jobs."""

    def __init__(
        self,
        *,
        clients: ClientJobs,
        feed: JobFeed,
        authentication: Authentication,
        access: Access,
        texts: Texts,
    ) -> None:
        self._clients = clients
        self._feed = feed
        self._authentication = authentication
        self._access = access
        self._texts = texts
        self._sockets: dict[str, set[web.WebSocketResponse]] = {}

    @property
    def routes(self) -> list[web.RouteDef]:
        """Where sockets are opened."""
        return [web.get("/ws", self._access.edge(self._open))]

    async def close(self) -> None:
        """Tell every reader that the bot stops."""
        sockets = [socket for group in self._sockets.values() for socket in group]
        await asyncio.gather(
            *(
                socket.close(code=WSCloseCode.GOING_AWAY, message=b"the bot stops")
                for socket in sockets
            ),
            return_exceptions=True,
        )

    async def _open(self, request: web.Request) -> web.StreamResponse:
        # A browser lets any page open a socket to anywhere, and says which page it is.
        if hdrs.ORIGIN in request.headers and not self._authentication.is_own_page(request):
            self._access.turn_away(request)
        client = self._authentication.by_request(request)
        if client is not None:
            self._access.admit_socket(client)
        socket = web.WebSocketResponse(
            timeout=_CLOSE_SECONDS,
            heartbeat=_PING_SECONDS,
            max_msg_size=MAX_MESSAGE_BYTES,
            compress=False,
        )
        await socket.prepare(request)
        # From here on the answer is a socket, and what goes wrong is said by how it closes.
        try:
            await self._talk(socket, request, client)
        except ApiError:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too often")
        except Exception as error:  # the edge: a bug ends one socket
            if not is_client_fault(error, request):
                log.exception("ws.failed request=%s", id_of(request))
            await socket.close(code=WSCloseCode.INTERNAL_ERROR, message=b"internal error")
        return socket

    async def _talk(
        self, socket: web.WebSocketResponse, request: web.Request, client: str | None
    ) -> None:
        reader = SocketSession(
            socket,
            clients=self._clients,
            feed=self._feed,
            texts=self._texts,
            locale=language(request),
            admit=self._access.admit_message,
        )
        if client is None:
            client = self._authentication.by_token(await reader.first_token())
            if client is not None:
                self._access.admit_socket(client)
        if client is None:
            self._access.note_stranger(request)
            await socket.close(code=_UNAUTHORIZED, message=b"sign in with an API token")
        else:
            await self._serve(socket, reader, client)

    async def _serve(
        self, socket: web.WebSocketResponse, reader: SocketSession, client: str
    ) -> None:
        group = self._sockets.setdefault(client, set())
        if len(group) >= _MOST_SOCKETS:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many sockets")
            return
        group.add(socket)
        try:
            await reader.serve(client)
        finally:
            group.discard(socket)
            if not group:
                del self._sockets[client]
