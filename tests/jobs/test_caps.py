"""Each interaction creates one job at most, within the caps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.errors import UserError
from bot.jobs.admission import Admission, RoleCaps
from bot.model import Client, JobState, Origin
from storage.jobs.caps import Caps
from storage.jobs.rows import queue_server_of
from tests.support.fakes.bench import CAPS, Bench, open_bench
from tests.support.fakes.orders import REQUEST, VOICE, origin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.usefixtures("_on_each_database")


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
        (Caps(open_per_user=9, open_in_all=9, per_day=9, per_user_day=3), "caps.user_day"),
        (Caps(open_per_user=9, open_in_all=9, per_day=9, per_server_day=3), "caps.server_day"),
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
    usage = await bench.cap_store.usage(origin(), CAPS, now=bench.clock())
    assert (usage.open_of_user, usage.open_in_all, usage.today) == (1, 1, 2)


async def test_a_persons_day_names_the_time_when_it_frees(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=9, open_in_all=9, per_day=9, per_user_day=2)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        await bench.submit(user_id=2)
        clock.advance(3600)
        for _ in range(2):
            await bench.submit(user_id=1)
            clock.advance(3600)
        with pytest.raises(UserError, match=r"caps\.user_day") as refused:
            await bench.submit(user_id=1)
        assert refused.value.fields["limit"] == 2
        assert str(refused.value.fields["when"]) == f"<t:{int(clock()) + 22 * 3600 + 1}:R>"
        await bench.submit(user_id=2)
        clock.advance(22 * 3600 + 1)
        await bench.submit(user_id=1)


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (origin(guild_id=7), "caps.server_day"),
        (origin(guild_id=None), "caps.dm_day"),
        (Client(name="web"), "caps.client_day"),
    ],
)
async def test_a_server_all_direct_messages_and_a_client_have_days_of_their_own(
    tmp_path: Path, clock: Clock, place: Origin | Client, key: str
) -> None:
    caps = Caps(open_per_user=9, open_in_all=9, per_day=9, per_server_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        for requester in (origin(guild_id=6), place):
            assert await bench.jobs.submit(REQUEST, requester, None) is not None
        again = Client(name="web", key="another")
        if isinstance(place, Origin):
            again = origin(guild_id=place.guild_id, user_id=99)
        with pytest.raises(UserError) as refused:
            await bench.jobs.submit(REQUEST, again, None)
        assert refused.value.key == key
        when = f"<t:{int(clock()) + 24 * 3600 + 1}:R>"
        assert str(refused.value.fields["when"]) == when


async def test_the_highest_cap_of_a_persons_roles_counts(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=9, open_in_all=9, per_day=9, per_user_day=1)
    role_caps = RoleCaps(by_role={10: 2, 20: 3}, boosters=4)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        admission = Admission(
            bench.cap_store,
            caps,
            bench.blocked,
            gate=bench.gate,
            role_caps=role_caps,
            clock=clock,
        )
        for roles, boosts, cap in (
            ((), False, 1),
            ((10,), False, 2),
            ((20, 10, 30), False, 3),
            ((20,), True, 4),
        ):
            member = origin(role_ids=frozenset(roles), is_booster=boosts)
            assert (await admission.admit(member, None)).caps.per_user_day == cap
        admitted = await admission.admit(Client(name="web"), None)
        assert admitted.caps.per_user_day == 1


async def test_a_client_has_no_limit_of_a_persons_day(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=9, open_in_all=9, per_day=9, per_user_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        for key in "abc":
            client = Client(name="web", key=key)
            assert await bench.jobs.submit(REQUEST, client, None) is not None


async def test_a_new_narration_for_a_finished_video_is_limited_by_open_jobs_alone(
    tmp_path: Path, clock: Clock
) -> None:
    caps = Caps(open_per_user=2, open_in_all=1, per_day=1, per_user_day=1, per_server_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        made = await bench.at(JobState.DELIVERING)
        for _ in range(2):
            await bench.submit(attachment=VOICE, clip_of=made.id)
        with pytest.raises(UserError, match=r"caps\.user"):
            await bench.submit(attachment=VOICE, clip_of=made.id)


@pytest.mark.parametrize(
    "place",
    [
        origin(),
        origin(guild_id=None),
        origin(guild_id=None, home_id=8),
        Client(name="web", key="a"),
    ],
)
async def test_the_server_of_a_requester_is_that_of_its_rows(
    bench: Bench, place: Origin | Client
) -> None:
    assert await bench.jobs.submit(REQUEST, place, None) is not None
    row = await bench.database.row("SELECT queue_server FROM jobs", {})
    assert row is not None
    assert row["queue_server"] == queue_server_of(place)
