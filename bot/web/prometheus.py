"""Collects counters and timings for Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from bot.metrics import Metrics
from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.model import JobChanged

_MAX_TIMED = 10_000
_MICROS = 1_000_000
_LAG_SECONDS = 0.5
_STAGES = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
# In these states, which follow `generating`, the cost of a job no longer changes.
_PRICED = frozenset({JobState.DOWNLOADING, JobState.FAILED, JobState.CANCELLED})


class PrometheusMetrics(Metrics):
    """Collects the metrics of the process.

    `on_job_changed` must be subscribed to the event bus. `now` is a monotonic clock. `interval` is
    the time between measurements of the event loop's lag, in seconds.
    """

    def __init__(
        self, *, now: Callable[[], float] = time.monotonic, interval: float = _LAG_SECONDS
    ) -> None:
        self._now = now
        self._interval = interval
        self._longest_lag = 0.0
        self._entered: OrderedDict[str, float] = OrderedDict()
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._jobs = Gauge(
            "clapper_jobs", "Jobs in the database", ("state", "backend"), registry=registry
        )
        self._orphans = Gauge(
            "clapper_orphans",
            "Jobs in the provider's list that the bot has no record of",
            ("backend",),
            registry=registry,
        )
        self._changes = Counter(
            "clapper_job_changes",
            "State changes of jobs, by new state",
            ("state", "backend"),
            registry=registry,
        )
        self._stages = Histogram(
            "clapper_stage_seconds",
            "Seconds that jobs spent in a state",
            ("state", "backend"),
            buckets=_STAGES,
            registry=registry,
        )
        self._cost = Counter(
            "clapper_cost_dollars",
            "Costs that providers reported",
            ("backend",),
            registry=registry,
        )
        self._ledger = Gauge(
            "clapper_ledger_dollars",
            "Sums of the ledger's entries since the ledger began",
            ("subject", "kind"),
            registry=registry,
        )
        self._reported = Gauge(
            "clapper_reported_dollars",
            "Costs of the jobs whose cost the provider reported, by who states it",
            ("backend", "source"),
            registry=registry,
        )
        self._webhooks = Counter(
            "clapper_webhooks", "Webhooks received", ("result",), registry=registry
        )
        self._calls = Counter(
            "clapper_discord_calls",
            "Requests to Discord",
            ("method", "route", "status"),
            registry=registry,
        )
        self._handovers = Counter(
            "clapper_handovers",
            "Deliveries of videos, by outcome",
            ("way",),
            registry=registry,
        )
        self._answers = Counter(
            "clapper_order_answers",
            "Orders in Discord, by how they were answered",
            ("way",),
            registry=registry,
        )
        self._skipped = Counter(
            "clapper_gateway_skipped",
            "Events of Discord's gateway that could not be read",
            ("event",),
            registry=registry,
        )
        self._part_failures = Counter(
            "clapper_part_failures",
            "Unexpected errors that restarted a part of the bot",
            ("part",),
            registry=registry,
        )
        self._refused_orders = Counter(
            "clapper_refused_orders",
            "Orders that were refused because of their place or requester",
            ("reason",),
            registry=registry,
        )
        self._processes = Gauge(
            "clapper_processes",
            "Processes on the database that were seen lately",
            ("role",),
            registry=registry,
        )
        self._silence = Gauge(
            "clapper_process_silence_seconds",
            "Longest time since the last beat of a process",
            ("role",),
            registry=registry,
        )
        self._due = Gauge(
            "clapper_due_seconds",
            "Seconds for which the step that waits longest has been due",
            registry=registry,
        )
        self._lag = Gauge(
            "clapper_event_loop_lag_seconds",
            "Longest delay of the event loop since the last scrape",
            registry=registry,
        )

    def on_job_changed(self, event: JobChanged) -> None:
        """Count a job's new state, and record how long the job was in the previous state."""
        job = event.job
        if job.state is event.previous:
            return
        self._changes.labels(job.state, job.backend).inc()
        entered = self._entered.pop(job.id, None)
        if entered is not None and event.previous is not None:
            seconds = max(0.0, job.updated_at - entered)
            self._stages.labels(event.previous, job.backend).observe(seconds)
        if not job.state.is_final:
            self._entered[job.id] = job.updated_at
            if len(self._entered) > _MAX_TIMED:
                self._entered.popitem(last=False)
        if event.previous is JobState.GENERATING and job.state in _PRICED and job.cost:
            self._cost.labels(job.backend).inc(job.cost)

    def count_webhook(self, result: str) -> None:
        """Count a webhook. `result` is "new", "repeated", "refused" or "other"."""
        self._webhooks.labels(result).inc()

    def count_discord_call(self, method: str, route: str, status: int | str) -> None:
        """Count a request to Discord. `route` is a path in which ids are replaced."""
        self._calls.labels(method, route, str(status)).inc()

    def count_delivery(self, way: str) -> None:
        """Count a delivery. `way` is "upload", "link" or "held"."""
        self._handovers.labels(way).inc()

    def count_answer(self, way: str) -> None:
        """Count an order in Discord.

        `way` says when the response was sent. `stored`: after the job was stored. `unsaved`: before
        it was stored. `too_late`: never, because Discord no longer accepted a response.
        """
        self._answers.labels(way).inc()

    def count_skipped_event(self, event: str) -> None:
        """Count a gateway event that discord.py could not parse."""
        self._skipped.labels(event).inc()

    def count_part_failure(self, part: str) -> None:
        """Count a failure of a component. The component is then restarted."""
        self._part_failures.labels(part).inc()

    def count_refused_order(self, reason: str) -> None:
        """Count an order that was refused because of its place or its requester."""
        self._refused_orders.labels(reason).inc()

    def set_ledger(
        self, totals: Mapping[tuple[str, str], int], reported: Mapping[tuple[str, str], int]
    ) -> None:
        """Set the sums of the ledger in micro-dollars. They survive a restart.

        `totals`: the sums of the entries, by their subject and kind.
        `reported`: the sums of the reported costs, by backend and source.
        """
        for gauge, sums in ((self._ledger, totals), (self._reported, reported)):
            for labels, amount in sums.items():
                gauge.labels(*labels).set(amount / _MICROS)

    def set_processes(self, silences: Mapping[str, Sequence[float]], *, due: float) -> None:
        """Set the metrics of the processes that share the database.

        `silences`: the seconds since the last beat of each process, by role.
        `due`: the number of seconds since the oldest waiting step became due.
        """
        self._processes.clear()
        self._silence.clear()
        for role, seconds in silences.items():
            self._processes.labels(role).set(len(seconds))
            self._silence.labels(role).set(max(seconds))
        self._due.set(due)

    def expose(
        self, jobs: Mapping[tuple[str, str], int], orphans: Mapping[str, int] | None = None
    ) -> bytes:
        """Return all metrics in Prometheus's text format.

        `jobs`: the number of jobs, by state and backend.
        `orphans`: the number of orphaned jobs, by backend.
        """
        self._orphans.clear()
        for backend, count in (orphans or {}).items():
            self._orphans.labels(backend).set(count)
        self._jobs.clear()
        for (state, backend), count in jobs.items():
            self._jobs.labels(state, backend).set(count)
        self._lag.set(self._longest_lag)
        self._longest_lag = 0.0
        return generate_latest(self._registry)

    async def watch_loop(self) -> None:
        """Measure the lag of the event loop. Runs until cancelled."""
        while True:
            due = self._now() + self._interval
            await asyncio.sleep(self._interval)
            self._longest_lag = max(self._longest_lag, self._now() - due)
