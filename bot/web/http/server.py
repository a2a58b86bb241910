"""The embedded HTTP server, which limits connections and requests."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from aiohttp import web

from bot.errors import StartupError
from bot.web.http.acceptor import Acceptor
from bot.web.http.caller_address import Proxies, network_of
from bot.web.http.compressed_body import CompressedBodies
from bot.web.http.connection import RECEIVED_BYTES, Connection
from bot.web.http.middleware import ErrorMiddleware, add_headers, require_tls
from bot.web.http.quiet_handler import QuietHandler
from bot.web.http.stalled_readers import StalledReaders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
MAX_CONNECTIONS = 512
_READ_AHEAD_BYTES = 64 * 1024
# After refusing a request, the server discards the rest of the body for this many seconds.
# Otherwise, the sender could not read the response.
_LINGER_SECONDS = 2.0
_NOT_LOCAL = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def bind(host: str, port: int) -> socket.socket:
    """Bind the server's socket, without listening yet. Its port is needed before the server starts.

    `port`: 0 means any free port. `host`: `::` includes IPv4.

    Raises StartupError if the port is in use, or if the host is not an address of this machine.
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
        raise StartupError(_explain(error, host, port)) from error


def _explain(error: OSError | UnicodeError, host: str, port: int) -> str:
    # Python raises UnicodeError for an impossible host name.
    if not isinstance(error, OSError):
        return f"HTTP_HOST: {host} is not a valid host name."
    if isinstance(error, socket.gaierror) or error.errno in _NOT_LOCAL:
        return f"HTTP_HOST: {host} is not an address of this machine ({error.strerror})."
    # The text of the error from create_server repeats the address, so only the reason is used.
    reason = os.strerror(error.errno) if error.errno else error.strerror
    return (
        f"HTTP_PORT: can't listen on {host}:{port} ({reason}). "
        "Choose another port, or stop the program that uses this one."
    )


def url_host(host: str) -> str:
    """Return the host for URLs with which this machine reaches a server that listens on `host`."""
    # A wildcard address includes the loopback address.
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - a comparison
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


class WebServer:
    """Serves the given routes on a bound socket, with health and readiness checks.

    `request_seconds`: the time limit for the head of a request, counted from the connection's start
    or the previous response. Handlers limit the time for the body themselves.
    `reader_seconds`: the time after which a caller that doesn't read the response is disconnected.
    Because callers are only checked at intervals, this time can be exceeded by a sixth.
    `max_per_address`: the number of connections that one address can have open. All callers behind
    a proxy in `proxies` have the proxy's address, so their concurrent requests are counted instead.
    `accepts_compressed`: the paths on which compressed bodies are allowed.
    `only_tls`: whether to tell browsers to use only TLS.
    `state`: the role or state of the process, which the health check shows. It is "" if the process
    does everything.
    """

    def __init__(
        self,
        routes: Sequence[web.RouteDef],
        listener: socket.socket,
        *,
        is_ready: Callable[[], bool],
        refuse: Callable[[Exception, web.Request], web.Response] | None = None,
        proxies: Proxies | None = None,
        accepts_compressed: Collection[str] = (),
        only_tls: bool = False,
        state: str = "",
        request_seconds: float = 15.0,
        reader_seconds: float = 50.0,
        max_connections: int = MAX_CONNECTIONS,
        max_per_address: int = 128,
    ) -> None:
        self._listener = listener
        self._is_ready = is_ready
        self._state = state
        self._proxies = proxies or Proxies()
        self._reader_seconds = reader_seconds
        self._max_connections = max_connections
        self._max_per_address = max_per_address
        self._networks: WeakKeyDictionary[asyncio.Transport, str] = WeakKeyDictionary()
        self._active_requests: Counter[str] = Counter()
        app = web.Application(
            middlewares=[
                ErrorMiddleware(refuse).handle,
                CompressedBodies(accepting=accepts_compressed).refuse,
                self._limit_requests,
            ],
            client_max_size=MAX_BODY_BYTES,
        )
        app.on_response_prepare.append(add_headers)
        if only_tls:
            app.on_response_prepare.append(require_tls)
        app.add_routes(
            [*routes, web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
        self._request_seconds = request_seconds
        self._acceptor = Acceptor(
            listener, partial(Connection, self._admit, buffer=bytearray(RECEIVED_BYTES))
        )
        self._stall_check: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the server."""
        await self._runner.setup()
        self._acceptor.start()
        stalled_readers = StalledReaders(
            self._transports, seconds=self._reader_seconds, clock=time.monotonic
        )
        self._stall_check = asyncio.create_task(stalled_readers.run(), name="web.stalls")
        host, port, *_ = self._listener.getsockname()
        log.info("web.listening host=%s port=%d", host, port)

    async def stop_accepting(self) -> None:
        """Accept no more connections. Another server may accept them on the same socket."""
        await self._acceptor.close()

    async def close(self) -> None:
        """Accept no more connections, and finish the requests that are being handled."""
        await self.stop_accepting()
        await self._runner.cleanup()
        if self._stall_check:
            self._stall_check.cancel()
            await asyncio.wait([self._stall_check])
        self._listener.close()

    def _transports(self) -> Iterable[asyncio.Transport]:
        server = self._runner.server
        connections = server.connections if server else ()
        return [each.transport for each in connections if each.transport is not None]

    def _admit(self, transport: asyncio.Transport) -> asyncio.Protocol | None:
        """Return the HTTP protocol for a new connection, or None if too many are open."""
        server, open_now = self._runner.server, list(self._transports())
        if server is None or len(open_now) >= self._max_connections:
            return None
        peer = _peer(transport)
        # All connections from a proxy have the same address, so its requests are counted by caller.
        if not self._proxies.trusts(peer):
            self._networks[transport] = network = network_of(peer)
            same = sum(self._networks.get(each) == network for each in open_now)
            if same >= self._max_per_address:
                return None
        return QuietHandler(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # pyright: ignore[reportArgumentType] - it means no log
            keepalive_timeout=self._request_seconds,
            auto_decompress=False,
            read_bufsize=_READ_AHEAD_BYTES,
            lingering_time=_LINGER_SECONDS,
        )

    @web.middleware
    async def _limit_requests(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        address = self._proxies.address_of(request)
        # The address is trusted if the proxy didn't name the caller, or if this machine sent the
        # request.
        if self._proxies.trusts(address):
            return await handler(request)
        if self._active_requests[address] >= self._max_per_address:
            raise web.HTTPTooManyRequests(
                text="too many concurrent requests\n", headers={"Retry-After": "60"}
            )
        self._active_requests[address] += 1
        try:
            return await handler(request)
        finally:
            self._active_requests[address] -= 1
            if not self._active_requests[address]:
                del self._active_requests[address]

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text=f"ok, {self._state}\n" if self._state else "ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._is_ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text=f"{self._state or 'not connected to Discord'}\n")


def _peer(transport: asyncio.Transport) -> str:
    peer: tuple[str, int] | None = transport.get_extra_info("peername")
    return peer[0] if peer else ""
