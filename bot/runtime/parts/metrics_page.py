"""Builds the page with the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.web.metrics_page import MetricsPage
from storage.jobs.listings import ListingStore
from storage.ledger.totals import LedgerSumStore
from storage.workers.table import WorkerTable

if TYPE_CHECKING:
    from bot.runtime.engine import Engine


def make_metrics_page(engine: Engine, *, shows_tables: bool) -> MetricsPage:
    """Return the page for the token in METRICS_TOKEN. `metrics_page` explains the parameters."""
    database = engine.resources.database
    return MetricsPage(
        engine.metrics,
        engine.store,
        ListingStore(database),
        LedgerSumStore(database),
        token=engine.resources.settings.metrics_token.get_secret_value(),
        workers=WorkerTable(database, clock=database.wall) if engine.heartbeat else None,
        shows_tables=shows_tables,
    )
