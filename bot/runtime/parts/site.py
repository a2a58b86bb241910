"""Opens the API and its web page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.links import derive_key
from bot.web.api.authentication import Authentication
from bot.web.http.caller_address import Proxies
from bot.web.site import Site
from storage.sessions import SessionStore

if TYPE_CHECKING:
    from bot.library.retention import Retention
    from bot.links import Links
    from bot.media.render.poster_cache import PosterCache
    from bot.runtime.engine import Engine
    from bot.speech.narrator import Narrator
    from bot.texts import Texts

_MIB = 1024 * 1024


async def open_site(
    engine: Engine,
    texts: Texts,
    *,
    links: Links,
    poster_cache: PosterCache,
    narrator: Narrator | None,
    retention: Retention,
) -> Site:
    """Return the API and its web page for the tokens in API_TOKEN."""
    settings = engine.resources.settings
    authentication = Authentication(
        settings.api_tokens,
        SessionStore(engine.resources.database),
        key=derive_key(engine.resources.secret, "sessions"),
        public_url=settings.public_url,
        proxies=Proxies(settings.proxies),
        clock=time.time,
    )
    await authentication.sessions.load()
    return Site(
        clients=engine.clients,
        feed=engine.feed,
        authentication=authentication,
        texts=texts,
        links=links,
        poster_cache=poster_cache,
        retention=retention,
        narrator=narrator,
        max_audio_bytes=settings.max_audio_mb * _MIB,
        proxies=Proxies(settings.proxies),
        clock=time.monotonic,
    )
