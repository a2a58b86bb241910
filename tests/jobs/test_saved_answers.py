"""The answer to a paid create is kept while the database fails, and stored as soon as it works."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.model import JobState
from storage.errors import StorageError
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import PATIENCE, START, Clock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_on_each_database")

# While a statement runs, another connection stores the same value, which an index allows once.
RIVAL_BINDS = """
CREATE TRIGGER rival BEFORE UPDATE OF state ON jobs WHEN NEW.state = 'generating' BEGIN
    UPDATE jobs SET remote_id = NEW.remote_id WHERE id <> NEW.id;
END
"""
RIVAL_STARTS = """
CREATE TRIGGER rival BEFORE UPDATE OF state ON jobs WHEN NEW.state = 'submitting'
AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'submitting') BEGIN
    UPDATE jobs SET state = 'submitting' WHERE id <> NEW.id;
END
"""


class RepairingClock(Clock):
    """A clock that repairs the database at a time, and records how long it slept."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self.repair_at = START
        self.repair: Callable[[], Awaitable[object]] | None = None

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await super().sleep(seconds)
        if self.repair is not None and self.now >= self.repair_at:
            await self.repair()


@pytest.fixture
def clock() -> RepairingClock:
    return RepairingClock()


@pytest.fixture
async def bench(tmp_path: Path, clock: RepairingClock) -> AsyncGenerator[Bench]:
    async with open_bench(tmp_path, clock) as opened:
        yield opened


async def submit_while_failing(
    bench: Bench, clock: RepairingClock, *, seconds: float, cancelled: bool = False
) -> str:
    """Run the step of a queued job, with a database that fails for a time after the POST."""
    job = await bench.at(JobState.QUEUED)
    claimed = await bench.claim(job.id)
    bench.backend.answer.clear()
    step = asyncio.create_task(bench.pipeline.steps[JobState.QUEUED](claimed))
    async with asyncio.timeout(PATIENCE):
        await bench.backend.in_submit.wait()
    if cancelled:
        await bench.jobs.cancel(job.id)
    await bench.refuse_writes()
    clock.repair_at = clock.now + seconds
    clock.repair = bench.accept_writes
    bench.backend.answer.set()
    await step
    return job.id


async def test_an_answer_is_stored_as_soon_as_the_database_works_again(
    bench: Bench, clock: RepairingClock
) -> None:
    bound = await bench.now(await submit_while_failing(bench, clock, seconds=40))
    assert (bound.state, [bound.remote_id]) == (JobState.GENERATING, list(bench.backend.charged))
    assert 40 <= sum(clock.pauses) < 50
    assert clock.pauses[:4] == [1, 2, 4, 8]
    assert max(clock.pauses) == 8
    bench.backend.finish()
    assert (await bench.run_out(bound.id)).state is JobState.SUCCEEDED
    assert bench.backend.posts == 1


async def test_a_job_that_was_cancelled_meanwhile_is_still_cancelled_at_the_provider(
    bench: Bench, clock: RepairingClock
) -> None:
    job_id = await submit_while_failing(bench, clock, seconds=40, cancelled=True)
    await bench.run_out(job_id)
    assert bench.backend.cancelled == list(bench.backend.charged)
    assert len(bench.backend.cancelled) == 1


async def test_after_a_minute_the_create_is_looked_up_instead_of_repeated(
    bench: Bench, clock: RepairingClock
) -> None:
    with pytest.raises(StorageError):
        await submit_while_failing(bench, clock, seconds=61)
    assert 50 < sum(clock.pauses) <= 60
    await bench.accept_writes()
    bench.backend.finish()
    [row] = await bench.database.rows("SELECT id FROM jobs", {})
    assert (await bench.run_out(row["id"])).state is JobState.SUCCEEDED
    assert bench.backend.posts == 1


async def test_a_bound_job_is_bound_even_if_the_webhooks_cannot_be_read(
    bench: Bench, clock: RepairingClock, caplog: pytest.LogCaptureFixture
) -> None:
    job = await bench.at(JobState.QUEUED)
    await bench.database.rows("ALTER TABLE inbox RENAME TO hidden", {})
    bound = await bench.step(job.id)
    assert (bound.state, clock.pauses) == (JobState.GENERATING, [])
    assert "job.not_woken" in caplog.text


@pytest.mark.sqlite
async def test_an_id_that_another_connection_has_just_stored_is_an_answer_at_once(
    bench: Bench, clock: RepairingClock
) -> None:
    await bench.at(JobState.QUEUED)
    job = await bench.at(JobState.QUEUED)
    await bench.database.rows(RIVAL_BINDS, {})
    left = await bench.step(job.id)
    assert (left.state, left.remote_id) == (JobState.SUBMITTING, None)
    assert (clock.pauses, bench.backend.posts) == ([], 1)


@pytest.mark.sqlite
async def test_a_create_that_another_connection_has_just_begun_is_not_posted(
    bench: Bench, clock: RepairingClock
) -> None:
    await bench.at(JobState.QUEUED)
    job = await bench.at(JobState.QUEUED)
    await bench.database.rows(RIVAL_STARTS, {})
    left = await bench.step(job.id)
    assert left.state is JobState.QUEUED
    assert (clock.pauses, bench.backend.posts) == ([], 0)
