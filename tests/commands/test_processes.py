"""The processes on a database, as `doctor` and `/metrics` show them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.commands.checks.configuration.processes import examine_processes
from bot.model import JobState
from bot.web.http.server import WebServer, bind
from bot.web.metrics_page import MetricsPage
from bot.web.prometheus import PrometheusMetrics
from storage.ledger.totals import LedgerSumStore
from storage.workers.table import WorkerState, WorkerTable
from tests.support.fakes import bench as benches
from tests.support.fakes.bench import open_bench

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock
    from tests.support.postgres import PostgresServer

TOKEN = "the token of the tests"
DESK = WorkerState(id="1", schema=1, digest="a", desk_since=2.0, role="desk", host="one")
STANDBY = replace(DESK, id="2", desk_since=1.0, host="two")
WORKER = replace(DESK, id="3", desk_since=None, role="worker", host="three")


@pytest.fixture
async def on_postgres(
    postgres: PostgresServer, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[Bench, str]]:
    monkeypatch.setattr(benches, "open_database", postgres.open)
    async with open_bench(tmp_path, clock) as bench:
        yield bench, await postgres.url_of(tmp_path)
    await postgres.empty_databases()


def test_a_database_in_a_folder_has_one_process(tmp_path: Path) -> None:
    assert examine_processes(tmp_path).found == "a single process does everything"


async def test_doctor_counts_the_processes_and_says_what_is_missing(
    on_postgres: tuple[Bench, str],
) -> None:
    bench, url = on_postgres
    table = WorkerTable(bench.database, clock=bench.clock)

    async def found(*workers: WorkerState) -> tuple[bool, str, str]:
        await bench.database.rows("DELETE FROM workers", {})
        for worker in workers:
            await table.beat(worker)
        bench.clock.advance(4)
        finding = await asyncio.to_thread(examine_processes, url, clock=bench.clock)
        return finding.ok, finding.found, finding.advice

    assert await found() == (True, "none was seen lately", "")
    everything = replace(DESK, role="all")
    assert await found(everything) == (True, "1 all; longest silence 4 s", "")
    counted = "1 desk, 1 standby, 2 workers; longest silence 4 s"
    assert await found(DESK, STANDBY, WORKER, replace(WORKER, id="4")) == (True, counted, "")
    is_ok, _, advice = await found(WORKER)
    assert (is_ok, advice) == (
        False,
        "no desk speaks to Discord: start one with run --role desk",
    )
    is_ok, _, advice = await found(DESK, STANDBY)
    assert (is_ok, advice) == (False, "no worker makes videos: start one with run --role worker")
    is_ok, _, advice = await found(DESK, WORKER, replace(WORKER, id="4", digest="b", host="four"))
    assert not is_ok
    assert advice.startswith("workers on four claim nothing, because a setting differs")


async def test_metrics_of_the_desk_have_the_processes_and_those_of_others_do_not(
    on_postgres: tuple[Bench, str],
) -> None:
    bench, _ = on_postgres
    table = WorkerTable(bench.database, clock=bench.clock)
    for worker in (DESK, WORKER, replace(WORKER, id="4")):
        await table.beat(worker)
    await bench.at(JobState.DELIVERING)
    bench.clock.advance(3)
    exposed = [await metrics_of(bench, table, shows_tables=shows) for shows in (True, False)]
    expected = {
        'clapper_processes{role="desk"} 1.0',
        'clapper_processes{role="worker"} 2.0',
        'clapper_process_silence_seconds{role="worker"} 3.0',
        "clapper_due_seconds 3.0",
        'clapper_jobs{backend="fake",state="delivering"} 1.0',
    }
    assert expected <= exposed[0]
    assert not expected & exposed[1]


async def metrics_of(bench: Bench, table: WorkerTable, *, shows_tables: bool) -> set[str]:
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    page = MetricsPage(
        PrometheusMetrics(),
        bench.store,
        bench.listings,
        LedgerSumStore(bench.database),
        token=TOKEN,
        workers=table,
        shows_tables=shows_tables,
    )
    server = WebServer(page.routes, listener, is_ready=lambda: True)
    await server.start()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(url) as http, http.get("/metrics", headers=headers) as answer:
        text = await answer.text()
    await server.close()
    return set(text.splitlines())
