"""Reports how much a day and a month can cost at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.backends.gemini.formats import list_price
from bot.commands.checks.findings import Finding
from bot.runtime.costs import MISSING_PRICE, has_budget, missing_price, price_of, prices_of
from storage.ledger.budgets import MICROS

if TYPE_CHECKING:
    from bot.settings.fields import Settings

_SUBJECT = "costs"
_DAYS = 31


def examine_costs(settings: Settings) -> Finding:
    """Report how much clips can cost at most, given the price, the daily limits and the budgets."""
    price = clip_price(settings)
    if price is None and settings.video_backend == "openrouter":
        found = "OpenRouter's list has the price of a clip; the bot reads it at the start"
        return Finding(subject=_SUBJECT, ok=True, found=found)
    if price is None:
        return Finding(
            subject=_SUBJECT,
            ok=not has_budget(settings),
            found="the price of a clip is unknown",
            advice=MISSING_PRICE if has_budget(settings) else "set PRICE_PER_CLIP to see costs",
        )
    if missing := missing_price(settings, clip=price, backend=settings.video_backend):
        return Finding(subject=_SUBJECT, ok=False, found="a price is unknown", advice=missing)
    prices = prices_of(settings, clip=price, backend=settings.video_backend)
    clips = (prices.clip + prices.writer) * settings.max_jobs_per_day
    spoken = prices.voice * settings.max_narrations_per_day
    day = _lower((clips + spoken) / MICROS, settings.budget_day)
    month = _lower(day * _DAYS, settings.budget_month)
    spoken_too = ", with the texts that are read aloud" if spoken else ""
    return Finding(
        subject=_SUBJECT,
        ok=True,
        found=f"at most ${day:.2f} a day and ${month:.2f} a month for clips of ${price:.2f}"
        f"{spoken_too}"
        if prices.has_any
        else "clips cost nothing",
    )


def clip_price(settings: Settings) -> float | None:
    """Return the price of a clip in US dollars, or None if it is unknown without a request."""
    return price_of(settings, listed=_listed(settings))


def _listed(settings: Settings) -> float | None:
    match settings.video_backend:
        case "storyboard":
            return 0.0
        case "gemini":
            seconds, size = settings.video_seconds, settings.video_size
            listed = list_price(model=settings.model or "", seconds=seconds, size=size)
            return listed.dollars if listed else None
        case "openai" | "openrouter":
            return None


def _lower(amount: float, budget: float | None) -> float:
    return amount if budget is None else min(amount, budget)
