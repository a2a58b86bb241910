"""Serves `/metrics` for Prometheus."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from bot.metrics import Metrics
    from storage.jobs.listings import ListingStore
    from storage.jobs.store import JobStore
    from storage.ledger.totals import LedgerSumStore


class MetricsPage:
    """Sends the metrics in response to requests that contain the bearer token `token`."""

    def __init__(
        self,
        metrics: Metrics,
        store: JobStore,
        listings: ListingStore,
        ledger: LedgerSumStore,
        *,
        token: str,
    ) -> None:
        self._metrics = metrics
        self._store = store
        self._listings = listings
        self._ledger = ledger
        self._expected = f"Bearer {token}".encode()

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route of `/metrics`."""
        return [web.get("/metrics", self._show)]

    async def _show(self, request: web.Request) -> web.Response:
        given = request.headers.get(hdrs.AUTHORIZATION, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._expected):
            raise web.HTTPUnauthorized(headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
        sums = await self._ledger.read()
        self._metrics.set_ledger(sums.totals, sums.by_source)
        body = self._metrics.expose(await self._store.counts(), await self._listings.orphans())
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})
