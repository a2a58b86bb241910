"""In "Video details", the owner and moderators see everything, others only what the card shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.delivery.views.details_view import DetailsView
from bot.delivery.views.service_name import ServiceName
from bot.library.index import JobDetails
from bot.model import JobState
from bot.texts import Texts
from cogs import library
from tests.support.jobs import job as make_job
from tests.support.library import ask, card_of, finish
from tests.support.shown import read

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.message import Message
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


async def details(desk: Desk, message: Message, **who: Any) -> Message:
    return await desk.fake_discord.answer_to(
        await desk.fake_discord.choose("Video details", message, **who)
    )


async def test_the_owner_learns_everything_about_a_video(desk: Desk) -> None:
    job = await finish(desk, "A cat\nsays ```hello``` **loudly**")
    reply = await details(desk, card_of(desk, job))
    lines = reply.text.split("\n")
    person = f"<@{desk.fake_discord.world.user.id}>"
    assert lines[:5] == [
        "**Video details**",
        f"**Ready** · for {person} · <t:{int(job.created_at)}:f>",
        "```",
        "A cat",
        "says `\u200b``hello`\u200b`` **loudly**",
    ]
    steps = [line.partition(" ")[2] for line in lines if line.startswith("<t:")]
    assert steps[:3] == ["Getting ready", "Queued", "Sending your request to the video service"]
    assert steps[-2:] == ["Delivering the video", "Ready"]
    assert lines[-3:] == [
        "-# default model · 8 s · 1280×720",  # noqa: RUF001 - the multiplication sign
        "-# File size: 0 MB",
        f"-# Job `{job.id}` · video service ID `{job.remote_id}`",
    ]
    assert reply.ephemeral


@pytest.mark.parametrize(
    ("micros", "state", "line"),
    [
        (800_000, JobState.SUCCEEDED, "-# Cost: $0.80"),
        (800_000, JobState.GENERATING, "-# Cost: at most $0.80"),
        (800_000, JobState.FAILED, "-# Cost: at most $0.80"),
        (0, JobState.SUCCEEDED, ""),
    ],
)
def test_details_say_what_a_video_costs(micros: int, state: JobState, line: str) -> None:
    shown = JobDetails(job=make_job(state, micros=micros), artifact=None, steps=())
    for shows_prices in (True, False):
        view = DetailsView(Texts.load(), ServiceName(), shows_prices=shows_prices)
        for in_full in (True, False):
            found = [
                text for text in read(view.render(shown, "en", in_full=in_full)) if "$" in text
            ]
            assert found == ([line] if line and shows_prices and in_full else [])


@pytest.mark.usefixtures("_all_are_moderators")
async def test_a_moderator_sees_as_much(desk: Desk) -> None:
    moderator = desk.fake_discord.world.add_user("grace")
    job = await ask(desk, "`" * 2000)
    reply = await details(desk, card_of(desk, job), user=moderator)
    assert reply.text.endswith(f"-# No file\n-# Job `{job.id}`")
    assert "``````" not in reply.text
    assert len(reply.text) < 4000


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
        reply = await details(
            desk, card_of(desk, job), user=replace(desk.fake_discord.world.user, locale=locale)
        )
        assert len(reply.text.encode("utf-16-le")) / 2 <= 4000
        assert reply.text.split("```")[1].endswith("…\n")
        assert f"`{job.id}`" in reply.text
        assert "\u200d…" not in reply.text


async def test_others_see_only_what_the_card_shows_anyway(desk: Desk) -> None:
    job = await finish(desk, "A cat")
    reply = await details(desk, card_of(desk, job), user=desk.fake_discord.world.add_user("grace"))
    assert reply.text.split("\n") == [
        "**Video details**",
        f"**Ready** · for <@{desk.fake_discord.world.user.id}> · <t:{int(job.created_at)}:f>",
        "-# default model · 8 s · 1280×720",  # noqa: RUF001 - the multiplication sign
    ]


@pytest.mark.parametrize(
    ("backend", "label", "shown"),
    [("storyboard", "", "storyboard"), ("openai", "", "sora-2"), ("openai", "X", "X · sora-2")],
)
async def test_the_details_name_who_made_the_video_and_not_the_protocol(
    desk: Desk, backend: str, label: str, shown: str
) -> None:
    job = await finish(desk, "A cat")
    desk.bot.services = replace(
        desk.bot.services,
        service_name=ServiceName(label=label, backend=backend, model="sora-2"),
    )
    desk.bot.tree.clear_commands(guild=None)
    library.setup(desk.bot)
    params = {"id": job.id, "backend": backend}
    await desk.bench.database.rows(
        "UPDATE jobs SET backend = :backend, model = 'sora-2' WHERE id = :id", params
    )
    reply = await details(desk, card_of(desk, job))
    assert f"-# {shown} · 8 s · 1280×720" in reply.text.split("\n")  # noqa: RUF001 - the multiplication sign


async def test_a_video_that_failed_says_why(desk: Desk) -> None:
    job = await desk.bench.at(JobState.FAILED)
    await desk.bench.database.rows(
        "UPDATE jobs SET user_id = :id", {"id": desk.fake_discord.world.user.id}
    )
    message = desk.fake_discord.say("its card", user=desk.fake_discord.world.bot)
    await desk.bench.database.rows("UPDATE jobs SET message_id = :id", {"id": message.id})
    reply = await details(desk, message)
    assert "content policy" in reply.text
    assert "That didn't work" in reply.text
    assert f"`{job.id}`" in reply.text


async def test_a_message_other_than_a_card_has_no_details(desk: Desk) -> None:
    reply = await details(desk, desk.fake_discord.say("hello"))
    assert reply.text.startswith("That message isn't one of my video cards")
    assert reply.ephemeral
