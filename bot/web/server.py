"""The embedded aiohttp server: which path leads where, and its bounds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web

from bot.web.middleware import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024


class WebServer:
    """Serves the given routes, and tells whether the bot is alive and ready."""

    def __init__(
        self,
        routes: Sequence[web.RouteDef],
        *,
        host: str,
        port: int,
        is_ready: Callable[[], bool],
    ) -> None:
        self._host = host
        self._port = port
        self._is_ready = is_ready
        app = web.Application(middlewares=[guard], client_max_size=MAX_BODY_BYTES)
        app.add_routes(
            [*routes, web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)

    async def start(self) -> None:
        """Listen; OSError: the port is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        log.info("web.listening host=%s port=%d", self._host, self.port)

    @property
    def port(self) -> int:
        """The port that was really taken, also when 0 was asked for."""
        port: int = self._runner.addresses[0][1]
        return port

    async def close(self) -> None:
        """Finish the requests under way, then stop listening."""
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._is_ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="not connected to Discord\n")
