"""Assembles the routes for API clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.web.api.access import Access
from bot.web.api.narrate import NarrateRoutes
from bot.web.api.order_body import OrderReader
from bot.web.api.routes import ApiRoutes
from bot.web.api.sessions import SessionRoutes
from bot.web.api.websocket import JobSocket
from bot.web.http.error_response import ErrorResponses
from bot.web.pages.home import HomePage

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from bot.api_clients.client_jobs import ClientJobs
    from bot.events import JobFeed
    from bot.library.retention import Retention
    from bot.links import Links
    from bot.media.render.poster_cache import PosterCache
    from bot.speech.narrator import Narrator
    from bot.texts import Texts
    from bot.web.api.authentication import Authentication
    from bot.web.http.caller_address import Proxies


class Site:
    """Assembles the API, its sessions, its WebSocket and its web page.

    `clock`: a monotonic clock, used for rate limits.
    """

    def __init__(
        self,
        *,
        clients: ClientJobs,
        feed: JobFeed,
        authentication: Authentication,
        texts: Texts,
        links: Links,
        poster_cache: PosterCache,
        retention: Retention,
        narrator: Narrator | None,
        max_audio_bytes: int,
        proxies: Proxies,
        clock: Callable[[], float],
    ) -> None:
        access = Access(authentication, ErrorResponses(texts), proxies=proxies, clock=clock)
        order_reader = OrderReader(clients, max_audio_bytes=max_audio_bytes)
        self._api = ApiRoutes(
            clients,
            order_reader,
            access,
            texts,
            links=links,
            poster_cache=poster_cache,
            retention=retention,
            feed=feed,
        )
        self._narrations = NarrateRoutes(narrator, access)
        self._page = HomePage(
            texts,
            max_audio_bytes=max_audio_bytes,
            sharing=links.enabled,
            speaking=narrator is not None,
        )
        self._socket = JobSocket(
            clients=clients, feed=feed, authentication=authentication, access=access, texts=texts
        )
        self._sessions = SessionRoutes(authentication, access, on_end=self._socket.end)

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes of the API, its sessions, its WebSocket and its web page."""
        return [
            *self._api.routes,
            *self._narrations.routes,
            *self._sessions.routes,
            *self._socket.routes,
            *self._page.routes,
        ]

    async def close(self) -> None:
        """Close the WebSockets, which would otherwise stay open."""
        await self._socket.close()
