"""`/notify` and `/privacy`: the setting and the deletion of data, as people see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.artifacts import Handover
from bot.delivery.views.access.settings_view import AccessView
from bot.demo.fake_discord.api_errors import UNKNOWN_WEBHOOK
from bot.model import JobState
from storage.access.audit import AuditStore
from storage.access.settings import EVERYWHERE, Change, Rule, Setting
from storage.people import Notify, Person
from tests.support.desk import open_desk
from tests.support.fakes.orders import VOICE
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User
    from bot.model import Job
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
DAY = 24 * 60 * 60


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def ask(desk: Desk, name: str, options: dict[str, Any] | None = None, **how: Any) -> Message:
    """Type a command, and return the answer, which only the person sees."""
    answer = await desk.fake_discord.answer_to(
        await desk.fake_discord.slash(name, options or {}, **how)
    )
    assert answer.ephemeral
    return answer


async def notify(desk: Desk, **options: Any) -> str:
    return (await ask(desk, "notify", options)).text


async def person(desk: Desk, user: User | None = None) -> Person:
    return await desk.bench.people.get((user or desk.fake_discord.world.user).id)


async def made(desk: Desk, *, user: User | None = None) -> Job:
    """Run a narrated job of a person until its video is delivered."""
    bench = desk.bench
    bench.backend.finish()
    job = await bench.submit(attachment=VOICE, user_id=(user or desk.fake_discord.world.user).id)
    job = await bench.run_out(job.id)
    await bench.artifacts.mark_delivered(job.id, now=bench.clock())
    return job


def labels(page: Message) -> list[str]:
    return [part["label"] for part in page.components if "label" in part]


# --- /notify ---


async def test_a_choice_is_remembered_and_said_back(desk: Desk) -> None:
    assert "whenever one of your videos" in await notify(desk)
    assert "no DM" in await notify(desk, when="never")
    assert (await person(desk)).notify is Notify.NEVER
    assert "more than 20 minutes" in await notify(desk, when="late", minutes=20)
    assert "more than 20 minutes" in await notify(desk)
    assert (await person(desk)).notify_minutes == 20
    assert "whenever one of your videos" in await notify(desk, when="always", minutes=20)
    assert await person(desk) == Person(user_id=desk.fake_discord.world.user.id, chosen=True)


async def test_minutes_alone_say_enough_and_late_alone_does_not(desk: Desk) -> None:
    assert "After how many minutes?" in await notify(desk, when="late")
    assert (await person(desk)).notify is Notify.ALWAYS
    assert "more than 1 minute." in await notify(desk, minutes=1)


async def test_a_choice_opens_dms_that_were_refused(desk: Desk) -> None:
    user_id = desk.fake_discord.world.user.id
    await desk.bench.people.dm_closed(user_id, now=desk.clock())
    assert "rejected my last DM" in await notify(desk)
    assert (await person(desk)).dm_closed_at is not None
    assert "rejected" not in await notify(desk, when="always")
    assert (await person(desk)).dm_closed_at is None


async def test_a_person_who_wants_no_dms_is_not_told_that_they_are_refused(desk: Desk) -> None:
    await notify(desk, when="never")
    await desk.bench.people.dm_closed(desk.fake_discord.world.user.id, now=desk.clock())
    assert "rejected" not in await notify(desk)


async def test_discord_offers_the_choices_by_name_and_bounds_the_minutes(desk: Desk) -> None:
    [command] = [each for each in desk.fake_discord.world.commands if each["name"] == "notify"]
    when, minutes = command["options"]
    names = {choice["value"]: choice["name"] for choice in when["choices"]}
    assert names == {"always": "Always", "never": "Never", "late": "Only if it took a while"}
    assert (minutes["min_value"], minutes["max_value"]) == (1, 1440)


# --- /privacy ---


async def test_a_person_who_never_ordered_a_video_has_nothing_to_delete(desk: Desk) -> None:
    await made(desk, user=desk.fake_discord.world.add_user("grace"))
    page = await ask(desk, "privacy")
    assert page.text == "I keep nothing about you."
    assert labels(page) == []


async def test_people_see_what_is_kept_of_them(desk: Desk) -> None:
    job = await made(desk)
    desk.bench.workspace.video(job.id).write_bytes(b"v")
    await desk.bench.artifacts.save(desk.artifact(job, b"v" * 3 * 1024 * 1024))
    await desk.video("a boat")
    await notify(desk, minutes=5)
    page = await ask(desk, "privacy")
    delivered = int(desk.clock() + 30 * DAY)
    ages = (
        "A video, its captions and its narration are deleted 30 days after you got the video, or "
        "earlier if space runs out. Prompts stay until you delete them. "
        f"The first of your videos to expire will be deleted <t:{delivered}:R>."
    )
    assert page.text.split("\n") == [
        "**What I keep about you**",
        "- 2 prompts, and the record of when and where you typed them and how they turned out",
        "- 1 finished video, 3 MB",
        "- 1 narration, kept so that you can use it again",
        "- Your DM setting: You get a DM when a video took more than 5 minutes.",
        ages,
        desk.bot.services.texts("privacy.provider"),
    ]
    assert labels(page) == ["Delete my data"]


async def test_a_choice_alone_is_shown_and_deleted(desk: Desk) -> None:
    await notify(desk, when="never")
    page = await ask(desk, "privacy")
    assert "0 prompts" in page.text
    assert "finished video" not in page.text
    await desk.click(page, "Delete my data")
    done = await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: done.text == "**Your data is deleted.**")
    assert (await person(desk)).notify is Notify.ALWAYS
    assert (await ask(desk, "privacy")).text == "I keep nothing about you."


async def test_records_that_name_a_person_are_shown_and_forget_them(desk: Desk) -> None:
    person_id, access = desk.fake_discord.world.user.id, desk.bench.access
    for value in (Rule.DENY, None):
        block = Change(scope=EVERYWHERE, name=Setting.PERSON, target=person_id, value=value)
        await access.change(block, actor=5, now=desk.clock())
    page = await ask(desk, "privacy")
    assert "the records of blocks" in page.text
    await desk.click(page, "Delete my data")
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "is deleted" in page.text)
    assert (await ask(desk, "privacy")).text == "I keep nothing about you."
    entries = await AuditStore(desk.bench.database).newest(EVERYWHERE, limit=9)
    history = AccessView(desk.bot.services.texts, "en").history(entries)
    assert history.count("requests by a person whose data is deleted") == 2
    # A block in effect stays.
    block = Change(scope=EVERYWHERE, name=Setting.PERSON, target=person_id, value=Rule.DENY)
    await access.change(block, actor=5, now=desk.clock())
    page = await ask(desk, "privacy")
    await desk.click(page, "Delete my data")
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "is deleted" in page.text)
    refused = await ask(desk, "video", {"prompt": "a cat"})
    assert "My operator has blocked your requests" in refused.text
    assert "the records of blocks" in (await ask(desk, "privacy")).text


async def test_nothing_is_deleted_before_it_was_asked_for_twice(desk: Desk) -> None:
    job = await made(desk)
    page = await ask(desk, "privacy")
    before = page.text
    question = await desk.click(page, "Delete my data")
    assert question is page
    assert "Delete all of this?" in page.text
    assert labels(page) == ["Yes, delete everything", "No, keep it"]
    await desk.click(page, "No, keep it")
    assert page.text == before
    assert await desk.bench.now(job.id) == job


async def test_all_that_has_ended_is_deleted_and_the_rest_is_named(desk: Desk) -> None:
    bench = desk.bench
    mine = [await made(desk) for _ in range(2)]
    theirs = await made(desk, user=desk.fake_discord.world.add_user("grace"))
    under_way, card = await desk.video("a boat")
    await notify(desk, when="never")
    page = await ask(desk, "privacy")
    await desk.click(page, "Delete my data")
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "is deleted" in page.text)
    assert "1 of your videos is still in progress" in page.text
    assert "To enforce the limits here" in page.text
    assert "Their Delete button works for one more day" in page.text
    assert labels(page) == []
    for job in mine:
        assert (await bench.now(job.id)).deleted_at is not None
        assert not bench.workspace.video(job.id).exists()
        assert not bench.workspace.narration(job.id).exists()
    assert (await person(desk)).notify is Notify.ALWAYS
    assert await bench.now(under_way.id) == under_way
    assert await bench.now(theirs.id) == theirs
    assert bench.workspace.video(theirs.id).exists()

    await desk.click(card, "Cancel")
    await bench.run_out(under_way.id)
    page = await ask(desk, "privacy")
    assert "1 prompt," in page.text
    await desk.click(page, "Delete my data")
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "is deleted" in page.text)
    assert "in progress" not in page.text
    assert (await bench.now(under_way.id)).request.prompt == ""


async def test_an_empty_row_is_mentioned_until_it_is_deleted(desk: Desk) -> None:
    await made(desk)
    until = f"none of the content. These records will be deleted <t:{int(desk.clock()) + DAY}:R>."
    page = await ask(desk, "privacy")
    await desk.click(page, "Delete my data")
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "is deleted" in page.text)
    assert until in page.text
    page = await ask(desk, "privacy")
    heading, rows = page.text.split("\n")
    assert heading == "**What I keep about you**"
    assert rows.endswith(until)
    assert labels(page) == []
    desk.clock.advance(DAY + 1)
    await desk.bench.retention.sweep()
    assert (await ask(desk, "privacy")).text == "I keep nothing about you."


async def test_a_video_that_waits_for_the_operator_goes_with_the_rest(desk: Desk) -> None:
    bench = desk.bench
    bench.deliverer.handover = Handover.HELD
    job = await bench.at(JobState.DELIVERING, user_id=desk.fake_discord.world.user.id)
    await bench.step(job.id)
    page = await ask(desk, "privacy")
    await desk.click(page, "Delete my data")
    assert "in progress" not in page.text
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "is deleted" in page.text)
    assert "Your data is deleted" in page.text
    assert (await bench.now(job.id)).state is JobState.CANCELLED
    assert not await bench.workspace.has_video(job.id)


@pytest.mark.parametrize(
    ("choice", "heading"),
    [
        (None, "**Nothing was deleted.**"),
        ("never", "**Only your settings were deleted.**"),
    ],
)
async def test_nothing_is_said_to_be_deleted_that_was_not(
    desk: Desk, choice: str | None, heading: str
) -> None:
    await desk.video("a boat")
    if choice:
        await notify(desk, when=choice)
    page = await ask(desk, "privacy")
    await desk.click(page, "Delete my data")
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "eleted" in page.text)
    first, rest = page.text.split("\n")
    assert (first, rest[:37]) == (heading, "1 of your videos is still in progress")


async def test_what_is_left_is_not_said_to_be_deleted(desk: Desk) -> None:
    await made(desk)
    await desk.video("a boat")
    page = await ask(desk, "privacy")
    await desk.click(page, "Delete my data")
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "is deleted" in page.text)
    heading, rest, *_ = page.text.split("\n")
    assert heading == "**Everything is deleted except what is still in progress.**"
    assert rest.startswith("1 of your videos")


async def test_a_person_can_not_delete_the_data_of_another(desk: Desk) -> None:
    job = await made(desk)
    page = await ask(desk, "privacy")
    await desk.click(page, "Delete my data")
    reply = await desk.click(
        page, "Yes, delete everything", user=desk.fake_discord.world.add_user("grace")
    )
    assert "data isn't yours" in reply.text
    assert reply.ephemeral
    assert await desk.bench.now(job.id) == job


async def test_the_buttons_still_work_after_a_restart(desk: Desk) -> None:
    job = await made(desk)
    world = desk.fake_discord.world
    button = {
        "type": 2,
        "style": 4,
        "label": "Old",
        "custom_id": f"clapper:privacy:sure:{world.user.id}",
    }
    body: dict[str, Any] = {"flags": 1 << 15, "components": [{"type": 1, "components": [button]}]}
    old = desk.fake_discord.messages.create(world.channel, world.bot, body)
    await desk.click(old, "Old")
    await desk.fake_discord.wait_for(lambda: "is deleted" in old.text)
    assert (await desk.bench.now(job.id)).deleted_at is not None
    assert desk.bot.persistent_views == []


async def test_a_deletion_is_finished_even_if_it_can_not_be_said(desk: Desk) -> None:
    job = await made(desk)
    page = await ask(desk, "privacy")
    await desk.click(page, "Delete my data")
    desk.fake_discord.faults.add("PATCH /webhooks/*", UNKNOWN_WEBHOOK)
    await desk.click(page, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: len(desk.made("PATCH /webhooks")) == 1)
    assert (await desk.bench.now(job.id)).deleted_at is not None
    assert "type /privacy again" in page.text


async def test_privacy_says_that_sums_are_kept_if_videos_have_a_price(tmp_path: Path) -> None:
    for name, price in (("paid", 800_000), ("free", 0)):
        (tmp_path / name).mkdir()
        async with open_desk(tmp_path / name, price=price) as desk:
            await made(desk)
            overview = await ask(desk, "privacy")
            assert ("I keep the total cost of your requests" in overview.text) == (price > 0)
