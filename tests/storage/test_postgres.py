"""Behaviour of PostgreSQL alone: several connections, lost ones, and the schema."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

import storage
from bot.errors import StartupError, UserError
from bot.model import JobState
from storage.database import open_database
from storage.errors import NotUniqueError, StorageError
from storage.files.data_folder import DataInUseError
from storage.jobs.caps import Caps
from storage.jobs.client_jobs import ClientJobStore
from storage.ledger.budgets import Budgets
from storage.postgres import schema
from storage.postgres.database import LOCK_COUNTS
from storage.postgres.opening import connect, open_postgres
from storage.postgres.process_lock import ProcessLock
from storage.snapshot import count_delivering, list_jobs, read_second_bot
from storage.sqlite import opening
from tests.support.fakes import bench as benches
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.orders import REQUEST, origin
from tests.support.statements import statements

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from tests.support.fakes.clock import Clock
    from tests.support.postgres import PostgresServer

NOTHING: Mapping[str, object] = {}
NAME = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")
CALLERS = 12
ROUNDS = 50
WEBHOOK = "INSERT INTO inbox VALUES ('b', :id, 'r', 1)"
MICROS = 1_000_000
JOB_ID = "0123456789abcdef" * 2


@pytest.fixture
async def url(postgres: PostgresServer, tmp_path: Path) -> AsyncGenerator[str]:
    yield await postgres.url_of(tmp_path)
    await postgres.empty_databases()


@pytest.fixture
def _on_postgres(url: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert url
    monkeypatch.setattr(benches, "open_database", postgres.open)


@asynccontextmanager
async def closed(connection: asyncpg.Connection) -> AsyncGenerator[asyncpg.Connection]:
    """Close the connection at the end, which also releases its locks."""
    try:
        yield connection
    finally:
        connection.terminate()


async def submit_at_once(bench: Bench, *, user_id: int) -> int:
    """Submit a job for each caller at once, and return how many were accepted."""

    async def submit() -> bool:
        try:
            return await bench.jobs.submit(REQUEST, origin(user_id=user_id), None) is not None
        except UserError:
            return False

    return sum(await asyncio.gather(*(submit() for _ in range(CALLERS))))


@pytest.mark.usefixtures("_on_postgres")
async def test_a_cap_lets_in_exactly_its_number_of_callers_at_once(
    tmp_path: Path, clock: Clock
) -> None:
    caps = Caps(open_per_user=3, open_in_all=10**6, per_day=10**6)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        rounds = [await submit_at_once(bench, user_id=1000 + each) for each in range(ROUNDS)]
    assert rounds == [3] * ROUNDS


@pytest.mark.usefixtures("_on_postgres")
async def test_a_job_is_found_whose_caller_was_cancelled_while_it_was_inserted(
    tmp_path: Path, clock: Clock, url: str
) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with (
        open_bench(tmp_path, clock) as bench,
        closed(await connect(url)) as other,
        asyncio.timeout(10),
    ):
        await other.execute("BEGIN")
        await other.execute(LOCK_COUNTS)
        submitting = asyncio.create_task(
            bench.jobs.submit(REQUEST, origin(), None, job_id=JOB_ID), name="submitting"
        )
        while not await other.fetchval(waiting):
            await other.execute("SELECT pg_sleep(0.01)")
        submitting.cancel()
        asking = asyncio.create_task(
            ClientJobStore(bench.database).was_inserted(JOB_ID), name="asking"
        )
        while await other.fetchval(waiting) < 2:
            await other.execute("SELECT pg_sleep(0.01)")
        await other.execute("ROLLBACK")
        assert await asking


@pytest.mark.usefixtures("_on_postgres")
async def test_a_budget_lets_in_exactly_its_amount_of_callers_at_once(
    tmp_path: Path, clock: Clock
) -> None:
    caps = Caps(open_per_user=10**6, open_in_all=10**6, per_day=10**6)
    budgets = Budgets(per_user_month=2 * MICROS)
    async with open_bench(tmp_path, clock, caps=caps, price=MICROS, budgets=budgets) as bench:
        rounds = [await submit_at_once(bench, user_id=1000 + each) for each in range(ROUNDS)]
        spending = await bench.ledger.spending("all", bench.budgeting.today[:7])
    assert rounds == [2] * ROUNDS
    assert spending.spent == 2 * ROUNDS * MICROS


async def test_every_statement_is_understood(url: str) -> None:
    async with open_postgres(url) as database:
        for sql in statements():
            # A template of the times that jobs took has a gap.
            if "{" not in sql:
                params = dict.fromkeys(NAME.findall(sql))
                await database.rows(f"EXPLAIN {sql}", params)


async def test_a_second_process_is_refused(url: str) -> None:
    async with open_postgres(url):
        with pytest.raises(DataInUseError, match="Another Clapper is running"):
            async with open_postgres(url):
                pass
    async with open_postgres(url):
        pass


async def test_a_lock_that_can_not_be_taken_leaves_no_connection_open(url: str) -> None:
    connection = await connect(url)

    async def in_a_failed_transaction() -> asyncpg.Connection:
        await connection.execute("BEGIN")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await connection.execute("SELECT 1 / 0")
        return connection

    async with closed(connection):
        with pytest.raises(asyncpg.InFailedSQLTransactionError):
            await ProcessLock(in_a_failed_transaction).take()
        assert connection.is_closed()


async def test_processes_that_share_the_database_are_kept_from_one_that_does_not(url: str) -> None:
    async with open_postgres(url, is_shared=True), open_postgres(url, is_shared=True):
        with pytest.raises(DataInUseError, match="stop it, or give this one"):
            async with open_postgres(url):
                pass
    async with open_postgres(url):
        with pytest.raises(DataInUseError, match="--role desk or --role worker"):
            async with open_postgres(url, is_shared=True):
                pass


async def test_a_process_that_is_stopped_within_a_transaction_loses_its_locks(url: str) -> None:
    async with open_postgres(url) as database:
        row = await database.row("SHOW idle_in_transaction_session_timeout", NOTHING)
        assert row is not None
        assert row[0] == "5s"


async def test_a_unique_index_is_named_by_the_error(url: str) -> None:
    async with open_postgres(url) as database:
        await database.rows(WEBHOOK, {"id": "w"})
        with pytest.raises(NotUniqueError, match="inbox_pkey"):
            await database.rows(WEBHOOK, {"id": "w"})
        with pytest.raises(StorageError, match="nowhere"):
            await database.rows("SELECT * FROM nowhere", NOTHING)
        with pytest.raises(StorageError):
            await database.rows(WEBHOOK, {"id": "a\0b"})


async def test_an_error_does_not_show_the_row_that_was_refused(url: str) -> None:
    row = "INSERT INTO inbox (backend, webhook_id, remote_id) VALUES ('b', 'secret', NULL)"
    async with open_postgres(url) as database:
        with pytest.raises(StorageError, match="not-null") as refused:
            await database.rows(row, NOTHING)
    assert "secret" not in str(refused.value)


async def test_a_failing_sequence_changes_nothing(url: str) -> None:
    async with open_postgres(url) as database:
        statement = f"{WEBHOOK} RETURNING webhook_id", {"id": "w"}
        with pytest.raises(NotUniqueError):
            await database.sequence(statement, statement)
        assert await database.rows("SELECT * FROM inbox", NOTHING) == []


async def test_deleted_rows_are_vacuumed_when_the_log_is_cleared(
    postgres: PostgresServer, url: str
) -> None:
    dead = "SELECT n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = 'inbox'"
    await postgres.sql("VACUUM inbox", url=url)
    async with open_postgres(url) as database:
        await database.rows(WEBHOOK, {"id": "w"})
        await database.rows("DELETE FROM inbox", NOTHING)
        async with asyncio.timeout(20):
            # PostgreSQL counts late.
            while (await database.rows(dead, NOTHING))[0]["dead"] == 0:
                await database.rows("SELECT pg_stat_force_next_flush()", NOTHING)
            await database.clear_log()
            while (await database.rows(dead, NOTHING))[0]["dead"] != 0:
                await database.rows("SELECT pg_sleep(0.01)", NOTHING)


async def test_a_statement_whose_caller_is_cancelled_is_run_all_the_same(url: str) -> None:
    async with open_postgres(url) as database:
        adding = asyncio.create_task(database.rows(WEBHOOK, {"id": "w"}), name="adding")
        await asyncio.sleep(0)
        adding.cancel()
    async with open_postgres(url) as database:
        assert len(await database.rows("SELECT * FROM inbox", NOTHING)) == 1


async def test_a_restart_of_the_server_is_survived(postgres: PostgresServer, url: str) -> None:
    async with open_postgres(url) as database:
        await database.rows(WEBHOOK, {"id": "w"})
        await asyncio.to_thread(postgres.restart)
        assert len(await database.rows("SELECT * FROM inbox", NOTHING)) == 1
        await database.rows(WEBHOOK, {"id": "x"})
        assert len(await database.rows("SELECT * FROM inbox", NOTHING)) == 2


# The statement has ended its own connection, so it may have changed something.
ENDS_ITSELF = """
INSERT INTO inbox VALUES ('b', CAST(pg_terminate_backend(pg_backend_pid()) AS TEXT), 'r', 1)
"""


async def test_a_write_is_not_repeated_if_the_connection_is_lost_meanwhile(url: str) -> None:
    async with open_postgres(url) as database:
        with pytest.raises(StorageError):
            await database.rows(ENDS_ITSELF, NOTHING)
        assert await database.rows("SELECT * FROM inbox", NOTHING) == []


async def test_a_read_is_repeated_if_the_connection_is_lost_meanwhile(
    postgres: PostgresServer, url: str
) -> None:
    # Only the first call ends its connection.
    once = "SELECT pg_terminate_backend(pg_backend_pid()) WHERE nextval('calls') = 1"
    async with open_postgres(url) as database:
        await postgres.sql("CREATE SEQUENCE calls", url=url)
        assert await database.rows(once, NOTHING) == []
        await postgres.sql("DROP SEQUENCE calls", url=url)


async def test_a_server_that_is_away_is_explained_without_the_password(tmp_path: Path) -> None:
    away = f"postgresql://clapper:hunter2@/clapper?host={tmp_path}"
    with pytest.raises(StartupError, match="DATABASE_URL: the database can't be opened") as refused:
        async with open_database(away):
            pass
    assert "hunter2" not in str(refused.value)
    with pytest.raises(StorageError):
        await asyncio.to_thread(count_delivering, away)


async def test_processes_that_start_together_migrate_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    empty = await postgres.empty_url(tmp_path)
    connections = [await asyncpg.connect(empty, timeout=10, server_settings={}) for _ in range(4)]
    await asyncio.gather(*(schema.migrate(each) for each in connections))
    assert await connections[0].fetchval("SELECT count(*) FROM schema_number") == 1
    for each in connections:
        await each.close()


async def test_a_newer_schema_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_postgres(url):
        pass
    monkeypatch.setattr(schema, "migrations", lambda: {1: ""})
    with pytest.raises(StartupError, match="newer Clapper"):
        async with open_postgres(url):
            pass


def test_each_migration_has_a_number_of_its_own() -> None:
    folder = Path(storage.__file__).parent
    for scripts in (folder / "migrations", folder / "postgres" / "migrations"):
        numbers = [path.name.partition("_")[0] for path in scripts.glob("*.sql")]
        assert len(numbers) == len(set(numbers))


def test_migrations_have_the_same_numbers_in_both_databases() -> None:
    first, *later = sorted(schema.migrations())
    numbers = range(1, len(opening._migrations()) + 1)  # noqa: SLF001 - the real scripts
    assert later == [number for number in numbers if number > first]
    assert max(schema.migrations()) == max(numbers)


async def test_both_databases_have_the_same_tables_columns_and_indexes(url: str) -> None:
    async with open_postgres(url):
        pass
    connection = await asyncpg.connect(url, timeout=10, server_settings={})
    columns = await connection.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'schema_number'"
    )
    indexes = await connection.fetch(
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)"
    )
    await connection.close()
    with closing(sqlite3.connect(":memory:")) as other:
        for path in sorted((Path(storage.__file__).parent / "migrations").glob("[0-9]*.sql")):
            other.executescript(path.read_text(encoding="utf-8"))
        expected = set(
            other.execute(
                "SELECT tables.name, columns.name FROM sqlite_schema AS tables,"
                " pragma_table_xinfo(tables.name) AS columns"
                " WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'"
            )
        )
        named = other.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> ''")
        assert {row[0] for row in named} == {row["indexname"] for row in indexes}
    rows = {(table, "rowid") for table in ("jobs", "job_events", "inbox")}
    assert {(row["table_name"], row["column_name"]) for row in columns} == expected | rows


@pytest.mark.usefixtures("_on_postgres")
async def test_commands_read_the_database_while_the_bot_runs(
    tmp_path: Path, clock: Clock, url: str
) -> None:
    async with open_bench(tmp_path, clock) as bench:
        job = await bench.at(JobState.DELIVERING)
        assert await asyncio.to_thread(count_delivering, url) == 1
        assert await asyncio.to_thread(list_jobs, url, ended=5) == [await bench.now(job.id)]
        assert await asyncio.to_thread(read_second_bot, url) is None


async def test_the_clock_is_that_of_the_database(url: str) -> None:
    async with open_postgres(url) as database:
        before = database.wall()
        row = await database.row(
            "SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION) AS now", NOTHING
        )
        assert row is not None
        assert before - 0.5 <= row["now"] <= database.wall() + 0.5
