"""`/videos` lists and searches a person's own videos."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import Handover
from bot.model import JobState
from tests.support.library import ask, card_of, finish, is_button, labels, press, prompts, videos

if TYPE_CHECKING:
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


async def test_people_see_their_own_videos_the_newest_first(desk: Desk) -> None:
    stranger = desk.fake_discord.world.add_user("grace")
    kept = await finish(desk, "A **lighthouse**\nat @everyone's dusk")
    gone = await finish(desk, "A cat")
    await asyncio.to_thread(desk.bench.workspace.video(gone.id).unlink)
    await desk.bench.jobs.cancel((await ask(desk, "A dog")).id)
    await ask(desk, "A secret", user=stranger)
    waiting = await ask(desk, "A boat " * 100)
    page = await videos(desk)

    boat = ("A boat " * 100)[:139].rstrip() + "…"
    assert page.text.split("\n") == [
        "**Your videos**",
        f"**Getting ready** · <t:{int(waiting.created_at)}:R>",
        f"> {boat}",
        "-# 8 s",
        f"**Cancelled** · <t:{int(waiting.created_at) - 120}:R>",
        "> A dog",
        "-# 8 s",
        f"**Ready** · <t:{int(gone.created_at)}:R>",
        "> A cat",
        "-# 8 s · file no longer available",
        f"**Ready** · <t:{int(kept.created_at)}:R>",
        "> A \\*\\*lighthouse\\*\\* at @\u200beveryone's dusk",
        "-# 8 s · file available",
    ]
    assert page.ephemeral
    assert labels(page) == [
        *("Jump to message", "Cancel"),
        *["Jump to message"] * 3,
        "Send again",
    ]
    links = [part["url"] for part in page.components if part.get("url")]
    guild, channel = kept.origin.guild_id, kept.origin.channel_id
    assert links[3] == f"https://discord.com/channels/{guild}/{channel}/{kept.origin.message_id}"
    assert prompts(await videos(desk, user=stranger)) == ["A secret"]


@pytest.mark.parametrize(
    ("start", "state"),
    [("clapper:retry:", JobState.QUEUED), ("clapper:give_up:", JobState.CANCELLED)],
)
async def test_an_undecided_job_can_be_decided_in_the_list_too(
    desk: Desk, start: str, state: JobState
) -> None:
    person = desk.fake_discord.world.user
    job = await desk.bench.at(JobState.UNDECIDED, user_id=person.id)
    page = await videos(desk, where=desk.fake_discord.world.dm(person))
    assert "may charge twice" in page.text
    assert labels(page)[1:] == ["Try again (may cost double)", "Give up"]
    assert (await press(desk, page, start)).ephemeral
    assert (await desk.bench.now(job.id)).state is state


async def test_an_unfinished_video_can_be_cancelled_in_the_list_too(desk: Desk) -> None:
    person = desk.fake_discord.world.user
    job = await desk.bench.at(JobState.GENERATING, user_id=person.id)
    page = await videos(desk, where=desk.fake_discord.world.dm(person))
    assert labels(page)[1:] == ["Cancel"]
    assert (await press(desk, page, "clapper:cancel:")).ephemeral
    assert (await desk.bench.now(job.id)).state is JobState.CANCELLED


async def test_the_longest_page_keeps_discords_limit_of_components(desk: Desk) -> None:
    person = desk.fake_discord.world.user
    for _ in range(6):
        await desk.bench.at(JobState.UNDECIDED, user_id=person.id)
    page = await videos(desk)
    assert labels(page).count("Give up") == 5
    assert len(page.components) <= 40


async def test_a_deleted_message_is_not_linked(desk: Desk) -> None:
    desk.bench.deliverer.handover = Handover.DM
    job = await finish(desk, "A cat")
    assert job.card_gone
    assert labels(await videos(desk)) == ["Send again"]


async def test_a_person_without_videos_is_told_how_to_get_one(desk: Desk) -> None:
    page = await videos(desk, where=desk.fake_discord.world.dm(desk.fake_discord.world.user))
    assert page.text == "You haven't made any videos yet. Type /video to make one."
    assert page.ephemeral


async def test_a_deleted_job_is_shown_nowhere(desk: Desk) -> None:
    job = await finish(desk, "A cat")
    page = await videos(desk)
    assert await desk.bench.retention.delete(job.id)
    assert "any videos yet" in (await videos(desk)).text
    assert await desk.fake_discord.complete("videos", "search", "") == []
    assert "no longer have that video" in (await press(desk, page, "clapper:send:")).text
    chosen = await desk.fake_discord.choose("Video details", card_of(desk, job))
    assert "isn't one of my video cards" in (await desk.fake_discord.answer_to(chosen)).text


async def test_pages_are_turned_in_the_same_message(desk: Desk) -> None:
    for number in range(11):
        await ask(desk, f"Boat {number} of the 100%")
    await ask(desk, "A cat")
    page = await videos(desk, search="  boat ")
    assert prompts(page) == [f"Boat {number} of the 100%" for number in (10, 9, 8, 7, 6)]
    assert labels(page)[-3:] == ["Newer", "1 of 3", "Older"]
    assert await press(desk, page, "clapper:page:5:") is page
    assert await press(desk, page, "clapper:page:10:") is page
    assert prompts(page) == ["Boat 0 of the 100%"]
    assert labels(page)[-2] == "3 of 3"
    assert [is_button(part, "clapper:page:") for part in page.components][-3:] == [1, 0, 0]
    await press(desk, page, "clapper:page:5:")
    assert prompts(page)[0] == "Boat 5 of the 100%"
    assert page.text.startswith("**Your matching videos**\n")
    # The template handles the press, as after a restart, because no view is kept in memory.
    assert desk.bot.persistent_views == []


async def test_a_page_that_no_longer_exists_is_replaced_by_the_last_one(desk: Desk) -> None:
    jobs = [await ask(desk, f"Boat {number}") for number in range(6)]
    page = await videos(desk)
    await desk.bench.jobs.cancel(jobs[0].id)
    await desk.bench.run_out(jobs[0].id)
    assert await desk.bench.retention.delete(jobs[0].id)
    await press(desk, page, "clapper:page:5:")
    assert prompts(page) == [f"Boat {number}" for number in (5, 4, 3, 2, 1)]
    assert "Older" not in labels(page)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("rain boat", ["A paper BOAT in the rain"]),
        ("RAIN paper", ["A paper BOAT in the rain"]),
        ("boat snow", []),
        ("gruesse", []),
        ("ägypten GRÜSSE", ["Grüße aus ÄGYPTEN"]),
        ("ｶﾞ", ["ガラスの舟"]),
    ],
)
async def test_a_search_finds_all_words_in_any_order_and_case(
    desk: Desk, typed: str, found: list[str]
) -> None:
    for prompt in ("A paper BOAT in the rain", "Grüße aus ÄGYPTEN", "ガラスの舟"):
        await ask(desk, prompt)
    assert prompts(await videos(desk, search=typed)) == found
    offered = await desk.fake_discord.complete("videos", "search", typed)
    assert [choice["name"] for choice in offered] == found


async def test_a_search_treats_special_characters_literally(desk: Desk) -> None:
    texts = ["100% cats", "100 cats", "a_b", "aXb", "back\\slash", "It's “quoted”"]
    for text in texts:
        await ask(desk, text)
    for typed, found in [
        ("0% c", ["100% cats"]),
        ("a_b", ["a_b"]),
        ("\\", ["back\\\\slash"]),
        ("' OR 1=1", []),
        ("T'S", ["It's “quoted”"]),
        ("100", ["100 cats", "100% cats"]),
    ]:
        assert prompts(await videos(desk, search=typed)) == [
            text.replace("_", "\\_") for text in found
        ]
    nothing = await videos(desk, search="*dogs*")
    assert nothing.text.startswith("None of your prompts contains all the words in “\\*dogs\\*”.")


async def test_typed_words_are_completed_from_the_persons_own_prompts(desk: Desk) -> None:
    long = await ask(desk, "Boats, " + "many " * 40)
    for number in range(30):
        await ask(desk, f"Boat {number}")
    newest = await ask(desk, "Boat 3")
    stranger = desk.fake_discord.world.add_user("grace")
    secret = await ask(desk, "Boat of a stranger", user=stranger)

    choices = await desk.fake_discord.complete("videos", "search", "boat")
    assert [choice["name"] for choice in choices[:3]] == ["Boat 3", "Boat 29", "Boat 28"]
    assert len(choices) == 25
    assert prompts(await videos(desk, search=choices[0]["value"])) == ["Boat 3"] * 2
    assert choices[0]["value"] == newest.id
    [choice] = await desk.fake_discord.complete("videos", "search", "boats,")
    assert choice["value"] == long.id
    assert choice["name"].endswith("many…")
    assert len(choice["name"]) <= 100
    # Another person's job is not found by its id either.
    assert prompts(await videos(desk, search=secret.id)) == []


@pytest.mark.parametrize("start", ["clapper:page:", "clapper:send:"])
async def test_a_button_that_breaks_tells_the_person_where_the_operator_looks(
    desk: Desk, caplog: pytest.LogCaptureFixture, start: str
) -> None:
    for number in range(5):
        await ask(desk, f"Boat {number}")
    await finish(desk, "A cat")
    page = await videos(desk)
    await desk.bench.database.rows("ALTER TABLE jobs RENAME TO mislaid", {})
    reply = await press(desk, page, start)
    assert "Something went wrong" in reply.text
    assert reply.ephemeral
    [record] = [r for r in caplog.records if "interaction.failed" in r.getMessage()]
    assert record.exc_info is not None
