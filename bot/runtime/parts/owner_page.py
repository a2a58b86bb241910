"""Opens the owner's page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.errors import StartupError
from bot.links import derive_key
from bot.settings.types import OWNER_CLIENT
from bot.web.api.access import Access
from bot.web.api.authentication import Authentication
from bot.web.http.caller_address import Proxies
from bot.web.http.error_response import ErrorResponses
from bot.web.pages.owner import OwnerPage
from storage.sessions import SessionStore

if TYPE_CHECKING:
    from bot.delivery.spending.picture import SpendingPicture
    from bot.jobs.costs.spending import Names
    from bot.settings.fields import Settings
    from bot.texts import Texts
    from storage.database import Database

_COOKIE = "clapper_owner"


async def open_owner_page(
    settings: Settings,
    database: Database,
    texts: Texts,
    picture: SpendingPicture,
    names: Names,
    *,
    secret: bytes,
) -> OwnerPage:
    """Return the owner's page for the token in OWNER_TOKEN.

    Raises StartupError if OWNER_TOKEN has the same value as another token.
    """
    token = settings.owner_token.get_secret_value()
    _check_own(settings, token)
    proxies = Proxies(settings.proxies)
    authentication = Authentication(
        {OWNER_CLIENT: token},
        SessionStore(database),
        key=derive_key(secret, "owner sessions"),
        public_url=settings.public_url,
        proxies=proxies,
        clock=time.time,
        cookie=_COOKIE,
    )
    await authentication.sessions.load()
    access = Access(authentication, ErrorResponses(texts), proxies=proxies, clock=time.monotonic)
    return OwnerPage(authentication, access, picture, names, texts)


def _check_own(settings: Settings, token: str) -> None:
    others = (*settings.api_tokens.values(), settings.metrics_token.get_secret_value())
    if token in others:
        raise StartupError(
            "OWNER_TOKEN is also in API_TOKEN or METRICS_TOKEN, whose holders could then see the "
            "spending: set it to another token."
        )
