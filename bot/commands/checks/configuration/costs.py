"""Reports how much a day and a month can cost at most."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.backends import capabilities
from bot.backends.gemini.formats import list_price
from bot.commands.checks.findings import Finding
from bot.runtime.costs import MICROS, MISSING_PRICE, has_budget, lengths_of, prices_of
from bot.settings.types import MAX_CLIP_SECONDS

if TYPE_CHECKING:
    from bot.backends.capabilities import Capabilities
    from bot.settings.fields import Settings

_SUBJECT = "costs"
_DAYS = 31


def examine_costs(settings: Settings) -> Finding:
    """Report how much clips can cost at most, given the price, the daily limits and the budgets."""
    prices = prices_of(settings, listed=_listed(settings))
    if prices is None and settings.video_backend == "openrouter":
        found = "OpenRouter's list has the price of a clip; the bot reads it at the start"
        return Finding(subject=_SUBJECT, ok=True, found=found)
    if prices is None:
        return Finding(
            subject=_SUBJECT,
            ok=not has_budget(settings),
            found="the price of a clip is unknown",
            advice=MISSING_PRICE if has_budget(settings) else "set PRICE_PER_CLIP to see costs",
        )
    price = prices.of(lengths_of(settings, _offered(settings)).longest) / MICROS
    day = _lower(price * settings.max_jobs_per_day, settings.budget_day)
    month = _lower(day * _DAYS, settings.budget_month)
    return Finding(
        subject=_SUBJECT,
        ok=True,
        found=f"at most ${day:.2f} a day and ${month:.2f} a month for clips of ${price:.2f}"
        if price
        else "clips cost nothing",
    )


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
