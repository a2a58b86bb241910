"""The ledger records what jobs reserve and cost, and no order passes a budget."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.errors import UserError
from bot.model import Client, JobState
from bot.texts import Dollars, Moment
from storage.access.audit import AuditStore
from storage.access.settings import EVERYWHERE
from storage.errors import StorageError
from storage.jobs.store import Changes
from storage.ledger.budgets import Budgets, Spending
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.orders import REQUEST, VOICE, origin

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job
    from storage.ledger.budgets import Reservation

pytestmark = pytest.mark.usefixtures("_on_each_database")

PRICE = 800_000
MESSAGES = itertools.count(1)
DAY_SECONDS = 24 * 60 * 60


async def order(bench: Bench, user_id: int = 1) -> Job:
    job = await bench.jobs.submit(REQUEST, origin(user_id=user_id), None)
    assert job is not None
    await bench.jobs.acknowledge(job.id, message_id=next(MESSAGES))
    return job


async def moved(bench: Bench, job: Job, *states: JobState, cost: float | None = None) -> Job:
    for state in states:
        if state is JobState.SUBMITTING:
            changed = await bench.jobs.begin_submit(await bench.now(job.id))
        else:
            changes = Changes(
                remote_id=job.id if state is JobState.GENERATING else None,
                cost=cost if state is states[-1] else None,
            )
            changed = await bench.jobs.move(await bench.now(job.id), state, changes)
        assert changed is not None, state
    return await bench.now(job.id)


async def spent(bench: Bench) -> int:
    """Return what is spent in all, and check it against the entries and against each job."""
    rows = await bench.database.rows("SELECT coalesce(sum(amount), 0) AS sum FROM ledger", {})
    [entries] = [row["sum"] for row in rows]
    rows = await bench.database.rows(
        "SELECT coalesce(sum(spent), 0) AS sum FROM ledger_sums"
        " WHERE scope = 'all' AND length(period) = 7",
        {},
    )
    assert entries == rows[0]["sum"]
    rows = await bench.database.rows(
        "SELECT coalesce(sum(coalesce(settled_micros, reserved_micros)), 0) AS sum FROM jobs", {}
    )
    assert entries == rows[0]["sum"]
    return entries


GENERATING = (JobState.QUEUED, JobState.SUBMITTING, JobState.GENERATING)


@pytest.mark.parametrize(
    ("states", "cost", "expected"),
    [
        ((), None, PRICE),
        ((JobState.CANCELLED,), None, 0),
        ((JobState.QUEUED, JobState.CANCELLED), None, 0),
        ((JobState.QUEUED, JobState.SUBMITTING, JobState.FAILED), None, 0),
        ((JobState.QUEUED, JobState.SUBMITTING, JobState.QUEUED, JobState.FAILED), None, 0),
        ((JobState.QUEUED, JobState.SUBMITTING, JobState.CANCELLED), None, PRICE),
        (
            (  # proven absent
                JobState.QUEUED,
                JobState.SUBMITTING,
                JobState.UNCONFIRMED,
                JobState.QUEUED,
                JobState.CANCELLED,
            ),
            None,
            0,
        ),
        ((JobState.QUEUED, JobState.SUBMITTING, JobState.UNCONFIRMED), None, PRICE),
        (
            (
                JobState.QUEUED,
                JobState.SUBMITTING,
                JobState.UNCONFIRMED,
                JobState.UNDECIDED,
                JobState.CANCELLED,
            ),
            None,
            PRICE,
        ),
        ((*GENERATING, JobState.FAILED), None, PRICE),
        ((*GENERATING, JobState.FAILED), 0.0, 0),
        ((*GENERATING, JobState.FAILED), 0.25, 250_000),
        ((*GENERATING, JobState.CANCELLED), None, PRICE),
        ((*GENERATING, JobState.DOWNLOADING), None, PRICE),
        ((*GENERATING, JobState.DOWNLOADING), 1.5, 1_500_000),
        ((*GENERATING, JobState.DOWNLOADING, JobState.FAILED), None, PRICE),
        ((*GENERATING, JobState.DOWNLOADING), 1e300, 10**12),
    ],
)
async def test_a_job_costs_what_is_known_and_else_its_price(
    states: tuple[JobState, ...], cost: float | None, expected: int, tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        await moved(bench, await order(bench), *states, cost=cost)
        assert await spent(bench) == expected


UNDECIDED = (JobState.QUEUED, JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.UNDECIDED)


async def test_another_try_reserves_the_price_once_more(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        job = await moved(bench, await order(bench), *UNDECIDED)
        assert await bench.jobs.retry_undecided(job.id) is not None
        assert await spent(bench) == 2 * PRICE
        await moved(
            bench, job, JobState.SUBMITTING, JobState.GENERATING, JobState.DOWNLOADING, cost=0.5
        )
        assert await spent(bench) == PRICE + 500_000


async def test_another_try_that_is_cancelled_before_it_is_sent_costs_nothing_more(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        job = await moved(bench, await order(bench), *UNDECIDED)
        assert await bench.jobs.retry_undecided(job.id) is not None
        assert await bench.jobs.cancel(job.id) is not None
        assert await spent(bench) == PRICE


async def test_another_try_that_is_refused_leaves_the_first_ones_cost(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        job = await moved(bench, await order(bench), *UNDECIDED)
        await bench.jobs.retry_undecided(job.id)
        await moved(bench, job, JobState.SUBMITTING, JobState.FAILED)
        assert await spent(bench) == PRICE


async def test_another_try_within_no_budget_is_refused_and_stays_undecided(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, price=PRICE, budgets=Budgets(day=PRICE)) as bench:
        job = await moved(bench, await order(bench), *UNDECIDED)
        with pytest.raises(UserError) as caught:
            await bench.jobs.retry_undecided(job.id)
        assert caught.value.key == "budget.day"
        assert (await bench.now(job.id)).state is JobState.UNDECIDED
        assert await spent(bench) == PRICE


@pytest.mark.parametrize(
    ("budgets", "key"),
    [
        (Budgets(day=3 * PRICE), "budget.day"),
        (Budgets(month=3 * PRICE), "budget.month"),
        (Budgets(per_user_month=3 * PRICE), "budget.person"),
        (Budgets(per_server_month=3 * PRICE), "budget.server"),
    ],
)
async def test_orders_at_once_never_pass_a_budget(
    budgets: Budgets, key: str, tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, price=PRICE, budgets=budgets) as bench:
        results = await asyncio.gather(*(order(bench) for _ in range(10)), return_exceptions=True)
        errors = [error for error in results if isinstance(error, UserError)]
        assert {error.key for error in errors} == {key}
        assert len(errors) == 7
        assert await spent(bench) == 3 * PRICE


async def test_a_budget_is_renewed_when_its_day_or_month_ends(tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 11, 28, 23, tzinfo=UTC).timestamp())
    budgets = Budgets(day=PRICE, month=2 * PRICE)

    async def refusal(bench: Bench) -> tuple[str, object]:
        with pytest.raises(UserError) as caught:
            await order(bench)
        return caught.value.key, caught.value.fields["when"]

    async with open_bench(tmp_path, clock, price=PRICE, budgets=budgets) as bench:
        await order(bench)
        assert await refusal(bench) == ("budget.day", moment(2026, 11, 29))
        clock.advance(60 * 60)
        await order(bench)
        clock.advance(DAY_SECONDS)
        assert await refusal(bench) == ("budget.month", moment(2026, 12, 1))
        clock.advance(DAY_SECONDS)
        await order(bench)


def moment(year: int, month: int, day: int) -> Moment:
    return Moment(int(datetime(year, month, day, tzinfo=UTC).timestamp()))


async def test_a_grant_lets_one_person_spend_more(tmp_path: Path, clock: Clock) -> None:
    budgets = Budgets(per_user_month=PRICE)
    async with open_bench(tmp_path, clock, price=PRICE, budgets=budgets) as bench:
        await order(bench)
        raised = await bench.budgeting.grant(1, PRICE, grant_id="a", actor=7)
        assert (raised.spent, raised.budget) == (Dollars(0.8), Dollars(1.6))
        [entry] = await AuditStore(bench.database).newest(EVERYWHERE, limit=9)
        assert (entry.name, entry.target, entry.value, entry.actor) == ("grant", 1, "0.80", 7)
        await order(bench)
        with pytest.raises(UserError) as caught:
            await order(bench)
        assert caught.value.key == "budget.person"
        await order(bench, user_id=2)
        with pytest.raises(UserError):
            await order(bench, user_id=2)
        assert await spent(bench) == 3 * PRICE


async def test_an_order_that_fits_once_its_refusal_is_explained_is_accepted(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(tmp_path, clock, price=PRICE, budgets=Budgets(day=PRICE)) as bench:
        first, check = await order(bench), bench.budgeting.check

        async def check_later(reservation: Reservation) -> None:
            await bench.jobs.cancel(first.id)
            await check(reservation)

        monkeypatch.setattr(bench.budgeting, "check", check_later)
        assert (await order(bench)).state is JobState.RECEIVED
        assert await spent(bench) == PRICE


async def test_a_repeated_grant_counts_once_and_its_id_serves_no_other(
    tmp_path: Path, clock: Clock
) -> None:
    budgets = Budgets(per_user_month=PRICE)
    async with open_bench(tmp_path, clock, price=PRICE, budgets=budgets) as bench:
        grant = bench.budgeting.grant
        for _ in range(2):
            raised = await grant(1, PRICE, grant_id="a", actor=7)
            assert raised.budget == Dollars(1.6)
        for user_id, amount in ((1, 2 * PRICE), (2, PRICE)):
            with pytest.raises(UserError, match=r"budget\.other_grant"):
                await grant(user_id, amount, grant_id="a", actor=7)
        assert (await grant(1, PRICE, grant_id="b", actor=7)).budget == Dollars(2.4)
        audit = await AuditStore(bench.database).newest(EVERYWHERE, limit=9)
        assert [(entry.target, entry.value) for entry in audit] == [(1, "0.80"), (1, "0.80")]


async def test_an_api_client_has_a_servers_budget_and_no_persons(
    tmp_path: Path, clock: Clock
) -> None:
    budgets = Budgets(per_user_month=PRICE // 2, per_server_month=PRICE)
    async with open_bench(tmp_path, clock, price=PRICE, budgets=budgets) as bench:
        assert await bench.jobs.submit(REQUEST, Client(name="shop", key="1"), None) is not None
        with pytest.raises(UserError) as caught:
            await bench.jobs.submit(REQUEST, Client(name="shop", key="2"), None)
        assert caught.value.key == "budget.server"


async def test_a_narration_for_a_finished_video_costs_nothing(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, price=PRICE, budgets=Budgets(day=PRICE)) as bench:
        job = await order(bench)
        added = await bench.jobs.submit(REQUEST, origin(), VOICE, clip_of=job.id)
        assert added is not None
        assert await spent(bench) == PRICE


async def test_entries_are_never_changed_or_deleted(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        await order(bench)
        for sql in ("UPDATE ledger SET amount = 0", "DELETE FROM ledger"):
            with pytest.raises(StorageError):
                await bench.database.rows(sql, {})
        await bench.database.rows("DELETE FROM jobs", {})
        assert await bench.count_rows("ledger") == 1


@pytest.mark.sqlite
async def test_nothing_in_the_ledger_leads_to_a_person_after_the_month(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        person = origin(user_id=123456789012345678)
        assert await bench.jobs.submit(REQUEST, person, None) is not None
        month = bench.budgeting.today[:7]
        assert await bench.count_rows("payer_keys") == 1
        clock.advance(32 * DAY_SECONDS)
        await bench.budgeting.sweep()
        assert await bench.count_rows("payer_keys") == 0
        assert await bench.ledger.spending("all", month) == Spending(spent=PRICE)
    with closing(sqlite3.connect(tmp_path / "clapper.db")) as connection:
        for table in ("ledger", "ledger_sums"):
            for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - from this file
                assert "123456789012345678" not in str(row)


async def test_a_refused_order_leaves_no_entry(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, price=PRICE, budgets=Budgets(day=0)) as bench:
        with pytest.raises(UserError) as caught:
            await order(bench)
        assert caught.value.key == "budget.day"
        assert await bench.count_rows("ledger") == 0
        assert await bench.count_rows("jobs") == 0
