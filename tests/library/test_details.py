"""In "Video details" the owner and moderators see all, and others what the card shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.demo.fake_discord.state import world
from bot.model import JobState
from tests.support.cards import MANAGE_MESSAGES
from tests.support.library import ask, card_of, finish

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.message import Message
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


@pytest.fixture
def _all_are_moderators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "PERMISSIONS", str(int(world.PERMISSIONS) | MANAGE_MESSAGES))


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
