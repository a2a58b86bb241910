"""The owner sees what was spent, by day, server and person, and no one whose data is deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.model import Client, JobState
from storage.jobs.store import Changes
from storage.ledger.spending import PersonSpending, ServerSpending, SpendingStore
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.orders import REQUEST, origin

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job

PRICE = 800_000
DAY_SECONDS = 24 * 60 * 60
START = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
PERSON = 123456789012345678
GENERATING = (JobState.QUEUED, JobState.SUBMITTING, JobState.GENERATING)
UNDECIDED = (JobState.QUEUED, JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.UNDECIDED)
RETRIED = (*UNDECIDED, JobState.QUEUED)


async def ordered(bench: Bench, **where: int) -> Job:
    job = await bench.jobs.submit(REQUEST, origin(**where), None)
    assert job is not None
    return job


@pytest.mark.parametrize(
    ("states", "cost", "expected"),
    [
        ((), None, "reserved"),
        (UNDECIDED, None, "reserved"),
        ((JobState.CANCELLED,), None, "settled"),
        ((*GENERATING, JobState.DOWNLOADING), None, "settled"),
        ((*GENERATING, JobState.DOWNLOADING, JobState.FAILED), None, "settled"),
        ((*GENERATING, JobState.FAILED), 0.0, "settled"),
        ((*GENERATING, JobState.FAILED), 0.3, "settled"),
        ((*GENERATING, JobState.FAILED), None, "assumed"),
        ((*GENERATING, JobState.CANCELLED), None, "assumed"),
        ((*UNDECIDED, JobState.CANCELLED), None, "assumed"),
        ((*RETRIED, JobState.CANCELLED), None, "assumed"),
        ((*RETRIED, *GENERATING[1:], JobState.DOWNLOADING), 0.3, "assumed"),
    ],
)
async def test_an_entry_tells_whether_a_cost_is_proven(
    states: tuple[JobState, ...], cost: float | None, expected: str, tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        job = await ordered(bench)
        await bench.jobs.acknowledge(job.id, message_id=1)
        for before, state in zip((JobState.RECEIVED, *states), states, strict=False):
            now = await bench.now(job.id)
            if state is JobState.SUBMITTING:
                assert await bench.jobs.begin_submit(now)
            elif before is JobState.UNDECIDED and state is JobState.QUEUED:
                assert await bench.jobs.retry_undecided(job.id)
            elif state is not JobState.QUEUED or now.state is not JobState.QUEUED:
                ref = job.id if state is JobState.GENERATING else None
                told = cost if state is states[-1] else None
                assert await bench.jobs.move(now, state, Changes(remote_id=ref, cost=told))
        rows = await bench.database.rows("SELECT kind FROM ledger ORDER BY id", {})
        assert [row["kind"] for row in rows][-1] == expected


async def test_a_months_spending_is_told_by_day_server_and_person(tmp_path: Path) -> None:
    clock = Clock(START)
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        await ordered(bench, user_id=1, guild_id=10)
        clock.advance(DAY_SECONDS)
        for _ in range(2):
            await ordered(bench, user_id=2, guild_id=20)
        await bench.jobs.submit(REQUEST, Client(name="shop", key="1"), None)
        clock.advance(5 * DAY_SECONDS)
        await ordered(bench, user_id=1, guild_id=10)
        store = SpendingStore(bench.database)
        assert await store.months() == ["2026-12", "2026-11"]
        found = await store.of_month("2026-11", limit=2)
    assert found.days == {"2026-11-27": PRICE, "2026-11-28": 3 * PRICE}
    assert found.spent == 4 * PRICE
    assert found.servers == (
        ServerSpending(server="server:20", spent=2 * PRICE),
        ServerSpending(server="client:shop", spent=PRICE),
    )
    assert found.persons == (
        PersonSpending(user_id=2, spent=2 * PRICE),
        PersonSpending(user_id=1, spent=PRICE),
    )


async def test_a_person_who_deletes_their_data_stays_a_sum_without_a_name(
    tmp_path: Path,
) -> None:
    clock = Clock(START)
    prompt, name = "A letter to Wilhelmina Quux", "wilhelmina quux"
    async with open_bench(tmp_path, clock, price=PRICE) as bench:
        for _ in range(2):
            requester = origin(user_id=PERSON, guild_id=10)
            job = await bench.jobs.submit(replace(REQUEST, prompt=prompt), requester, None)
            assert job is not None
            await bench.jobs.acknowledge(job.id, message_id=1)
            await bench.jobs.cancel(job.id)
            await bench.run_out(job.id)
        kept = await bench.jobs.submit(REQUEST, origin(user_id=2, guild_id=10), None)
        assert kept is not None
        await bench.database.rows(
            "UPDATE jobs SET settled_micros = :price WHERE user_id = :person",
            {"price": PRICE, "person": PERSON},
        )
        store = SpendingStore(bench.database)
        known = await store.of_month("2026-11", limit=5)
        assert known.persons[0] == PersonSpending(user_id=PERSON, spent=2 * PRICE)
        deletion = await bench.retention.delete_all(PERSON)
        assert deletion.deleted == 2
        # The rows of jobs still count towards the caps, but the owner is told no name any more.
        hidden = await store.of_month("2026-11", limit=5)
        assert hidden.persons[0] == PersonSpending(user_id=None, spent=2 * PRICE)
        assert hidden.days == known.days
        assert PERSON not in await everything(bench, "ledger", "ledger_sums", "payer_keys")
        clock.advance(2 * DAY_SECONDS)
        await bench.retention.sweep()
        assert await bench.jobs.get(kept.id) is not None
        assert await store.of_month("2026-11", limit=5) == hidden
        words = {str(value).lower() for value in await everything(bench, "ledger", "ledger_sums")}
        assert not any(str(PERSON) in word or name in word for word in words)
        # Within the month, the next order of the same person counts towards the same sum.
        await ordered(bench, user_id=PERSON, guild_id=10)
        again = await store.of_month("2026-11", limit=5)
        assert again.persons[0] == PersonSpending(user_id=PERSON, spent=3 * PRICE)
        await bench.database.rows("DELETE FROM jobs WHERE user_id = :id", {"id": PERSON})
        await bench.retention.sweep()
    stored = content(tmp_path)
    for trace in (str(PERSON).encode(), PERSON.to_bytes(8), prompt.encode(), name.encode()):
        assert trace not in stored


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("clapper.db*"))


async def everything(bench: Bench, *tables: str) -> set[object]:
    """Return each value of the tables."""
    values: set[object] = set()
    for table in tables:
        rows = await bench.database.rows(f"SELECT * FROM {table}", {})  # noqa: S608 - from this file
        values |= {value for row in rows for value in dict(row).values()}
    return values
