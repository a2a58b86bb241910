"""The HTTP server of a worker, and of a desk that waits: webhooks, links, and health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.runtime.http_server import metrics_page, webhooks
from bot.runtime.open_files import limit
from bot.runtime.parts.voices import make_voice_sounds
from bot.web.elsewhere import elsewhere_routes
from bot.web.http.caller_address import Proxies
from bot.web.http.server import MAX_CONNECTIONS, WebServer
from bot.web.pages.file_links import FileLinks
from bot.web.pages.voice_links import VoiceLinks
from bot.web.webhooks import WEBHOOK_PATH

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from bot.links import Links
    from bot.runtime.engine import Engine


async def open_small_server(
    engine: Engine,
    stack: AsyncExitStack,
    links: Links,
    *,
    state: str,
    is_ready: Callable[[], bool],
) -> WebServer:
    """Start the server on a copy of the socket, so that another server can use the socket later.

    `state`: the role, which the health check shows.
    """
    settings = engine.resources.settings
    metrics = metrics_page(engine, shows_tables=False)
    server = WebServer(
        [
            *webhooks(engine).routes,
            *FileLinks(links, engine.artifacts, engine.workspace).routes,
            *VoiceLinks(links, engine.jobs, make_voice_sounds(engine)).routes,
            *(metrics.routes if metrics else ()),
            *elsewhere_routes(),
        ],
        engine.resources.listener.dup(),
        is_ready=is_ready,
        state=state,
        accepts_compressed=(WEBHOOK_PATH,),
        only_tls=settings.public_url.startswith("https://"),
        max_connections=min(MAX_CONNECTIONS, limit() // 2),
        proxies=Proxies(settings.proxies),
    )
    await server.start()
    stack.push_async_callback(server.close)
    return server
