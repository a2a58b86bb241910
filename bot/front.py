"""Puts together what API clients meet: the settings of it end here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.links import derive_key
from bot.web.identities import Identities
from bot.web.site import Site

if TYPE_CHECKING:
    from bot.clients import ClientJobs
    from bot.core import Core
    from bot.events import JobFeed
    from bot.links import Links
    from bot.media.posters import Posters
    from bot.texts import Texts

_MIB = 1024 * 1024


def make_site(  # noqa: PLR0913 - the composition root names each
    core: Core,
    *,
    clients: ClientJobs,
    feed: JobFeed,
    texts: Texts,
    links: Links,
    posters: Posters,
) -> Site | None:
    """Return the API with its page; None: the operator has given nobody a token."""
    settings = core.settings
    if not settings.api_tokens:
        return None
    identities = Identities(
        settings.api_tokens,
        key=derive_key(core.secret, "sessions"),
        public_url=settings.public_url,
        clock=time.time,
    )
    return Site(
        clients=clients,
        feed=feed,
        identities=identities,
        texts=texts,
        links=links,
        posters=posters,
        max_audio_bytes=settings.max_audio_mb * _MIB,
        clock=time.monotonic,
    )
