"""A refused DM holds for its job: later jobs ask again, at most once a day for each person."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.delivery.dm import DmRefusedError
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.errors import DeliveryError
from bot.model import JobState
from storage.people import Person
from tests.support.desk import open_desk
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.model import Job
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
HOUR, DAY = 60 * 60, 24 * 60 * 60
POST = "POST /channels/{channel_id}/messages"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def finished(desk: Desk, *, card_gone: bool) -> Job:
    """Type a command, and run its job until its DM is due."""
    job, message = await desk.video()
    desk.bench.backend.finish()
    while (job := await desk.bench.now(job.id)).state is not JobState.NOTIFYING:
        await desk.bench.step(job.id)
    if card_gone:
        desk.fake_discord.messages.delete(message)
    return replace(await desk.bench.claim(job.id), card_gone=card_gone)


async def notify(desk: Desk, *, card_gone: bool) -> Job:
    job = await finished(desk, card_gone=card_gone)
    assert await desk.deliverer().notify(job, desk.artifact(job) if card_gone else None)
    return job


async def refused_once(desk: Desk) -> None:
    """Let Discord refuse one DM, after which the person opens their DMs."""
    desk.fake_discord.faults.add("POST /channels/*", api_errors.DM_CLOSED)
    await notify(desk, card_gone=False)
    assert len(desk.made(POST)) == 1
    assert desk.fake_discord.dms() == []


@pytest.mark.parametrize(
    ("card_gone", "after", "sent"),
    [
        (True, DAY - 1, False),
        (True, DAY, True),
        (False, DAY, False),
        (False, 7 * DAY - 1, False),
        (False, 7 * DAY, True),
    ],
)
async def test_a_later_job_asks_again_after_a_day_or_a_week(
    desk: Desk, *, card_gone: bool, after: float, sent: bool
) -> None:
    await refused_once(desk)
    desk.clock.advance(after)
    await notify(desk, card_gone=card_gone)
    assert len(desk.fake_discord.dms()) == int(sent)
    assert len(desk.made(POST)) == 1 + int(sent)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.UNDECIDED])
async def test_a_failure_and_a_question_that_no_card_shows_ask_again(
    desk: Desk, state: JobState
) -> None:
    await refused_once(desk)
    desk.clock.advance(DAY)
    job, message = await desk.video()
    if state is JobState.FAILED:
        ended = await desk.bench.jobs.fail(job, "failed.moderated")
        assert ended is not None
        job = ended
    else:
        job = replace(job, state=state)
    desk.fake_discord.messages.delete(message)
    await desk.deliverer().show(job)
    assert len(desk.fake_discord.dms()) == 1


async def test_the_operator_is_asked_again_about_the_next_trouble(desk: Desk) -> None:
    await refused_once(desk)
    desk.clock.advance(DAY)
    await desk.second_bot.record(desk.bot.application_id or 0, 1)
    await desk.operator_notices().send_due()
    assert len(desk.fake_discord.dms()) == 1


async def test_the_same_job_is_not_asked_about_again(desk: Desk) -> None:
    desk.fake_discord.faults.add("POST /channels/*", api_errors.DM_CLOSED)
    job = await notify(desk, card_gone=True)
    desk.clock.advance(30 * DAY)
    question = replace(job, state=JobState.UNDECIDED, submits=2)
    for each in (job, question):
        with pytest.raises(DmRefusedError):
            await desk.direct.send(each, desk.cards.dm_with_video(each), may_be_sent=False)
    assert len(desk.made(POST)) == 1


async def test_closed_dms_are_asked_at_most_once_a_day(desk: Desk) -> None:
    desk.fake_discord.close_dms()
    for _ in range(2 * 24):
        await notify(desk, card_gone=True)
        desk.clock.advance(HOUR)
    assert [made.status for made in desk.made(POST)] == [403] * 2


async def test_a_person_with_closed_dms_waits_for_no_limit(desk: Desk) -> None:
    job = await finished(desk, card_gone=True)
    desk.fake_discord.faults.add("POST /users/@me/channels", api_errors.rate_limited(30))
    with pytest.raises(DeliveryError):
        await desk.direct.send(job, "another DM", may_be_sent=False)
    await desk.bench.people.dm_closed(job.origin.user_id, now=desk.clock())
    assert await desk.deliverer().notify(job, desk.artifact(job))
    assert len(desk.made("POST /users/@me/channels")) == 1


async def test_two_dms_at_once_are_not_both_refused(desk: Desk) -> None:
    held = faults.Hold()
    first, second = [await finished(desk, card_gone=True) for _ in range(2)]
    desk.fake_discord.faults.add("POST /users/@me/channels", held)
    desk.fake_discord.close_dms()
    both = [
        asyncio.create_task(desk.direct.send(job, "a text", may_be_sent=False))
        for job in (first, second)
    ]
    await held.reached.wait()
    held.release.set()
    for sending in both:
        with pytest.raises(DmRefusedError):
            await sending
    assert len(desk.made(POST)) == 1


async def test_a_dm_that_is_accepted_ends_the_refusal(desk: Desk) -> None:
    await refused_once(desk)
    desk.clock.advance(DAY)
    job = await notify(desk, card_gone=True)
    assert (await desk.bench.people.get(job.origin.user_id)).dm_closed_at is None
    await notify(desk, card_gone=False)
    assert len(desk.fake_discord.dms()) == 2


async def test_a_refusal_that_an_earlier_version_has_stored_ends_too(desk: Desk) -> None:
    user_id = desk.fake_discord.world.user.id
    await desk.bench.people.dm_closed(user_id, now=desk.clock() - DAY)
    await notify(desk, card_gone=True)
    assert len(desk.fake_discord.dms()) == 1


async def test_what_is_known_of_refusals_is_deleted_with_the_person(desk: Desk) -> None:
    await refused_once(desk)
    user_id = desk.fake_discord.world.user.id
    assert (await desk.bench.people.get(user_id)).dm_closed_for is not None
    await desk.bench.people.delete(user_id)
    assert await desk.bench.people.get(user_id) == Person(user_id=user_id)
    assert await desk.bench.database.rows("SELECT * FROM refused_dms", {}) == []


async def test_a_failure_that_nothing_could_tell_is_told_by_the_library(desk: Desk) -> None:
    desk.fake_discord.close_dms()
    job, message = await desk.video()
    failed = await desk.bench.jobs.fail(job, "failed.moderated")
    assert failed is not None
    desk.fake_discord.messages.delete(message)
    await desk.deliverer().show(failed)
    page = await desk.fake_discord.answer_to(await desk.fake_discord.slash("videos"))
    assert "content policy" in page.text
