"""Assembles the HTTP routes, and starts the HTTP server.

The API, the owner's page and the metrics page are imported only if their tokens are set.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.poster_cache import PosterCache
from bot.runtime.open_files import limit
from bot.runtime.parts.voices import make_voice_sounds
from bot.web.http.caller_address import Proxies
from bot.web.http.error_response import ErrorResponses
from bot.web.http.server import MAX_CONNECTIONS, WebServer
from bot.web.operator_routes import OperatorKey, OperatorRoutes
from bot.web.pages.file_links import FileLinks
from bot.web.pages.share import SharePage
from bot.web.pages.voice_links import VoiceLinks
from bot.web.webhooks import WEBHOOK_PATH, Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from bot.delivery.spending.picture import SpendingPicture
    from bot.jobs.costs.spending import Names
    from bot.library.retention import Retention
    from bot.library.take_down import TakeDown
    from bot.links import Links
    from bot.runtime.engine import Engine
    from bot.speech.narrator import Narrator
    from bot.texts import Texts
    from bot.web.metrics_page import MetricsPage


async def open_http_server(
    engine: Engine,
    stack: AsyncExitStack,
    *,
    texts: Texts,
    links: Links,
    narrator: Narrator | None,
    retention: Retention,
    take_down: TakeDown,
    spending: SpendingPicture,
    names: Names,
    is_ready: Callable[[], bool],
) -> None:
    """Start the HTTP server.

    `is_ready` tells whether the bot is connected to Discord.
    """
    # Poster images get an ffmpeg slot of their own, so that web pages don't wait for renders.
    poster_cache = PosterCache(Ffmpeg(engine.resources.ffmpeg_path, slots=1), engine.workspace)
    shares = SharePage(
        links=links,
        jobs=engine.jobs,
        artifacts=engine.artifacts,
        workspace=engine.workspace,
        poster_cache=poster_cache,
        texts=texts,
        store_origin=_origin(engine.resources.settings.store_public_endpoint),
    )
    settings, site, owner = engine.resources.settings, None, None
    if settings.api_tokens:
        from bot.runtime.parts.site import open_site

        site = await open_site(
            engine,
            texts,
            links=links,
            poster_cache=poster_cache,
            narrator=narrator,
            retention=retention,
        )
    metrics = metrics_page(engine)
    if settings.owner_token.get_secret_value():
        from bot.runtime.parts.owner_page import open_owner_page

        owner = await open_owner_page(
            settings,
            engine.resources.database,
            texts,
            spending,
            names,
            secret=engine.resources.secret,
        )
    server = WebServer(
        [
            *webhooks(engine).routes,
            *operator_routes(engine, take_down).routes,
            *FileLinks(links, engine.artifacts, engine.workspace).routes,
            *VoiceLinks(links, engine.jobs, make_voice_sounds(engine)).routes,
            *shares.routes,
            *(site.routes if site else ()),
            *(metrics.routes if metrics else ()),
            *(owner.routes if owner else ()),
        ],
        engine.resources.listener,
        is_ready=is_ready,
        refuse=ErrorResponses(texts).response_to,
        accepts_compressed=(WEBHOOK_PATH,),
        only_tls=engine.resources.settings.public_url.startswith("https://"),
        # Only half of the allowed open files are for connections. The other half is left for the
        # database, ffmpeg and outgoing requests.
        max_connections=min(MAX_CONNECTIONS, limit() // 2),
        proxies=Proxies(engine.resources.settings.proxies),
    )
    await server.start()
    stack.push_async_callback(server.close)
    if site:
        stack.push_async_callback(site.close)


def webhooks(engine: Engine) -> Webhooks:
    """Return the handler that receives and counts webhooks."""
    return Webhooks(
        engine.webhooks, engine.backend, count=engine.metrics.count_webhook, clock=time.time
    )


def operator_routes(engine: Engine, take_down: TakeDown | None = None) -> OperatorRoutes:
    """Return the handlers of requests that the command line sends to the running bot."""
    return OperatorRoutes(
        engine.jobs,
        engine.access,
        engine.budgeting,
        take_down,
        OperatorKey(engine.resources.secret, clock=time.time),
        clock=engine.resources.clock,
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""


def metrics_page(engine: Engine, *, shows_tables: bool = True) -> MetricsPage | None:
    """Return the page with the metrics, or None if no METRICS_TOKEN is set.

    `shows_tables`: whether to show metrics about the database's contents. If several processes
    share the database, only one of them shows these.
    """
    if not engine.resources.settings.metrics_token.get_secret_value():
        return None
    from bot.runtime.parts.metrics_page import make_metrics_page

    return make_metrics_page(engine, shows_tables=shows_tables)
