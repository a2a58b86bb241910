"""Opens the budgeting that the settings describe, and what shows the owner the spending."""

from __future__ import annotations

import logging
from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.delivery.spending.picture import SpendingPicture
from bot.errors import StartupError
from bot.jobs.costs.budgeting import Budgeting
from bot.jobs.costs.calendar import Calendar
from bot.jobs.costs.chart.picture import ChartPicture
from bot.jobs.costs.payers import Payers
from bot.jobs.costs.spending import SpendingReports
from storage.ledger.budgets import Budgets, LedgerStore, micros
from storage.ledger.spending import SpendingStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from bot.backends.base import VideoBackend
    from bot.jobs.costs.spending import Names
    from bot.runtime.resources import Resources
    from bot.settings.fields import Settings
    from bot.texts import Texts
    from storage.database import Database

log = logging.getLogger(__name__)

MISSING_PRICE = (
    "set PRICE_PER_CLIP, or PRICE_PER_SECOND, to what the video service charges in US dollars"
)


def open_budgeting(resources: Resources, backend: VideoBackend) -> Budgeting:
    """Return the budgeting; StartupError: a budget is set, and no price of a clip is known."""
    settings, store = resources.settings, LedgerStore(resources.database)
    price = price_of(settings, listed=backend.capabilities.clip_dollars)
    if price is None and has_budget(settings):
        raise StartupError(
            f"PRICE_PER_CLIP is missing, and a budget needs the price of a clip: {MISSING_PRICE}."
        )
    log.info("costs.price dollars=%s", price)
    return Budgeting(
        store,
        Payers(store),
        Calendar(zone_of(settings)),
        price=micros(price or 0),
        budgets=budgets_of(settings),
        clock=resources.clock,
    )


def make_spending_picture(
    settings: Settings,
    database: Database,
    texts: Texts,
    names: Names,
    *,
    clock: Callable[[], float],
) -> SpendingPicture:
    """Return what reads and draws the spending."""
    reports = SpendingReports(
        SpendingStore(database),
        Calendar(zone_of(settings)),
        budgets=budgets_of(settings),
        clock=clock,
    )
    return SpendingPicture(reports, names, texts, ChartPicture())


def price_of(settings: Settings, *, listed: float | None) -> float | None:
    """Return the most that a clip costs in US dollars, as the operator set it, or as `listed`."""
    if settings.price_per_clip is not None:
        return settings.price_per_clip
    if settings.price_per_second is not None:
        return settings.price_per_second * settings.video_seconds
    return listed


def budgets_of(settings: Settings) -> Budgets:
    """Convert the operator's budgets to micro-dollars."""
    return Budgets(
        day=_micros(settings.budget_day),
        month=_micros(settings.budget_month),
        per_user_month=_micros(settings.budget_per_user_month),
        per_server_month=_micros(settings.budget_per_server_month),
    )


def has_budget(settings: Settings) -> bool:
    """Tell whether the operator has set a budget."""
    return budgets_of(settings) != Budgets()


def zone_of(settings: Settings) -> tzinfo:
    """Return the operator's time zone."""
    return UTC if settings.timezone == "UTC" else ZoneInfo(settings.timezone)


def _micros(dollars: float | None) -> int | None:
    return None if dollars is None else micros(dollars)
