"""Everything that there is for API clients, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.web.api.access import Doors
from bot.web.api.narrate import Narrations
from bot.web.api.order_body import Bodies
from bot.web.api.routes import Api
from bot.web.api.sessions import Sessions
from bot.web.api.websocket import Live
from bot.web.http.error_response import Refusals
from bot.web.pages.home import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from bot.api_clients.client_jobs import ClientJobs
    from bot.events import JobFeed
    from bot.links import Links
    from bot.media.render.poster_cache import Posters
    from bot.speech.narrator import Narrator
    from bot.texts import Texts
    from bot.web.api.authentication import Identities
    from bot.web.http.client_address import Proxies


class Site:
    """The API, its sessions, its WebSocket and its page; `clock` is monotonic."""

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        *,
        clients: ClientJobs,
        feed: JobFeed,
        identities: Identities,
        texts: Texts,
        links: Links,
        posters: Posters,
        narrator: Narrator | None,
        max_audio_bytes: int,
        proxies: Proxies,
        clock: Callable[[], float],
    ) -> None:
        doors = Doors(identities, Refusals(texts), proxies=proxies, clock=clock)
        bodies = Bodies(clients, max_audio_bytes=max_audio_bytes)
        self._api = Api(clients, bodies, doors, texts, links=links, posters=posters)
        self._narrations = Narrations(narrator, doors)
        self._page = Page(
            texts,
            max_audio_bytes=max_audio_bytes,
            sharing=links.possible,
            speaking=narrator is not None,
        )
        self._sessions = Sessions(identities, doors)
        self._live = Live(
            clients=clients, feed=feed, identities=identities, doors=doors, texts=texts
        )

    @property
    def routes(self) -> list[web.RouteDef]:
        """Where all of it is."""
        return [
            *self._api.routes,
            *self._narrations.routes,
            *self._sessions.routes,
            *self._live.routes,
            *self._page.routes,
        ]

    async def close(self) -> None:
        """End what is open by itself."""
        await self._live.close()
