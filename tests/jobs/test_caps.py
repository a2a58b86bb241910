"""Each interaction creates one job at most, within the caps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.errors import UserError
from bot.model import JobState
from storage.jobs.caps import Caps
from tests.support.fakes.bench import CAPS, Bench, open_bench
from tests.support.fakes.orders import REQUEST, origin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.clock import Clock


async def test_an_interaction_creates_one_job(bench: Bench) -> None:
    place = origin()
    assert await bench.jobs.submit(REQUEST, place, None) is not None
    assert await bench.jobs.submit(REQUEST, place, None) is None
    assert await bench.count_rows("jobs") == 1


async def test_concurrent_submits_of_an_interaction_create_one_job(bench: Bench) -> None:
    place = origin()
    taken = await asyncio.gather(*(bench.jobs.submit(REQUEST, place, None) for _ in range(20)))
    assert len([job for job in taken if job is not None]) == 1
    assert len(bench.changes) == 1


async def test_a_repeated_interaction_is_recognised_when_the_caps_are_full(
    tmp_path: Path, clock: Clock
) -> None:
    place = origin()
    caps = Caps(open_per_user=1, open_in_all=1, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        assert await bench.jobs.submit(REQUEST, place, None) is not None
        assert await bench.jobs.submit(REQUEST, place, None) is None


@pytest.mark.parametrize(
    ("caps", "key"),
    [
        (Caps(open_per_user=3, open_in_all=9, per_day=9), "caps.user"),
        (Caps(open_per_user=9, open_in_all=3, per_day=9), "caps.all"),
        (Caps(open_per_user=9, open_in_all=9, per_day=3), "caps.day"),
    ],
)
async def test_caps_are_kept_for_concurrent_commands(
    caps: Caps, key: str, tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        answers = await asyncio.gather(
            *(bench.jobs.submit(REQUEST, origin(), None) for _ in range(12)),
            return_exceptions=True,
        )
        refusals = [answer for answer in answers if isinstance(answer, UserError)]
        assert {(refusal.key, refusal.fields["limit"]) for refusal in refusals} == {(key, 3)}
        assert len(refusals) == 9
        assert await bench.count_rows("jobs") == 3


async def test_the_daily_cap_names_the_time_when_it_frees(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=9, open_in_all=9, per_day=2)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        for _ in range(2):
            await bench.submit()
            clock.advance(3600)
        # Jobs that the cap does not count cause no wait.
        await bench.database.rows(
            "UPDATE jobs SET clip_of = id WHERE rowid = (SELECT min(rowid) FROM jobs)", {}
        )
        second = await bench.submit()
        with pytest.raises(UserError, match=r"caps\.day") as refused:
            await bench.submit()
        assert str(refused.value.fields["when"]) == f"<t:{int(clock()) + 23 * 3600 + 1}:R>"
        clock.advance(23 * 3600 + 1)
        assert (await bench.submit()).created_at > second.created_at


async def test_a_cap_per_person_does_not_limit_others(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=1, open_in_all=9, per_day=9)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        await bench.submit(user_id=1)
        await bench.submit(user_id=2)
        with pytest.raises(UserError, match=r"caps\.user"):
            await bench.submit(user_id=1)


async def test_an_ended_job_frees_its_place(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=1, open_in_all=1, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        job = await bench.submit()
        await bench.jobs.cancel(job.id)
        # A job that was never submitted does not count towards the daily cap.
        await bench.submit()


async def test_a_submitted_job_counts_for_its_day_even_when_it_failed(
    tmp_path: Path, clock: Clock
) -> None:
    caps = Caps(open_per_user=1, open_in_all=1, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        job = await bench.at(JobState.GENERATING)
        await bench.jobs.fail(await bench.claim(job.id), "failed.timeout")
        with pytest.raises(UserError, match=r"caps\.day"):
            await bench.submit()
        clock.advance(24 * 60 * 60 + 1)
        await bench.submit()


async def test_usage_is_counted_as_the_caps_count_it(bench: Bench) -> None:
    await bench.submit(user_id=1)
    await bench.at(JobState.SUCCEEDED)
    usage = await bench.store.usage(origin(), CAPS, now=bench.clock())
    assert (usage.open_of_user, usage.open_in_all, usage.today) == (1, 1, 2)
