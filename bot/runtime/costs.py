"""Reads prices and budgets from the settings, and opens the ledger."""

from __future__ import annotations

import logging
from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.errors import StartupError
from bot.jobs.costs.alarms import BudgetAlarms
from bot.jobs.costs.budgeting import Budgeting
from bot.jobs.costs.calendar import Calendar
from bot.jobs.costs.payers import Payers
from bot.jobs.costs.prices import ClipPrices
from bot.presets import ClipLengths
from storage.ledger.budgets import Budgets, LedgerStore, micros
from storage.ledger.notices import BudgetNoticeStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from bot.backends.base import VideoBackend
    from bot.backends.capabilities import Capabilities
    from bot.runtime.resources import Resources
    from bot.settings.fields import Settings
    from storage.database import Database

log = logging.getLogger(__name__)

#: The micro-dollars in a US dollar.
MICROS = 1_000_000

MISSING_PRICE = (
    "set PRICE_PER_CLIP, or PRICE_PER_SECOND, to what the video service charges in US dollars"
)


def open_costs(
    resources: Resources, backend: VideoBackend, lengths: ClipLengths
) -> tuple[Budgeting, BudgetAlarms]:
    """Return the component that enforces the budgets, and the one that warns about them.

    Raises StartupError if a budget is set but the price of a clip is unknown.
    """
    settings, database = resources.settings, resources.database
    known = prices_of(settings, listed=backend.capabilities.second_dollars)
    if known is None and has_budget(settings):
        raise StartupError(
            f"PRICE_PER_CLIP is missing, and a budget needs the price of a clip: {MISSING_PRICE}."
        )
    prices, clock = known or ClipPrices(), resources.clock
    usual, longest = (prices.of(n) / MICROS for n in (lengths.usual, lengths.longest))
    log.info("costs.price known=%s dollars=%s most=%s", known is not None, usual, longest)
    alarms = BudgetAlarms(
        LedgerStore(database),
        BudgetNoticeStore(database),
        Calendar(zone_of(settings)),
        price=prices.of(lengths.usual),
        budgets=budgets_of(settings),
        clock=clock,
    )
    return make_budgeting(settings, database, prices, lengths, clock=clock), alarms


def make_budgeting(
    settings: Settings,
    database: Database,
    prices: ClipPrices,
    lengths: ClipLengths,
    *,
    clock: Callable[[], float],
) -> Budgeting:
    """Return the component that checks the prices of orders against the budgets."""
    store = LedgerStore(database)
    return Budgeting(
        store,
        Payers(store),
        Calendar(zone_of(settings)),
        BudgetNoticeStore(database),
        prices=prices,
        lengths=lengths,
        budgets=budgets_of(settings),
        clock=clock,
    )


def prices_of(settings: Settings, *, listed: float | None) -> ClipPrices | None:
    """Return the highest prices of clips, or None if they are unknown.

    The operator's own price takes precedence over `listed`, the provider's price of a second.
    """
    if settings.price_per_clip is not None:
        return ClipPrices(per_clip=micros(settings.price_per_clip))
    second = listed if settings.price_per_second is None else settings.price_per_second
    return None if second is None else ClipPrices(per_second=second * MICROS)


def lengths_of(settings: Settings, capabilities: Capabilities) -> ClipLengths:
    """Return the lengths of clips that may be ordered."""
    return ClipLengths.within(
        settings.video_seconds, settings.video_seconds_max, capabilities.lengths
    )


def budgets_of(settings: Settings) -> Budgets:
    """Return the operator's budgets, in micro-dollars."""
    return Budgets(
        day=_micros(settings.budget_day),
        month=_micros(settings.budget_month),
        per_user_month=_micros(settings.budget_per_user_month),
        per_server_month=_micros(settings.budget_per_server_month),
    )


def has_budget(settings: Settings) -> bool:
    """Tell whether the operator has set any budget."""
    return budgets_of(settings) != Budgets()


def zone_of(settings: Settings) -> tzinfo:
    """Return the operator's time zone, which determines when a day and a month begin."""
    return UTC if settings.timezone == "UTC" else ZoneInfo(settings.timezone)


def _micros(dollars: float | None) -> int | None:
    return None if dollars is None else micros(dollars)
