"""Compares the costs that the video service has reported with the costs in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.checks.configuration.costs import clip_price
from bot.commands.checks.findings import Finding, unreadable
from storage.errors import StorageError
from storage.ledger.budgets import MICROS, micros
from storage.snapshot import read_reported_costs

if TYPE_CHECKING:
    from bot.settings.fields import Settings
    from storage.ledger.totals import ReportedCosts

_SUBJECT = "reported costs"


def examine_reported_costs(settings: Settings) -> Finding:
    """Report the sum of the reported costs, and the ledger's sum for the same clips.

    Blocks the thread.
    """
    backend = settings.video_backend
    try:
        costs = read_reported_costs(settings.database, backend)
    except StorageError as error:
        return unreadable(_SUBJECT, error)
    if costs is None:
        found = f"none: {backend} has not reported what a clip costs"
        return Finding(subject=_SUBJECT, ok=True, checked=False, found=found)
    clips = "1 clip" if costs.jobs == 1 else f"{costs.jobs} clips"
    return Finding(
        subject=_SUBJECT,
        ok=costs.recorded >= costs.reported,
        found=f"{_dollars(costs.reported)} by {backend} for {clips}, "
        f"{_dollars(costs.recorded)} in the ledger",
        advice=_advice(costs, clip_price(settings)),
    )


def _advice(costs: ReportedCosts, price: float | None) -> str:
    if costs.recorded < costs.reported:
        return "the ledger is too low: compare it with the bill, and report this"
    if price is not None and costs.highest > micros(price):
        return (
            f"a clip has cost {_dollars(costs.highest)}, more than the price of ${price:.2f}: "
            "raise PRICE_PER_CLIP, unless that was another model. Budgets need the highest price"
        )
    if costs.recorded > costs.reported:
        return "the difference is for create requests without a clear answer, which count in full"
    return ""


def _dollars(amount: int) -> str:
    return f"${amount / MICROS:,.2f}"
