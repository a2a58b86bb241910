"""The embedded aiohttp server: which path leads where, and its bounds."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections import Counter
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from aiohttp import web

from bot.errors import StartupError
from bot.web.http.client_address import Proxies, home_of
from bot.web.http.middleware import ErrorMiddleware, seal
from bot.web.http.stalled_readers import StalledReaders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

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


def reachable(host: str) -> str:
    """Write a host to listen on as this machine itself puts it into a URL."""
    # What listens everywhere listens on loopback too.
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - a comparison
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


class WebServer:
    """Serves the given routes on a bound socket, and tells whether the bot is alive and ready.

    `request_seconds`: the time for the head of a request, from the connection's start or from the
    answer before. A body is the handler's to bound. `reader_seconds`: how long who gets an answer
    may take nothing of it, and a sixth more at most. One address has no more than `max_of_one` of
    the `max_connections`; of what comes through `proxies`, no more requests at once.
    """

    def __init__(
        self,
        routes: Sequence[web.RouteDef],
        listener: socket.socket,
        *,
        is_ready: Callable[[], bool],
        refuse: Callable[[Exception, web.Request], web.Response] | None = None,
        proxies: Proxies | None = None,
        request_seconds: float = 15.0,
        reader_seconds: float = 50.0,
        max_connections: int = 512,
        max_of_one: int = 128,
    ) -> None:
        self._listener = listener
        self._is_ready = is_ready
        self._proxies = proxies or Proxies()
        self._reader_seconds = reader_seconds
        self._max_connections = max_connections
        self._max_of_one = max_of_one
        self._homes: WeakKeyDictionary[asyncio.Transport, str] = WeakKeyDictionary()
        self._under_way: Counter[str] = Counter()
        app = web.Application(
            middlewares=[ErrorMiddleware(refuse).watch, self._make_room],
            client_max_size=MAX_BODY_BYTES,
        )
        app.on_response_prepare.append(seal)
        app.add_routes(
            [*routes, web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)]
        )
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=5.0, keepalive_timeout=request_seconds
        )
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer requests from now on."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Entrance(self._admit), sock=self._listener)
        stalled_readers = StalledReaders(
            self._transports, seconds=self._reader_seconds, clock=loop.time
        )
        self._watch = asyncio.create_task(stalled_readers.run(), name="web.stalls")
        host, port, *_ = self._listener.getsockname()
        log.info("web.listening host=%s port=%d", host, port)

    async def close(self) -> None:
        """Finish the requests under way, then stop listening."""
        if self._server:
            self._server.close()
        await self._runner.cleanup()
        if self._watch:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        self._listener.close()

    def _transports(self) -> Iterable[asyncio.Transport]:
        server = self._runner.server
        connections = server.connections if server else ()
        return [each.transport for each in connections if each.transport is not None]

    def _admit(self, transport: asyncio.Transport) -> asyncio.Protocol | None:
        """Return what answers a new connection; None: it is one too many."""
        server, open_now = self._runner.server, list(self._transports())
        if server is None or len(open_now) >= self._max_connections:
            return None
        peer = _peer(transport)
        # What comes through a proxy is counted by request: its connections have one address.
        if not self._proxies.trusts(peer):
            self._homes[transport] = home = home_of(peer)
            if sum(self._homes.get(each) == home for each in open_now) >= self._max_of_one:
                return None
        return server()

    @web.middleware
    async def _make_room(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        address = self._proxies.address_of(request)
        # A proxy that does not say for whom it asks, or this machine itself.
        if self._proxies.trusts(address):
            return await handler(request)
        if self._under_way[address] >= self._max_of_one:
            raise web.HTTPTooManyRequests(text="too many at once\n", headers={"Retry-After": "60"})
        self._under_way[address] += 1
        try:
            return await handler(request)
        finally:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._is_ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="not connected to Discord\n")


class _Entrance(asyncio.Protocol):
    """A connection until it is known whose it is."""

    def __init__(self, admit: Callable[[asyncio.Transport], asyncio.Protocol | None]) -> None:
        self._admit = admit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand it to what answers it, or close it."""
        connection = cast("asyncio.Transport", transport)
        protocol = self._admit(connection)
        if protocol is None:
            connection.close()
            return
        connection.set_protocol(protocol)
        protocol.connection_made(connection)


def _peer(transport: asyncio.Transport) -> str:
    peer: tuple[str, int] | None = transport.get_extra_info("peername")
    return peer[0] if peer else ""
