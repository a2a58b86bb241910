"""The places that show the sent prompt, and those that show the typed prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.delivery.views.button_ids import Action
from bot.model import JobState
from tests.support.cards import post_card
from tests.support.desk import open_desk
from tests.support.fakes.prompts import FakeWriter
from tests.support.providers.chat_api import MODEL, ChatApi
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import free_port, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from bot.model import Job
    from tests.support.desk import Desk

WORDS = "a cat on a roof"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        opened.bench.writer = FakeWriter()
        opened.bench.pipeline = opened.bench.build_pipeline()
        yield opened
        check_all(opened.fake_discord.history.requests)


async def finished(desk: Desk, words: str = WORDS) -> tuple[Job, Message]:
    """Finish a video for this prompt; return its job and its card."""
    job, card = await desk.video(words)
    desk.bench.backend.finish()
    ended = await desk.bench.run_out(job.id)
    assert ended.state is JobState.SUCCEEDED
    return ended, card


async def details(desk: Desk, card: Message, **who: object) -> str:
    chosen = await desk.fake_discord.choose("Video details", card, **who)  # pyright: ignore[reportArgumentType] - user
    return (await desk.fake_discord.answer_to(chosen)).text


async def test_the_details_show_what_was_added(desk: Desk) -> None:
    _, card = await finished(desk)
    reply = await details(desk, card)
    added = "Added to the prompt for the video service:\n```\nTake 1.\n```"
    assert f"```\n{WORDS}\n```\n{added}" in reply


async def test_others_do_not_see_it(desk: Desk) -> None:
    _, card = await finished(desk)
    reply = await details(desk, card, user=desk.fake_discord.world.add_user("grace"))
    assert "Take 1" not in reply
    assert WORDS not in reply


async def test_what_does_not_begin_with_the_words_is_shown_whole(desk: Desk) -> None:
    job, card = await finished(desk)
    await desk.bench.database.rows(
        "UPDATE jobs SET sent_prompt = :sent WHERE id = :id",
        {"id": job.id, "sent": "Something ```else```"},
    )
    assert "Sent to the video service:\n```\nSomething `\u200b``else`\u200b``\n```" in (
        await details(desk, card)
    )


async def test_nothing_is_shown_twice_where_nothing_was_added(desk: Desk) -> None:
    job, card = await finished(desk)
    await desk.bench.database.rows("UPDATE jobs SET sent_prompt = prompt", {})
    reply = await details(desk, card)
    assert reply.count(job.request.prompt) == 1
    assert "video service:" not in reply


async def test_the_longest_of_both_fits_into_a_message(desk: Desk) -> None:
    job, card = await finished(desk, "`" * 2000)
    await desk.bench.database.rows(
        "UPDATE jobs SET sent_prompt = prompt || :more WHERE id = :id",
        {"id": job.id, "more": "`" * 2000},
    )
    assert len(await details(desk, card)) < 4000


async def test_again_is_about_the_persons_words(desk: Desk) -> None:
    job, _ = await finished(desk)
    card = post_card(desk, Action.AGAIN, job.id)
    answered = await desk.click(card, "Old")
    await desk.bench.until(lambda: desk.bench.changes[-1].job.origin.message_id == answered.id)
    again = desk.bench.changes[-1].job
    assert (again.request.prompt, again.sent_prompt) == (WORDS, None)


async def test_the_form_to_edit_holds_the_persons_words(desk: Desk) -> None:
    job, _ = await finished(desk)
    card = post_card(desk, Action.EDIT, job.id)
    pressed = await desk.fake_discord.click(card, f"clapper:{Action.EDIT}:{job.id}")
    await desk.fake_discord.wait_for(lambda: pressed.modal)
    assert f"'value': '{WORDS}'" in str(pressed.modal)
    assert "Take 1" not in str(pressed.modal)


# The whole bot, over real sockets


async def test_a_chat_model_writes_what_the_video_service_gets(tmp_path: Path) -> None:
    async with (
        ChatApi(key="sk-chat") as chat,
        open_wire(tmp_path) as wire,
        wire.bot(
            prompt_writer="openai",
            prompt_base_url=chat.base_url,
            prompt_api_key="sk-chat",
            prompt_model=MODEL,
        ),
    ):
        await wire.wait_for_video(await wire.video("A boat"))
        await wire.wait_for_job()
        assert len(chat.made("POST")) == 1
    [job] = wire.api.jobs.values()
    assert job["prompt"].startswith("A boat\n\nA quiet harbour.\n")
    assert query(wire.data_dir, "SELECT prompt, sent_prompt FROM jobs") == [
        ("A boat", job["prompt"])
    ]


async def test_the_template_writes_where_the_chat_model_is_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        open_wire(tmp_path) as wire,
        wire.bot(
            prompt_writer="openai",
            prompt_base_url=f"http://127.0.0.1:{free_port()}/v1",
            prompt_model=MODEL,
        ),
    ):
        await wire.wait_for_video(await wire.video("A boat"))
        await wire.wait_for_job()
    [job] = wire.api.jobs.values()
    assert "Camera: steady" in job["prompt"]
    assert "prompt.unwritten id=" in caplog.text


@pytest.mark.parametrize(("writer", "camera"), [("off", False), ("template", True)])
async def test_the_operator_decides_whether_anything_is_added(
    tmp_path: Path, writer: str, *, camera: bool
) -> None:
    async with open_wire(tmp_path) as wire, wire.bot(prompt_writer=writer):
        await wire.wait_for_video(await wire.video("A boat"))
        await wire.wait_for_job()
    [job] = wire.api.jobs.values()
    assert ("Camera: steady" in job["prompt"]) is camera
    assert job["prompt"].startswith("A boat")


async def test_title_cards_show_the_words_alone(tmp_path: Path) -> None:
    async with (
        open_wire(tmp_path, video_backend="storyboard", video_size="320x180") as wire,
        wire.bot(prompt_writer="template", video_seconds=1),
    ):
        await wire.wait_for_video(await wire.video("Explain rainbows"))
        await wire.wait_for_job()
    assert query(wire.data_dir, "SELECT sent_prompt FROM jobs") == [("Explain rainbows",)]
