from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.jobs.costs.prices import Prices
from bot.model import JobState, text_attachment
from bot.web.http.server import WebServer, bind
from bot.web.metrics_page import MetricsPage
from bot.web.prometheus import PrometheusMetrics
from storage.jobs.store import Changes
from storage.ledger.budgets import Budgets
from storage.ledger.totals import LedgerSumStore
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import Bench, open_bench

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.clock import Clock

TOKEN = "a-token-for-metrics"


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and the values of its labels."""
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


@pytest.fixture
async def measured(tmp_path: Path, clock: Clock) -> AsyncGenerator[tuple[Bench, PrometheusMetrics]]:
    async with open_bench(tmp_path, clock, backend=FakeBackend(clock)) as bench:
        metrics = PrometheusMetrics()
        bench.bus.subscribe(metrics.on_job_changed)
        yield bench, metrics


async def expose(bench: Bench, metrics: PrometheusMetrics) -> dict[tuple[str, ...], float]:
    return samples(metrics.expose(await bench.store.counts()))


async def test_jobs_are_counted_by_state_and_timed_in_each(
    measured: tuple[Bench, PrometheusMetrics],
) -> None:
    bench, metrics = measured
    job = await bench.submit()
    await bench.submit()
    await bench.step(job.id)
    bench.clock.advance(7)
    await bench.step(job.id)
    bench.backend.finish()
    await bench.run_out(job.id)

    found = await expose(bench, metrics)
    assert found["clapper_jobs", "fake", "succeeded"] == 1
    assert found["clapper_jobs", "fake", "received"] == 1
    assert found["clapper_job_changes_total", "fake", "received"] == 2
    assert found["clapper_job_changes_total", "fake", "succeeded"] == 1
    assert found["clapper_stage_seconds_sum", "fake", "queued"] == 7
    assert found["clapper_stage_seconds_count", "fake", "delivering"] == 1
    assert found["process_resident_memory_bytes",] > 1_000_000


async def test_what_the_provider_charged_is_added_up_once(
    measured: tuple[Bench, PrometheusMetrics],
) -> None:
    bench, metrics = measured
    for cost in (0.25, 0.5):
        job = await bench.submit()
        await bench.step(job.id)
        await bench.step(job.id)
        next(remote for remote in bench.backend.charged.values() if remote.cost is None).cost = cost
        bench.backend.finish()
        await bench.run_out(job.id)

    assert (await expose(bench, metrics))["clapper_cost_dollars_total", "fake"] == 0.75


async def test_calls_webhooks_and_handovers_are_counted(
    measured: tuple[Bench, PrometheusMetrics],
) -> None:
    bench, metrics = measured
    metrics.count_discord_call("PATCH", "/channels/{id}/messages/{id}", 429)
    metrics.count_discord_call("PATCH", "/channels/{id}/messages/{id}", 200)
    metrics.count_webhook("new")
    metrics.count_delivery("link")

    found = await expose(bench, metrics)
    route = "/channels/{id}/messages/{id}"
    assert found["clapper_discord_calls_total", "PATCH", route, "429"] == 1
    assert found["clapper_webhooks_total", "new"] == 1
    assert found["clapper_handovers_total", "link"] == 1


async def test_a_loop_that_was_blocked_shows_until_it_is_read(bench: Bench) -> None:
    times = iter([0.0, 2.5])
    metrics = PrometheusMetrics(now=lambda: next(times, 100.0), interval=0.0)
    watching = asyncio.create_task(metrics.watch_loop())
    for _ in range(5):
        await asyncio.sleep(0)
    watching.cancel()

    assert (await expose(bench, metrics))["clapper_event_loop_lag_seconds",] == 2.5
    assert (await expose(bench, metrics))["clapper_event_loop_lag_seconds",] == 0


async def test_the_last_count_of_orphans_is_told(measured: tuple[Bench, PrometheusMetrics]) -> None:
    bench, metrics = measured
    await bench.listings.record_count("fake", "a former key", 7, is_whole=True, now=1.0)
    await bench.listings.record_count("fake", "this key", 2, is_whole=True, now=2.0)
    exposed = metrics.expose(await bench.store.counts(), await bench.listings.orphans())
    assert samples(exposed)["clapper_orphans", "fake"] == 2


async def test_the_ledgers_sums_are_the_same_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    prices = Prices(clip=800_000, voice=20_000)
    found = list[dict[tuple[str, ...], float]]()
    for is_restart in (False, True):
        async with open_bench(
            tmp_path, clock, prices=prices, budgets=Budgets(per_user_month=9 * prices.clip)
        ) as bench:
            if not is_restart:
                await bench.submit(attachment=text_attachment("A pier"))
                await bench.budgeting.grant(1, 5_000_000, grant_id="a", actor=None)
                for cost in (0.5, None):
                    job = await bench.at(JobState.GENERATING)
                    await bench.jobs.move(job, JobState.DOWNLOADING, Changes(cost=cost))
            metrics, sums = PrometheusMetrics(), await LedgerSumStore(bench.database).read()
            metrics.set_ledger(sums.totals, sums.by_source)
            found.append(samples(metrics.expose({})))
    names = ("clapper_ledger_dollars", "clapper_reported_dollars")
    ledgers = [{key: each[key] for key in each if key[0] in names} for each in found]
    assert ledgers[0] == ledgers[1]
    assert ledgers[0] == {
        ("clapper_ledger_dollars", "reserved", "clip"): pytest.approx(2.4),
        ("clapper_ledger_dollars", "settled", "clip"): pytest.approx(-0.3),
        ("clapper_ledger_dollars", "reserved", "narration"): pytest.approx(0.02),
        ("clapper_ledger_dollars", "granted", "budget"): 5,
        ("clapper_reported_dollars", "fake", "provider"): 0.5,
        ("clapper_reported_dollars", "fake", "ledger"): 0.5,
    }


async def test_only_its_token_reads_it(measured: tuple[Bench, PrometheusMetrics]) -> None:
    bench, metrics = measured
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    page = MetricsPage(
        metrics, bench.store, bench.listings, LedgerSumStore(bench.database), token=TOKEN
    )
    server = WebServer(page.routes, listener, is_ready=lambda: True)
    await server.start()
    async with aiohttp.ClientSession(url) as http:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            async with http.get("/metrics", headers=headers) as response:
                assert response.status == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with http.get("/metrics", headers=headers) as response:
            assert response.status == 200
            assert response.headers["Content-Type"].startswith("text/plain; version=")
            assert ("clapper_event_loop_lag_seconds",) in samples(await response.read())
    await server.close()
