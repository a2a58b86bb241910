"""Reads prices and budgets from the settings, and opens the components for costs."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.delivery.spending.picture import SpendingPicture
from bot.errors import StartupError
from bot.jobs.costs.alarms import BudgetAlarms
from bot.jobs.costs.budgeting import Budgeting
from bot.jobs.costs.calendar import Calendar
from bot.jobs.costs.chart.picture import ChartPicture
from bot.jobs.costs.payers import Payers
from bot.jobs.costs.prices import Prices
from bot.jobs.costs.spending import SpendingReports
from bot.presets import ClipLengths, Presets
from bot.runtime.parts.storyboard import STORYBOARD
from storage.ledger.budgets import MICROS, Budgets, LedgerStore, micros
from storage.ledger.notices import BudgetNoticeStore
from storage.ledger.spending import SpendingStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from bot.backends.base import VideoBackend
    from bot.backends.capabilities import Capabilities
    from bot.runtime.resources import Resources
    from bot.settings.fields import Settings
    from bot.texts import Texts
    from storage.database import Database

log = logging.getLogger(__name__)

MISSING_PRICE = "set PRICE_PER_CLIP or PRICE_PER_SECOND to the video service's price, in US dollars"
_MIB = 1024 * 1024


def open_costs(
    resources: Resources, backend: VideoBackend, lengths: ClipLengths
) -> tuple[Budgeting, BudgetAlarms]:
    """Return the component that enforces the budgets, and the one that warns about them.

    Raises StartupError if a budget is set but a price is unknown.
    """
    settings, database = resources.settings, resources.database
    clip = clip_prices(settings, listed=backend.capabilities.second_dollars)
    if missing := missing_price(settings, clip=clip, backend=backend.name):
        raise StartupError(missing)
    prices, clock = prices_of(settings, clip=clip, backend=backend.name), resources.clock
    usual, longest = (prices.of_clip(n) / MICROS for n in (lengths.usual, lengths.longest))
    log.info("costs.price known=%s dollars=%s most=%s", clip is not None, usual, longest)
    alarms = BudgetAlarms(
        LedgerStore(database),
        BudgetNoticeStore(database),
        Calendar(zone_of(settings)),
        price=prices.of_clip(lengths.usual),
        budgets=budgets_of(settings),
        clock=clock,
    )
    budgeting = make_budgeting(settings, database, prices=prices, lengths=lengths, clock=clock)
    return budgeting, alarms


def make_budgeting(
    settings: Settings,
    database: Database,
    *,
    prices: Prices,
    lengths: ClipLengths,
    clock: Callable[[], float],
) -> Budgeting:
    """Return the component that checks orders against the budgets."""
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
        shows_prices=settings.show_prices == "on",
    )


def make_spending_picture(
    settings: Settings,
    database: Database,
    texts: Texts,
    *,
    clock: Callable[[], float],
) -> SpendingPicture:
    """Return the component that reads and draws a month's spending."""
    reports = SpendingReports(
        SpendingStore(database),
        Calendar(zone_of(settings)),
        budgets=budgets_of(settings),
        clock=clock,
    )
    return SpendingPicture(reports, texts, ChartPicture())


def missing_price(settings: Settings, *, clip: Prices | None, backend: str) -> str:
    """Return a sentence about a missing price that a budget needs, or "" if none is missing."""
    if not has_budget(settings):
        return ""
    if clip is None:
        needed = "PRICE_PER_CLIP is missing, and a budget needs the price of a clip"
        return f"{needed}: {MISSING_PRICE}."
    for name, is_missing, subject, service in (
        (
            "PRICE_PER_NARRATION",
            _has_paid_voice(settings) and settings.price_per_narration is None,
            "a text that is read aloud",
            "NARRATION_BASE_URL",
        ),
        (
            "PRICE_PER_PROMPT",
            _has_paid_writer(settings, backend) and settings.price_per_prompt is None,
            "a request to the prompt writer",
            "PROMPT_BASE_URL",
        ),
    ):
        if is_missing:
            return (
                f"{name} is missing, and a budget needs the price of {subject}: set it to the most "
                f"that one can cost in US dollars, or to 0 if the server at {service} charges "
                "nothing."
            )
    return ""


def prices_of(settings: Settings, *, clip: Prices | None, backend: str) -> Prices:
    """Return all prices. `clip`: the prices of clips, or None if they are unknown."""
    voice = settings.price_per_narration if _has_paid_voice(settings) else None
    writer = settings.price_per_prompt if _has_paid_writer(settings, backend) else None
    return replace(clip or Prices(), voice=micros(voice or 0), writer=micros(writer or 0))


def _has_paid_voice(settings: Settings) -> bool:
    return settings.narration_backend == "openai"


def _has_paid_writer(settings: Settings, backend: str) -> bool:
    return settings.prompt_writer == "openai" and backend != STORYBOARD


def clip_prices(settings: Settings, *, listed: float | None) -> Prices | None:
    """Return the highest prices of clips, or None if they are unknown.

    The price that the operator has set takes precedence over `listed`.
    `listed`: the provider's price in US dollars for each second of a clip, or None.
    """
    if settings.price_per_clip is not None:
        return Prices(clip=micros(settings.price_per_clip))
    second = listed if settings.price_per_second is None else settings.price_per_second
    return None if second is None else Prices(second=second * MICROS)


def lengths_of(settings: Settings, capabilities: Capabilities) -> ClipLengths:
    """Return the lengths of clips that may be ordered."""
    return ClipLengths.within(
        settings.video_seconds, settings.video_seconds_max, capabilities.lengths
    )


def presets_of(settings: Settings) -> Presets:
    """Return what each order of a video has in common."""
    return Presets(
        model=settings.model,
        seconds=settings.video_seconds,
        size=settings.video_size,
        max_audio_bytes=settings.max_audio_mb * _MIB,
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
