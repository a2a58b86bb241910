"""`/videos` and "Video details": people see their own videos, and others do not."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.artifacts import NOTE_SILENT, Handover
from bot.delivery import resend
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.state import world
from bot.errors import UserError
from bot.library.index import Library
from bot.model import JobState, VideoRequest
from tests.support.desk import open_desk
from tests.support.fakes.clock import PATIENCE
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from aiohttp import web

    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.world import User
    from bot.model import Job
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
UPLOAD = "PATCH /webhooks/*"
MANAGE_MESSAGES = 1 << 13
CLIP = b"\0\0\0\x18ftypmp42" + b"the clip" * 1000


@pytest.fixture
def public_url() -> str:
    """Return the base URL of links; a test that needs links parametrizes it."""
    return ""


@pytest.fixture
async def desk(tmp_path: Path, public_url: str) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, public_url=public_url) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
def _all_are_moderators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "PERMISSIONS", str(int(world.PERMISSIONS) | MANAGE_MESSAGES))


class Sent(logging.Handler):
    """Waits until the log says that a video was sent again."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.came = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("video.sent_again"):
            self.came.set()

    async def delivered_at(self, desk: Desk, job: Job) -> float | None:
        """Wait for that, and return when the artifact was marked as delivered."""
        async with asyncio.timeout(PATIENCE):
            await self.came.wait()
        artifact = await desk.bench.artifacts.get(job.id)
        return artifact.delivered_at if artifact else None


@pytest.fixture
def sent(caplog: pytest.LogCaptureFixture) -> Generator[Sent]:
    caplog.set_level(logging.INFO, "bot.delivery.resend")
    handler = Sent()
    logging.getLogger("bot.delivery.resend").addHandler(handler)
    yield handler
    logging.getLogger("bot.delivery.resend").removeHandler(handler)


async def ask(desk: Desk, prompt: str, *, user: User | None = None) -> Job:
    """Submit a job a minute after the last one, and give it a card."""
    desk.clock.advance(60)
    where = desk.fake_discord.world.channel
    assert where.guild is not None
    job = await desk.bench.submit(
        VideoRequest(prompt=prompt, model=None, seconds=8, size="1280x720"),
        user_id=(user or desk.fake_discord.world.user).id,
        guild_id=where.guild.id,
        channel_id=where.id,
        acknowledged=False,
    )
    message = desk.fake_discord.say(f"the card of {prompt[:100]}", user=desk.fake_discord.world.bot)
    acknowledged = await desk.bench.jobs.acknowledge(job.id, message.id)
    assert acknowledged is not None
    return acknowledged


async def finish(desk: Desk, prompt: str, content: bytes = CLIP) -> Job:
    """Run a job to its end, and store its video."""
    job = await ask(desk, prompt)
    desk.bench.backend.finish()
    job = await desk.bench.run_out(job.id)
    assert job.state is JobState.SUCCEEDED
    await desk.bench.artifacts.save(desk.artifact(job, content))
    return job


def card_of(desk: Desk, job: Job) -> Message:
    return next(m for m in desk.fake_discord.history.messages if m.id == job.origin.message_id)


async def videos(desk: Desk, **how: Any) -> Message:
    """Type `/videos`, and return the answer."""
    search = how.pop("search", None)
    options = {} if search is None else {"search": search}
    return await desk.fake_discord.answer_to(
        await desk.fake_discord.slash("videos", options, **how)
    )


async def press(desk: Desk, page: Message, start: str, **who: Any) -> Message:
    """Press the button whose id begins with `start`, and return the answer."""
    [custom_id] = [c["custom_id"] for c in page.components if is_button(c, start)]
    return await desk.fake_discord.answer_to(await desk.fake_discord.click(page, custom_id, **who))


def is_button(component: dict[str, Any], start: str) -> bool:
    return component.get("custom_id", "").startswith(start) and not component.get("disabled")


def prompts(page: Message) -> list[str]:
    return re.findall(r"(?m)^> (.*)$", page.text)


def labels(page: Message) -> list[str]:
    return [part["label"] for part in page.components if part["type"] == 2]


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
    assert "may cost twice" in page.text
    assert labels(page)[1:] == ["Try again (may cost twice)", "Give up"]
    assert (await press(desk, page, start)).ephemeral
    assert (await desk.bench.now(job.id)).state is state


async def test_a_video_under_way_is_cancelled_in_the_list_too(desk: Desk) -> None:
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


async def test_a_message_that_is_gone_is_no_place_to_jump_to(desk: Desk) -> None:
    desk.bench.deliverer.handover = Handover.DM
    job = await finish(desk, "A cat")
    assert job.card_gone
    assert labels(await videos(desk)) == ["Send again"]


async def test_a_person_without_videos_is_told_how_to_get_one(desk: Desk) -> None:
    page = await videos(desk, where=desk.fake_discord.world.dm(desk.fake_discord.world.user))
    assert page.text == "You haven't made any videos yet. Type /video to make one."
    assert page.ephemeral


async def test_what_was_deleted_is_shown_nowhere(desk: Desk) -> None:
    job = await finish(desk, "A cat")
    page = await videos(desk)
    assert await desk.bench.retention.delete(job.id)
    assert "any videos yet" in (await videos(desk)).text
    assert await desk.fake_discord.complete("videos", "search", "") == []
    assert "no longer have that video" in (await press(desk, page, "clapper:send:")).text
    chosen = await desk.fake_discord.choose("Video details", card_of(desk, job))
    assert "isn't one of my video cards" in (await desk.fake_discord.answer_to(chosen)).text


async def test_pages_are_turned_in_their_place(desk: Desk) -> None:
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
    # The template answered, as after a restart: no view is kept in memory.
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


async def test_a_search_takes_what_is_typed_for_just_that(desk: Desk) -> None:
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


async def test_what_is_typed_is_completed_from_ones_own_prompts(desk: Desk) -> None:
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


async def test_a_video_is_sent_again_and_counts_as_delivered(desk: Desk, sent: Sent) -> None:
    job = await finish(desk, "A cat")
    await desk.bench.database.rows("UPDATE artifacts SET delivered_at = NULL", {})
    await desk.bench.database.rows("UPDATE jobs SET note = :note", {"note": NOTE_SILENT})
    again = await press(desk, await videos(desk), "clapper:send:")
    [file] = again.files
    assert await asyncio.to_thread(file.path.read_bytes) == CLIP
    assert file.filename == f"clapper-{job.id[:8]}.mp4"
    assert again.ephemeral
    assert prompts(again) == ["A cat"]
    assert "is silent" in again.text
    assert await sent.delivered_at(desk, job) == desk.clock()
    assert desk.made("POST /webhooks") == []


async def test_an_upload_that_breaks_is_repeated(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    desk.fake_discord.faults.add(UPLOAD, faults.Cut(after_bytes=100), times=2)
    [file] = (await press(desk, page, "clapper:send:")).files
    assert await asyncio.to_thread(file.path.read_bytes) == CLIP


async def test_an_upload_that_keeps_breaking_is_given_up(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    desk.fake_discord.faults.add(UPLOAD, faults.Cut(after_bytes=100), times=3)
    told = await press(desk, page, "clapper:send:")
    assert "didn't accept the video" in told.text
    assert told.ephemeral
    [record] = [r for r in caplog.records if "resend.failed" in r.getMessage()]
    assert "could not be reached" in record.getMessage()
    # The next press works: the failed one did not keep its slot.
    assert (await press(desk, page, "clapper:send:")).files


async def test_a_refusal_is_not_repeated(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    desk.fake_discord.faults.add(UPLOAD, api_errors.NOT_THE_AUTHOR)
    assert "didn't accept the video" in (await press(desk, page, "clapper:send:")).text
    assert len(desk.made("PATCH /webhooks")) == 2


@pytest.mark.parametrize("public_url", ["https://clapper.test"])
@pytest.mark.parametrize("announced", [20_000_000, 5000], ids=["refused", "announced"])
async def test_a_video_that_is_too_large_comes_as_a_link(
    desk: Desk, sent: Sent, announced: int
) -> None:
    job = await finish(desk, "A cat")
    desk.fake_discord.limits.announced_bytes = announced
    desk.fake_discord.limits.upload_bytes = 5000
    again = await press(desk, await videos(desk), "clapper:send:")
    [url] = [part["url"] for part in again.components if part.get("url")]
    assert url.startswith(f"https://clapper.test/d/{job.id}.")
    assert labels(again) == ["Watch the video (0 MB)"]
    assert len([r for r in desk.made("PATCH") if r.multipart]) == (announced > 5000)
    assert await sent.delivered_at(desk, job) == desk.clock()


async def test_without_an_address_a_video_that_is_too_large_is_explained(desk: Desk) -> None:
    await finish(desk, "A cat", b"x" * 2_100_000)
    desk.fake_discord.limits.announced_bytes = 1_048_576
    told = await press(desk, await videos(desk), "clapper:send:")
    assert told.text.startswith("That video is 2 MB, and Discord's limit here is 1 MB.")


@pytest.mark.parametrize("public_url", ["", "https://clapper.test"], ids=["alone", "linked"])
async def test_a_smaller_copy_comes_where_the_video_itself_is_too_large(
    desk: Desk, sent: Sent, public_url: str
) -> None:
    job = await finish(desk, "A cat")
    desk.bench.editor.least[True] = 100
    desk.fake_discord.limits.announced_bytes = 5000
    again = await press(desk, await videos(desk), "clapper:send:")
    [file] = again.files
    assert await asyncio.to_thread(file.path.read_bytes) == bytes(5000)
    assert "smaller copy" in again.text
    assert labels(again) == (["Watch in full quality"] if public_url else [])
    assert await sent.delivered_at(desk, job) == desk.clock()


async def test_a_smaller_copy_is_made_once_and_again_only_for_a_lower_limit(
    desk: Desk, sent: Sent
) -> None:
    job = await finish(desk, "A cat")
    page = await videos(desk)
    desk.bench.editor.least[True] = 100
    for announced, made in [(5000, 1), (6000, 1), (4000, 2), (5000, 2)]:
        desk.fake_discord.limits.announced_bytes = announced
        [file] = (await press(desk, page, "clapper:send:")).files
        assert file.size <= announced
        assert len(desk.bench.editor.shrunk) == made
        assert await sent.delivered_at(desk, job)
        sent.came.clear()


@dataclass(frozen=True, slots=True)
class Stall(faults.Fault):
    """Delays the answer until `over` is set."""

    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def on_arrival(self, request: web.Request) -> None:
        del request
        await self.over.wait()


async def test_the_person_is_told_in_time_that_an_upload_takes_too_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    monkeypatch.setattr(resend, "_TIMEOUT_SECONDS", 0.1)
    stall = Stall()
    desk.fake_discord.faults.add(UPLOAD, stall)
    assert "didn't accept the video" in (await press(desk, page, "clapper:send:")).text
    stall.over.set()


async def test_a_video_is_not_sent_to_another_person(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    stranger = desk.fake_discord.world.add_user("grace")
    told = await press(desk, page, "clapper:send:", user=stranger)
    assert "no longer have that video" in told.text
    assert not told.files


async def test_a_file_that_was_deleted_a_moment_ago_is_explained(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await finish(desk, "A cat")
    page = await videos(desk)
    path = desk.bench.workspace.video(job.id)
    await asyncio.to_thread(path.unlink)
    assert "no longer have that video" in (await press(desk, page, "clapper:send:")).text

    async def still_there(_job_id: str) -> bool:
        return True

    monkeypatch.setattr(desk.bench.workspace, "has_video", still_there)
    assert "no longer have that video" in (await press(desk, page, "clapper:send:")).text


async def test_one_video_at_a_time_is_sent_to_a_person(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    held = faults.Hold()
    desk.fake_discord.faults.add(UPLOAD, held)
    [custom_id] = [c["custom_id"] for c in page.components if is_button(c, "clapper:send:")]
    first = await desk.fake_discord.click(page, custom_id)
    async with asyncio.timeout(PATIENCE):
        await held.reached.wait()
    assert "already sending you a video" in (await press(desk, page, "clapper:send:")).text
    held.release.set()
    assert (await desk.fake_discord.answer_to(first)).files


def test_a_slot_is_free_again_after_an_error() -> None:
    library = Library(None, None, None, clock=time.time)  # type: ignore[arg-type] # none is used
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"), library.send_lock(1):
            with pytest.raises(UserError, match="busy"), library.send_lock(1):
                raise NotImplementedError
            with library.send_lock(2):
                raise ValueError("broken")


@pytest.mark.parametrize("start", ["clapper:page:", "clapper:send:"])
async def test_a_button_that_breaks_tells_the_person_where_the_operator_looks(
    desk: Desk, caplog: pytest.LogCaptureFixture, start: str
) -> None:
    for number in range(5):
        await ask(desk, f"Boat {number}")
    await finish(desk, "A cat")
    page = await videos(desk)
    await desk.bench.database.rows("ALTER TABLE jobs RENAME TO mislaid", {})
    told = await press(desk, page, start)
    assert "Something went wrong" in told.text
    assert told.ephemeral
    [record] = [r for r in caplog.records if "interaction.failed" in r.getMessage()]
    assert record.exc_info is not None


async def details(desk: Desk, message: Message, **who: Any) -> Message:
    return await desk.fake_discord.answer_to(
        await desk.fake_discord.choose("Video details", message, **who)
    )


async def test_the_owner_learns_everything_about_a_video(desk: Desk) -> None:
    job = await finish(desk, "A cat\nsays ```hello``` **loudly**")
    told = await details(desk, card_of(desk, job))
    lines = told.text.split("\n")
    person = f"<@{desk.fake_discord.world.user.id}>"
    assert lines[:5] == [
        "**Video details**",
        f"**Ready** · for {person} · <t:{int(job.created_at)}:f>",
        "```",
        "A cat",
        "says `\u200b``hello`\u200b`` **loudly**",
    ]
    steps = [line.partition(" ")[2] for line in lines if line.startswith("<t:")]
    assert steps[:3] == ["Getting ready", "Queued", "Sending it to the video service"]
    assert steps[-2:] == ["Delivering the video", "Ready"]
    assert lines[-3:] == [
        "-# fake · default model · 8 s · 1280×720",  # noqa: RUF001 - the multiplication sign
        "-# File size: 0 MB",
        f"-# Job `{job.id}` · video service ID `{job.remote_id}`",
    ]
    assert told.ephemeral


@pytest.mark.usefixtures("_all_are_moderators")
async def test_a_moderator_learns_as_much(desk: Desk) -> None:
    moderator = desk.fake_discord.world.add_user("grace")
    job = await ask(desk, "`" * 2000)
    told = await details(desk, card_of(desk, job), user=moderator)
    assert told.text.endswith(f"-# No file\n-# Job `{job.id}`")
    assert "``````" not in told.text
    assert len(told.text) < 4000


@pytest.mark.parametrize("prompt", ["`" * 2000, "👩🏽‍🚀 " * 400])
async def test_details_stay_within_what_a_message_holds(desk: Desk, prompt: str) -> None:
    job = await finish(desk, prompt)
    await desk.bench.database.rows(
        "UPDATE jobs SET model = :long, remote_id = :long, state = 'failed',"
        " failure_key = 'audio.unreadable', failure_fields = :fields WHERE id = :id",
        {"long": "m" * 200, "fields": '{"found": "MP3"}', "id": job.id},
    )
    for _ in range(15):
        await desk.bench.database.rows(
            "INSERT INTO job_events (job_id, at, epoch, to_state) VALUES (:id, :at, 1, :state)",
            {"id": job.id, "at": desk.clock(), "state": "undecided"},
        )
    for locale in ("en-US", "de", "ja"):
        told = await details(
            desk, card_of(desk, job), user=replace(desk.fake_discord.world.user, locale=locale)
        )
        assert len(told.text.encode("utf-16-le")) / 2 <= 4000
        assert told.text.split("```")[1].endswith("…\n")
        assert f"`{job.id}`" in told.text
        assert "\u200d…" not in told.text


async def test_others_see_only_what_the_card_shows_anyway(desk: Desk) -> None:
    job = await finish(desk, "A cat")
    told = await details(desk, card_of(desk, job), user=desk.fake_discord.world.add_user("grace"))
    assert told.text.split("\n") == [
        "**Video details**",
        f"**Ready** · for <@{desk.fake_discord.world.user.id}> · <t:{int(job.created_at)}:f>",
        "-# fake · default model · 8 s · 1280×720",  # noqa: RUF001 - the multiplication sign
    ]


async def test_a_video_that_failed_says_why(desk: Desk) -> None:
    job = await desk.bench.at(JobState.FAILED)
    await desk.bench.database.rows(
        "UPDATE jobs SET user_id = :id", {"id": desk.fake_discord.world.user.id}
    )
    message = desk.fake_discord.say("its card", user=desk.fake_discord.world.bot)
    await desk.bench.database.rows("UPDATE jobs SET message_id = :id", {"id": message.id})
    told = await details(desk, message)
    assert "content policy" in told.text
    assert "That didn't work" in told.text
    assert f"`{job.id}`" in told.text


async def test_a_message_that_is_no_card_has_no_details(desk: Desk) -> None:
    told = await details(desk, desk.fake_discord.say("hello"))
    assert told.text.startswith("That message isn't one of my video cards")
    assert told.ephemeral


async def test_a_finished_video_is_fetched_in_a_dm_after_a_restart(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire:
        async with wire.bot():
            card = await wire.video("A lighthouse")
            await wire.wait_for_video(card)
            await wire.wait_for_job()
            dm = wire.fake_discord.world.dm(wire.fake_discord.world.user)
            page = await wire.fake_discord.answer_to(
                await wire.fake_discord.slash("videos", where=dm)
            )
        async with wire.bot():
            [send] = [c["custom_id"] for c in page.components if is_button(c, "clapper:send:")]
            again = await wire.fake_discord.answer_to(await wire.fake_discord.click(page, send))
        check_all(wire.fake_discord.history.requests)
    assert again.channel == dm
    assert [file.sha256 for file in again.files] == [file.sha256 for file in card.files]
