"""Assembles what shows the bot's owner the spending."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.delivery.spending.picture import SpendingPicture
from bot.errors import StartupError
from bot.jobs.costs.calendar import Calendar
from bot.jobs.costs.chart.picture import ChartPicture
from bot.jobs.costs.spending import SpendingReports
from bot.links import derive_key
from bot.runtime.costs import budgets_of, zone_of
from bot.web.api.access import Access
from bot.web.api.authentication import Authentication
from bot.web.http.caller_address import Proxies
from bot.web.http.error_response import ErrorResponses
from bot.web.pages.owner import OWNER, OwnerPage
from storage.ledger.spending import SpendingStore
from storage.sessions import SessionStore

if TYPE_CHECKING:
    from bot.jobs.costs.spending import Names
    from bot.runtime.resources import Resources
    from bot.settings.fields import Settings
    from bot.texts import Texts

_COOKIE = "clapper_owner"


def make_spending_picture(resources: Resources, texts: Texts, names: Names) -> SpendingPicture:
    """Return what reads and draws the spending."""
    reports = SpendingReports(
        SpendingStore(resources.database),
        Calendar(zone_of(resources.settings)),
        budgets=budgets_of(resources.settings),
        clock=resources.clock,
    )
    return SpendingPicture(reports, names, texts, ChartPicture())


async def open_owner_page(
    resources: Resources, texts: Texts, picture: SpendingPicture
) -> OwnerPage | None:
    """Return the page, or None if no OWNER_TOKEN is set; StartupError: it is another token too."""
    settings = resources.settings
    token = settings.owner_token.get_secret_value()
    if not token:
        return None
    _check_own(settings, token)
    proxies = Proxies(settings.proxies)
    authentication = Authentication(
        {OWNER: token},
        SessionStore(resources.database),
        key=derive_key(resources.secret, "owner sessions"),
        public_url=settings.public_url,
        proxies=proxies,
        clock=time.time,
        cookie=_COOKIE,
    )
    await authentication.sessions.load()
    access = Access(authentication, ErrorResponses(texts), proxies=proxies, clock=time.monotonic)
    return OwnerPage(authentication, access, picture, texts)


def _check_own(settings: Settings, token: str) -> None:
    others = (*settings.api_tokens.values(), settings.metrics_token.get_secret_value())
    if token in others:
        raise StartupError(
            "OWNER_TOKEN is also in API_TOKEN or METRICS_TOKEN, whose holders could then see the "
            "spending: set it to another token."
        )
