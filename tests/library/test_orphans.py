"""Jobs at the provider that no row explains are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import UnconfirmedSubmitError
from bot.library.orphans import OrphanCounter
from bot.model import JobState, VideoRequest
from tests.support.fakes.bench import ACCOUNT
from tests.support.fakes.orders import REQUEST

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

DAY = 24 * 60 * 60
ELSEWHERE = VideoRequest(prompt="a dog", model="sora-2", seconds=8, size="1280x720")


def counter(bench: Bench) -> OrphanCounter:
    return OrphanCounter(
        remote_jobs=bench.remote_jobs,
        listings=bench.listings,
        spent=bench.spent,
        backend=bench.backend,
        account=ACCOUNT,
        clock=bench.clock,
    )


async def test_a_job_that_no_row_explains_is_counted(bench: Bench) -> None:
    assert await counter(bench).count() == 0
    await bench.at(JobState.GENERATING)
    bench.backend.charge(ELSEWHERE)
    assert await counter(bench).count() == 1
    assert await bench.listings.orphans() == {"fake": 1}


async def test_a_job_under_the_id_of_another_is_counted(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.charged[job.remote_id or ""].request = ELSEWHERE
    assert await counter(bench).count() == 1


async def test_a_create_without_an_answer_explains_its_job(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    await bench.step(job.id)
    bench.backend.charge(ELSEWHERE)
    assert await counter(bench).count() == 1


async def test_a_create_without_an_answer_explains_one_job_alone(bench: Bench) -> None:
    await bench.at(JobState.UNCONFIRMED)
    for orphans in range(3):
        assert await counter(bench).count() == orphans
        bench.backend.charge(REQUEST)


async def test_an_abandoned_create_leaves_an_orphan(bench: Bench) -> None:
    bench.backend.complete = bench.backend.lists = False
    job = await bench.at(JobState.QUEUED)
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    await bench.run_out(job.id)
    await bench.jobs.cancel_undecided(job.id)
    bench.backend.complete = bench.backend.lists = True
    assert await counter(bench).count() == 1


async def test_a_deleted_job_remains_explained_when_its_row_is_deleted(bench: Bench) -> None:
    job = await bench.at(JobState.SUCCEEDED)
    await bench.retention.delete(job.id)
    assert await counter(bench).count() == 0
    for _ in range(3):
        bench.clock.advance(25 * DAY)
        await bench.retention.sweep()
        assert await bench.jobs.get(job.id) is None
        assert await counter(bench).count() == 0
    bench.backend.charged.clear()
    bench.clock.advance(31 * DAY)
    await bench.retention.sweep()
    assert await bench.database.rows("SELECT * FROM spent_ref_hashes", {}) == []


async def test_nothing_is_counted_without_a_list(bench: Bench) -> None:
    bench.backend.complete = bench.backend.lists = False
    bench.backend.charge(REQUEST)
    assert await counter(bench).count() is None
    assert await bench.listings.orphans() == {}


async def test_a_count_remembers_that_the_list_shows_jobs_of_this_key(bench: Bench) -> None:
    now = bench.clock()
    await bench.at(JobState.GENERATING)
    assert not await bench.listings.was_shown("fake", ACCOUNT, since=0, now=now)
    await counter(bench).count()
    assert await bench.listings.was_shown("fake", ACCOUNT, since=now, now=now)
    assert not await bench.listings.was_shown("fake", "another key", since=0, now=now)
