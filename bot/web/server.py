"""The embedded aiohttp server: which path leads where, and its bounds."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import StartupError
from bot.web.middleware import guard, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
_FOREIGN = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def bind(host: str, port: int) -> socket.socket:
    """Take a port before anything is told its number; 0 is any free one, `::` is IPv4 too.

    StartupError: it is taken, or the host is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        address = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4]
        return socket.create_server(
            address,
            family=family,
            backlog=128,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except (OSError, UnicodeError) as error:
        raise StartupError(_sentence(error, host, port)) from error


def _sentence(error: OSError | UnicodeError, host: str, port: int) -> str:
    # Of a name that can't exist Python says so by UnicodeError.
    if not isinstance(error, OSError):
        return f"HTTP_HOST: {host} is no name of this machine."
    if isinstance(error, socket.gaierror) or error.errno in _FOREIGN:
        return f"HTTP_HOST: {host} is no address of this machine ({error.strerror})."
    return (
        f"HTTP_PORT: {host}:{port} can't be listened on ({error.strerror}); "
        "choose another, or stop what uses it."
    )


class _TurnedAway(asyncio.Protocol):
    """A connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()


def reachable(host: str) -> str:
    """Write a host to listen on as this machine itself puts it into a URL."""
    # What listens everywhere listens on loopback too.
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - a comparison
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


class WebServer:
    """Serves the given routes on a bound socket, and tells whether the bot is alive and ready.

    `request_seconds`: the time for the head of a request, from the connection's start or from the
    answer before. A body is the handler's to bound.
    """

    def __init__(
        self,
        routes: Sequence[web.RouteDef],
        listener: socket.socket,
        *,
        is_ready: Callable[[], bool],
        request_seconds: float = 15.0,
        max_connections: int = 512,
    ) -> None:
        self._listener = listener
        self._is_ready = is_ready
        self._max_connections = max_connections
        app = web.Application(middlewares=[guard], client_max_size=MAX_BODY_BYTES)
        app.on_response_prepare.append(seal)
        app.add_routes(
            [*routes, web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)]
        )
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=5.0, keepalive_timeout=request_seconds
        )
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Answer requests from now on."""
        await self._runner.setup()
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol, sock=self._listener
        )
        host, port, *_ = self._listener.getsockname()
        log.info("web.listening host=%s port=%d", host, port)

    async def close(self) -> None:
        """Finish the requests under way, then stop listening."""
        if self._server:
            self._server.close()
        await self._runner.cleanup()
        self._listener.close()

    def _protocol(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= self._max_connections:
            return _TurnedAway()
        return server()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._is_ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="not connected to Discord\n")
