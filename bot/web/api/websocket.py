"""Handles `/ws`, which reports the progress of jobs over WebSockets."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, hdrs, web

from bot.web.api.authentication import has_token
from bot.web.api.socket_session import MAX_MESSAGE_BYTES, SocketSession
from bot.web.http.error_response import ApiError, language
from bot.web.http.middleware import is_caller_fault, request_id

if TYPE_CHECKING:
    from bot.api_clients.client_jobs import ClientJobs
    from bot.events import JobFeed
    from bot.texts import Texts
    from bot.web.api.access import Access
    from bot.web.api.authentication import Authentication

log = logging.getLogger(__name__)

_MAX_SOCKETS = 20  # per client
_PING_SECONDS = 25.0
_CLOSE_SECONDS = 2.0  # the time that the peer has to confirm a close
_UNAUTHORIZED = 4401
_SIGNED_OUT = b"the session was signed out"


class JobSocket:
    """Serves WebSockets. Each socket belongs to one client, and reports only that client's jobs."""

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
        # The open sockets of each client, each with the hash of the session that opened it.
        self._sockets: dict[str, dict[web.WebSocketResponse, str | None]] = {}

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route of `/ws`."""
        return [web.get("/ws", self._access.unchecked(self._open))]

    async def close(self) -> None:
        """Close all sockets, because the bot is stopping."""
        sockets = [socket for group in self._sockets.values() for socket in group]
        closing = [
            socket.close(code=WSCloseCode.GOING_AWAY, message=b"the bot is stopping")
            for socket in sockets
        ]
        await asyncio.gather(*closing, return_exceptions=True)

    async def end(self, client: str, session: str | None) -> None:
        """Close the sockets that a session opened.

        If `session` is None, close all sockets that any session of the client opened.
        """
        ended = [
            socket
            for socket, opened_by in self._sockets.get(client, {}).items()
            if opened_by is not None and session in {None, opened_by}
        ]
        closing = [socket.close(code=_UNAUTHORIZED, message=_SIGNED_OUT) for socket in ended]
        await asyncio.gather(*closing, return_exceptions=True)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        # A browser lets any page open a WebSocket to any server, but sends the origin of the page.
        if hdrs.ORIGIN in request.headers and not self._authentication.is_own_page(request):
            self._access.reject(request)
        client = self._authentication.by_request(request)
        if client is not None:
            self._access.count_socket(client)
        socket = web.WebSocketResponse(
            timeout=_CLOSE_SECONDS,
            heartbeat=_PING_SECONDS,
            max_msg_size=MAX_MESSAGE_BYTES,
            compress=False,
        )
        await socket.prepare(request)
        # From here on, the response is a WebSocket, so an error can only be reported as a close
        # code.
        try:
            await self._authenticate(socket, request, client)
        except ApiError:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many requests")
        except Exception as error:  # a bug may only end this socket
            if not is_caller_fault(error, request):
                log.exception("ws.failed request=%s", request_id(request))
            await socket.close(code=WSCloseCode.INTERNAL_ERROR, message=b"internal error")
        return socket

    async def _authenticate(
        self, socket: web.WebSocketResponse, request: web.Request, client: str | None
    ) -> None:
        session = SocketSession(
            socket,
            clients=self._clients,
            feed=self._feed,
            texts=self._texts,
            locale=language(request),
            count_message=self._access.count_message,
        )
        by_token = client is None or has_token(request)
        if client is None:
            client = self._authentication.by_token(await session.first_token())
            if client is not None:
                self._access.count_socket(client)
        if client is None:
            self._access.count_failure(request)
            await socket.close(code=_UNAUTHORIZED, message=b"sign in with an API token")
        else:
            opened_by = None if by_token else self._authentication.session_of(request)
            await self._serve(socket, session, client, opened_by and opened_by.hash)

    async def _serve(
        self,
        socket: web.WebSocketResponse,
        session: SocketSession,
        client: str,
        opened_by: str | None,
    ) -> None:
        group = self._sockets.setdefault(client, {})
        if len(group) >= _MAX_SOCKETS:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many sockets")
            return
        group[socket] = opened_by
        try:
            await session.serve(client)
        finally:
            group.pop(socket, None)
            if not group:
                del self._sockets[client]
