"""Serves `/metrics` for Prometheus."""

from __future__ import annotations

import hmac
from collections import defaultdict
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from bot.metrics import Metrics
    from storage.jobs.listings import ListingStore
    from storage.jobs.store import JobStore
    from storage.ledger.totals import LedgerSumStore
    from storage.workers.table import WorkerTable


class MetricsPage:
    """Sends the metrics in response to requests that contain the bearer token `token`.

    `workers`: the table of the processes that share the database, or None if there is only one.
    `shows_tables`: whether to send figures from the database. If several processes share the
    database, only one of them sends these figures.
    """

    def __init__(
        self,
        metrics: Metrics,
        store: JobStore,
        listings: ListingStore,
        ledger: LedgerSumStore,
        *,
        token: str,
        workers: WorkerTable | None = None,
        shows_tables: bool = True,
    ) -> None:
        self._metrics = metrics
        self._store = store
        self._listings = listings
        self._ledger = ledger
        self._workers = workers
        self._shows_tables = shows_tables
        self._expected = f"Bearer {token}".encode()

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route of `/metrics`."""
        return [web.get("/metrics", self._show)]

    async def _show(self, request: web.Request) -> web.Response:
        given = request.headers.get(hdrs.AUTHORIZATION, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._expected):
            raise web.HTTPUnauthorized(headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
        body = await self._of_tables() if self._shows_tables else self._metrics.expose({})
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})

    async def _of_tables(self) -> bytes:
        sums = await self._ledger.read()
        self._metrics.set_ledger(sums.totals, sums.by_source)
        if self._workers is not None:
            await self._read_workers(self._workers)
        return self._metrics.expose(await self._store.counts(), await self._listings.orphans())

    async def _read_workers(self, workers: WorkerTable) -> None:
        silences = defaultdict[str, list[float]](list)
        for process in await workers.alive():
            silences[process.kind].append(process.silence)
        self._metrics.set_processes(silences, due=await workers.longest_due())
