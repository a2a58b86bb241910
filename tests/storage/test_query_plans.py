"""No statement that a job causes reads a whole table, however many jobs there are."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from bot.model import JobState
from storage.jobs.caps import Caps
from storage.jobs.queue_outlook import QueueOutlook
from storage.postgres import database
from storage.postgres.opening import SESSION
from storage.postgres.statements import for_postgres
from storage.workers.leases import Lease
from tests.support.fakes import bench as benches
from tests.support.fakes.bench import ALL_STATES, CAPS, Bench, open_bench
from tests.support.fakes.orders import origin
from tests.support.many_jobs import insert_many_jobs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    import pytest

    from tests.support.fakes.clock import Clock
    from tests.support.postgres import PostgresServer

TABLES = (
    "jobs",
    "person_turns",
    "job_events",
    "inbox",
    "artifacts",
    "other",
    "due",
    "answered",
    "listings",
)
SCAN = re.compile(rf"^SCAN ({'|'.join(TABLES)})\b")
BOUNDED = {
    # A count that ends at the cap on open jobs.
    "SCAN jobs USING COVERING INDEX jobs_open",
    # A sum over the servers with queued jobs.
    "SCAN other USING INDEX server_turns_waiting",
}
NO_CAPS = Caps(open_per_user=10**6, open_in_all=10**6, per_day=10**6)
# It begins with the server that is next, and ends at the first with a due job.
IN_TURN = "SCAN server_turns USING INDEX server_turns_waiting"


@asynccontextmanager
async def recorded(bench: Bench) -> AsyncGenerator[set[str]]:
    """Collect the statements that the bench runs, with their values."""
    statements: set[str] = set()
    connection = bench.database._statements._connection  # noqa: SLF001 - SQLite's own trace
    await connection.set_trace_callback(statements.add)
    yield statements
    await connection.set_trace_callback(None)  # pyright: ignore[reportArgumentType] - ends it


async def plan_of(bench: Bench, statement: str) -> list[str]:
    rows = await bench.database.rows(f"EXPLAIN QUERY PLAN {statement}", {})
    return [row["detail"] for row in rows]


async def run_jobs(bench: Bench) -> None:
    """Run the statements of commands, cards, claims, webhooks and lists."""
    await bench.at(JobState.SUCCEEDED)
    await bench.at(JobState.UNDECIDED)
    job = await bench.at(JobState.GENERATING)
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id=job.remote_id or "")
    await bench.webhooks.receive(backend="fake", webhook_id="wh_2", remote_id="another")
    queued = await bench.at(JobState.QUEUED)
    await QueueOutlook(bench.database).of(queued)
    await QueueOutlook(bench.database).overview(queued.origin.user_id)
    await bench.cap_store.usage(origin(), CAPS, now=bench.clock())
    await bench.queue.claim(ALL_STATES, running=["x"], limit=4)
    await bench.queue.seconds_until_due(ALL_STATES, running=["x"])
    await bench.jobs.cancel(queued.id)
    for _ in range(4):
        await bench.at(JobState.GENERATING)
    await bench.list_polling.step()
    bench.backend.finish()
    await bench.list_polling.step()


async def test_no_statement_that_a_job_causes_scans_a_table(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, caps=NO_CAPS) as bench:
        await insert_many_jobs(bench.database, now=clock())
        async with recorded(bench) as statements:
            await run_jobs(bench)
        await assert_no_scan(bench, statements)


async def test_no_statement_that_a_job_causes_is_compiled_twice(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, caps=NO_CAPS) as bench:
        async with recorded(bench) as first:
            await run_jobs(bench)
        compiled: list[str | None] = []
        connection = bench.database._statements._connection  # noqa: SLF001 - SQLite's own hook

        def allow(_: int, name: str | None, *__: str | None) -> int:
            compiled.append(name)
            return sqlite3.SQLITE_OK

        await connection.set_authorizer(allow)  # SQLite calls it while it compiles a statement
        await run_jobs(bench)
        assert compiled, "all statements are compiled anew for the authorizer"
        compiled.clear()
        clock.advance(1)
        await run_jobs(bench)
        assert compiled == [], f"{len(first)} statements ran"


async def assert_no_scan(bench: Bench, statements: set[str]) -> None:
    wide = {
        (detail, " ".join(statement.split())[:200])
        for statement in statements
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "WITH"))
        for detail in await plan_of(bench, statement)
        if SCAN.match(detail) and detail not in BOUNDED
    }
    assert wide == set(), "\n".join(map(str, sorted(wide)))
    assert len(statements) > 20


async def test_no_statement_that_a_job_causes_scans_jobs_on_postgres(
    tmp_path: Path, clock: Clock, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: dict[str, Sequence[object]] = {}

    def record(sql: str, params: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
        query, values = for_postgres(sql, params)
        statements.setdefault(query, values)
        return query, values

    monkeypatch.setattr(benches, "open_database", postgres.open)
    lease = Lease(worker="first", clock=clock)
    async with open_bench(tmp_path, clock, caps=NO_CAPS, lease=lease) as bench:
        await insert_many_jobs(bench.database, now=clock())
        # PostgreSQL does so by itself from time to time.
        await bench.database.rows("VACUUM ANALYZE", {})
        monkeypatch.setattr(database, "for_postgres", record)
        await run_jobs(bench)
        monkeypatch.undo()
        connection = await asyncpg.connect(
            await postgres.url_of(tmp_path), timeout=10, server_settings=SESSION
        )
        scans = {
            query
            for query, values in statements.items()
            if await scans_jobs(connection, query, values)
        }
        await connection.close()
    await postgres.empty_databases()
    assert scans == set()
    assert len(statements) > 20


async def scans_jobs(connection: asyncpg.Executor, query: str, values: Sequence[object]) -> bool:
    """Tell whether PostgreSQL reads all jobs or all of their events for a statement."""
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *values)
    nodes = [json.loads(plan)[0]["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", [])
    return any(
        node["Node Type"] == "Seq Scan" and node["Relation Name"] in {"jobs", "job_events"}
        for node in nodes
    )


async def test_a_claim_and_the_next_due_time_are_found_by_the_index_of_due_jobs(
    bench: Bench,
) -> None:
    unqueued = [state for state in ALL_STATES if state is not JobState.QUEUED]
    async with recorded(bench) as statements:
        await bench.queue.claim(unqueued, running=(), limit=4)
        await bench.queue.seconds_until_due(unqueued, running=())
    claim, due = sorted(statements, reverse=True)
    for statement in (claim, due):
        plan = await plan_of(bench, statement)
        assert any("USING INDEX jobs_due (state=? AND next_at" in each for each in plan), plan
    assert not any("TEMP B-TREE" in detail for detail in await plan_of(bench, due))


async def test_a_page_of_the_list_searches_each_of_its_jobs_by_id(bench: Bench) -> None:
    for _ in range(4):
        await bench.at(JobState.GENERATING)
    async with recorded(bench) as statements:
        await bench.list_polling.step()
        bench.backend.finish()
        await bench.list_polling.step()
    pages = [each for each in statements if "json_each" in each]
    assert len(pages) == 3
    for statement in pages:
        plan = await plan_of(bench, statement)
        assert "SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)" in plan, plan
    [opened] = [each for each in statements if "remote_made_at, progress" in each]
    assert await plan_of(bench, opened) == ["SEARCH jobs USING INDEX jobs_due (state=?)"]


async def test_a_queued_job_is_claimed_by_the_indices_of_turns(bench: Bench) -> None:
    async with recorded(bench) as statements:
        await bench.queue.claim([JobState.QUEUED], running=("x",), limit=1)
        await bench.queue.seconds_until_due([JobState.QUEUED], running=("x",))
    plans = [await plan_of(bench, statement) for statement in statements]
    claim = next(plan for plan in plans if IN_TURN in plan)
    assert "SEARCH person_turns USING INDEX person_turns_waiting (server=?)" in claim
    assert any(
        "jobs_queued (queue_server=? AND queue_person=? AND next_at" in each for each in claim
    )
    # Only the few servers and people whose jobs are claimed, but not started, are sorted.
    assert claim.count("USE TEMP B-TREE FOR ORDER BY") == 2
    [due] = [
        await plan_of(bench, each)
        for each in statements
        if "FROM held" in each and "UPDATE" not in each
    ]
    assert any("USING INDEX jobs_due (state=? AND next_at" in each for each in due)
    assert not any("TEMP B-TREE" in each for each in due)
