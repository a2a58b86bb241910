"""Reports how much a day and a month can cost at most."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.backends import capabilities
from bot.backends.gemini.formats import list_price
from bot.commands.checks.findings import Finding
from bot.runtime.costs import (
    MISSING_PRICE,
    clip_prices,
    has_budget,
    lengths_of,
    missing_price,
    prices_of,
)
from bot.settings.types import MAX_CLIP_SECONDS
from storage.ledger.budgets import MICROS

if TYPE_CHECKING:
    from bot.backends.capabilities import Capabilities
    from bot.jobs.costs.prices import Prices
    from bot.settings.fields import Settings

_SUBJECT = "costs"
_DAYS = 31


def examine_costs(settings: Settings) -> Finding:
    """Report how much clips can cost at most, given the price, the daily limits and the budgets."""
    clip = clip_prices(settings, listed=_listed(settings))
    if clip is None and settings.video_backend == "openrouter":
        found = "OpenRouter's list has the price of a clip; the bot reads it at the start"
        return Finding(subject=_SUBJECT, ok=True, found=found)
    if clip is None:
        return Finding(
            subject=_SUBJECT,
            ok=not has_budget(settings),
            found="the price of a clip is unknown",
            advice=MISSING_PRICE if has_budget(settings) else "set PRICE_PER_CLIP to see costs",
        )
    if missing := missing_price(settings, clip=clip, backend=settings.video_backend):
        return Finding(subject=_SUBJECT, ok=False, found="a price is unknown", advice=missing)
    prices = prices_of(settings, clip=clip, backend=settings.video_backend)
    price = _longest(settings, clip)
    of_clip = f"${price / MICROS:.2f} a clip"
    clips = (price + prices.writer) * settings.max_jobs_per_day
    spoken = prices.voice * settings.max_narrations_per_day
    day = _lower((clips + spoken) / MICROS, settings.budget_day)
    month = _lower(day * _DAYS, settings.budget_month)
    spoken_too = ", including the texts that are read aloud" if spoken else ""
    return Finding(
        subject=_SUBJECT,
        ok=True,
        found=f"at most {of_clip}, ${day:.2f} a day and ${month:.2f} a month{spoken_too}"
        if prices.has_any
        else "clips cost nothing",
    )


def clip_price(settings: Settings) -> float | None:
    """Return the price of the longest clip in US dollars, or None if only a request reveals it."""
    clip = clip_prices(settings, listed=_listed(settings))
    return None if clip is None else _longest(settings, clip) / MICROS


def _longest(settings: Settings, clip: Prices) -> int:
    """Return the price of the longest clip that may be ordered, in micro-dollars."""
    return clip.of_clip(lengths_of(settings, _offered(settings)).longest)


def _listed(settings: Settings) -> float | None:
    match settings.video_backend:
        case "storyboard":
            return 0.0
        case "gemini":
            listed = list_price(model=settings.model or "", size=settings.video_size)
            return listed.second_dollars if listed else None
        case "openai" | "openrouter":
            return None


def _offered(settings: Settings) -> Capabilities:
    """Return the features of the service. OpenRouter's models may offer any length."""
    match settings.video_backend:
        case "openai":
            return replace(capabilities.OPENAI, lengths=settings.clip_lengths)
        case "openrouter":
            return replace(capabilities.OPENROUTER, lengths=tuple(range(1, MAX_CLIP_SECONDS + 1)))
        case name:
            return capabilities.BY_BACKEND[name]


def _lower(amount: float, budget: float | None) -> float:
    return amount if budget is None else min(amount, budget)
