"""Runs the embedded renderer as a Videos API server that requires no API key."""

from __future__ import annotations

import logging
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import StartupError
from bot.storyboard.clip_service import ClipService
from bot.storyboard.clip_store import ClipStore
from bot.storyboard.routes import build_app
from bot.storyboard.webhook_sender import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.storyboard.clip_service import Renderer

log = logging.getLogger(__name__)

_SHUTDOWN_SECONDS = 5
_DELAYS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)


class Storyboard:
    """Serves the clips in `directory`. They are rendered by `renderer`.

    `webhook_url`: the URL to which a webhook is sent for each finished clip, or None.
    `webhook_secret`: the secret that signs the webhooks. It is "whsec_" and a base64 string.
    `host`: the address to listen on. `port`: the port, or 0 for any free port.
    """

    def __init__(
        self,
        directory: Path,
        renderer: Renderer,
        *,
        clock: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        waiting: int = 32,
        renders: int = 1,
        webhook_delays: tuple[float, ...] = _DELAYS,
    ) -> None:
        self._host = host
        self._port = port
        self._base_url = ""
        self._store = ClipStore(directory)
        webhook_sender = None
        if webhook_url:
            webhook_sender = WebhookSender(
                self._store,
                url=webhook_url,
                secret=webhook_secret or "",
                clock=clock,
                delays=webhook_delays,
            )
        self._clip_service = ClipService(
            self._store,
            renderer,
            webhook_sender,
            clock=clock,
            steady=steady,
            waiting=waiting,
            renders=renders,
        )
        self._open = AsyncExitStack()

    @property
    def base_url(self) -> str:
        """The base URL of the API, such as "http://127.0.0.1:8123/v1", or "" before `start`."""
        return self._base_url

    async def start(self) -> None:
        """Start the server, and queue unfinished clips again.

        Raises StartupError if the port is in use, or if another process is using the directory.
        """
        async with AsyncExitStack() as opening:
            await self._store.open()
            opening.push_async_callback(self._store.close)
            runner = web.AppRunner(
                build_app(self._clip_service),
                access_log=None,
                shutdown_timeout=_SHUTDOWN_SECONDS,
                auto_decompress=False,
            )
            await runner.setup()
            opening.push_async_callback(runner.cleanup)
            await self._listen(runner)
            await self._clip_service.start()
            opening.push_async_callback(self._clip_service.close)
            self._open = opening.pop_all()
        log.info("storyboard.listening base_url=%s", self._base_url)

    async def close(self) -> None:
        """Stop the server. Unfinished clips are rendered again after the next start."""
        await self._open.aclose()

    async def _listen(self, runner: web.AppRunner) -> None:
        site = web.TCPSite(runner, self._host, self._port)
        try:
            await site.start()
        except OSError:
            raise StartupError(
                f"The storyboard can't listen on {self._host}:{self._port}: choose another port."
            ) from None
        port = runner.addresses[0][1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._base_url = f"http://{host}:{port}/v1"
