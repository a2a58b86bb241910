"""Commands and buttons: permissions, answers, and the answers after an error."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.delivery.views.button_ids import Action
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.state import channel as channels
from bot.model import JobState
from tests.support.cards import Errors, post_card
from tests.support.desk import open_desk
from tests.support.fakes.clock import PATIENCE
from tests.support.form_steps import form, submit_form
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import FAST, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
ANSWER = "POST /interactions/*"
VIEW, SEND, SEND_IN_THREADS = 1 << 10, 1 << 11, 1 << 38


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
def errors() -> Generator[Errors]:
    handler = Errors()
    logging.getLogger("bot").addHandler(handler)
    yield handler
    logging.getLogger("bot").removeHandler(handler)


async def test_the_person_stops_a_job_once(desk: Desk) -> None:
    job, card = await desk.video()
    reply = await desk.click(card, "Cancel")
    assert (reply.text, reply.ephemeral) == ("Cancelled.", True)
    assert (await desk.bench.now(job.id)).state is JobState.CANCELLED
    reply = await desk.click(card, "Cancel")
    assert "Too late" in reply.text


async def test_a_stranger_stops_nothing(desk: Desk) -> None:
    job, card = await desk.video()
    reply = await desk.click(card, "Cancel", user=desk.fake_discord.world.add_user("grace"))
    assert "Only the person" in reply.text
    assert reply.ephemeral
    assert (await desk.bench.now(job.id)).state is JobState.RECEIVED


@pytest.mark.usefixtures("_all_are_moderators")
async def test_a_moderator_may_stop_a_job_but_not_spend_or_lose_money(desk: Desk) -> None:
    moderator = desk.fake_discord.world.add_user("grace")
    channel_id = desk.fake_discord.world.channel.id
    undecided = await desk.bench.at(JobState.UNDECIDED, channel_id=channel_id)
    # An old card that could not be edited any more still has the button Cancel.
    for action in (Action.RETRY, Action.GIVE_UP, Action.CANCEL):
        card = post_card(desk, action, undecided.id)
        assert "Only the person" in (await desk.click(card, "Old", user=moderator)).text
    assert (await desk.bench.now(undecided.id)).state is JobState.UNDECIDED
    job, card = await desk.video()
    assert (await desk.click(card, "Cancel", user=moderator)).text == "Cancelled."
    assert (await desk.bench.now(job.id)).state is JobState.CANCELLED


@pytest.mark.usefixtures("_all_are_moderators")
@pytest.mark.parametrize("action", [Action.CANCEL, Action.DELETE])
async def test_a_moderator_of_one_channel_is_none_of_another(desk: Desk, action: Action) -> None:
    elsewhere = desk.fake_discord.world.add_channel(desk.fake_discord.world.guild)
    job = await desk.bench.submit(channel_id=elsewhere.id)
    forged = post_card(desk, action, job.id)
    reply = await desk.click(forged, "Old", user=desk.fake_discord.world.add_user("grace"))
    assert "Only the person" in reply.text
    assert (await desk.bench.now(job.id)).state is JobState.RECEIVED


async def test_cancel_on_a_card_that_could_not_ask_any_more_gives_up(desk: Desk) -> None:
    job = await desk.bench.at(JobState.UNDECIDED, user_id=desk.fake_discord.world.user.id)
    assert (await desk.click(post_card(desk, Action.CANCEL, job.id), "Old")).text == "Cancelled."
    assert (await desk.bench.now(job.id)).state is JobState.CANCELLED


@pytest.mark.parametrize("action", Action)
async def test_the_button_of_an_unknown_job_says_that_there_is_no_record_of_it(
    desk: Desk, action: Action
) -> None:
    reply = await desk.click(post_card(desk, action, "0" * 32), "Old")
    assert reply.text.startswith("I have no record of this video: it was deleted, or my data")
    assert reply.ephemeral


async def test_a_form_about_lost_data_says_that_there_is_no_record_of_it(desk: Desk) -> None:
    job, card = await desk.video()
    opened = await form(desk, Action.EDIT, await desk.bench.run_out(job.id))
    await desk.bench.database.rows("DELETE FROM jobs WHERE id = :id", {"id": job.id})
    assert "no record of this video" in (await submit_form(desk, opened, {"prompt": "A dog"})).text
    chosen = await desk.fake_discord.choose("Video details", card)
    assert "no record of its video" in (await desk.fake_discord.answer_to(chosen)).text


@pytest.mark.parametrize(
    "refusal", [api_errors.AUTOMOD, api_errors.AUTOMOD_TITLE, api_errors.HARMFUL_LINK]
)
async def test_a_card_that_automod_blocks_costs_nothing_and_is_no_fault_of_ours(
    desk: Desk, errors: Errors, refusal: api_errors.Refusal
) -> None:
    desk.fake_discord.faults.add(ANSWER, refusal)
    typed = await desk.fake_discord.slash("video", {"prompt": "a rude cat"})
    reply = await desk.fake_discord.answer_to(typed)
    assert reply.text.startswith("This server's AutoMod blocked my message because of your prompt")
    assert reply.ephemeral
    [row] = await desk.bench.database.rows("SELECT id FROM jobs", {})
    ended = await desk.bench.now(row["id"])
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.automod")
    await desk.bench.run_out(ended.id)
    assert desk.bench.backend.posts == 0
    assert errors.messages == []


async def test_an_answer_that_automod_blocks_is_no_fault_of_ours(
    desk: Desk, errors: Errors
) -> None:
    await desk.video("a rude cat")
    desk.fake_discord.faults.add(ANSWER, api_errors.AUTOMOD)
    reply = await desk.fake_discord.answer_to(await desk.fake_discord.slash("videos"))
    assert reply.text.startswith("This server's AutoMod blocked my message.")
    assert errors.messages == []


async def test_a_button_that_breaks_tells_the_person_where_the_operator_looks(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    _, card = await desk.video()
    async with desk.bench.unwritable():
        reply = await desk.click(card, "Cancel")
    assert reply.ephemeral
    incident = reply.text.rpartition(" ")[2].rstrip(".")
    [record] = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.getMessage() == f"interaction.failed id={incident}"
    assert record.exc_info is not None


async def test_a_command_that_breaks_tells_the_person_where_the_operator_looks(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk.bench.unwritable():
        interaction = await desk.fake_discord.slash("video", {"prompt": "a cat"})
        reply = await desk.fake_discord.answer_to(interaction)
    assert reply.ephemeral
    assert reply.text.endswith(f"{interaction.id}.")
    assert "Something went wrong" in reply.text
    [record] = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert str(interaction.id) in record.getMessage()


async def test_a_command_that_breaks_behind_its_card_leaves_the_card_alone(
    desk: Desk, errors: Errors
) -> None:
    posted = faults.Hold()
    desk.fake_discord.faults.add(ANSWER, posted)
    interaction = await desk.fake_discord.slash("video", {"prompt": "a cat"})
    await posted.reached.wait()
    async with desk.bench.unwritable():
        posted.release.set()
        async with asyncio.timeout(PATIENCE):
            await errors.came.wait()
    assert errors.messages == [f"interaction.failed id={interaction.id}"]
    card = await desk.fake_discord.answer_to(interaction)
    assert "Getting ready" in card.text
    assert len(desk.made("POST /")) == 1


@pytest.mark.parametrize(
    "fault", [api_errors.UNKNOWN_INTERACTION, faults.Cut()], ids=["too slow", "cut off"]
)
async def test_a_person_who_can_not_be_told_is_no_error(
    desk: Desk, caplog: pytest.LogCaptureFixture, fault: Any
) -> None:
    job, card = await desk.video()
    caplog.set_level(logging.WARNING)
    desk.fake_discord.faults.add(ANSWER, fault)
    [custom_id] = [part["custom_id"] for part in card.components if part.get("custom_id")]
    pressed = await desk.fake_discord.click(card, custom_id)
    await desk.bench.until(lambda: desk.bench.changed_to(JobState.CANCELLED))
    await desk.fake_discord.wait_for(lambda: len(desk.made("POST /interactions")) == 2)
    # The next press is answered: the failure before it broke nothing.
    assert "Too late" in (await desk.click(card, "Cancel")).text
    assert pressed.message is None
    assert (await desk.bench.now(job.id)).state is JobState.CANCELLED
    [record] = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert record.getMessage().startswith(f"interaction.unanswered id={pressed.id}")


async def test_a_command_that_discord_repeats_is_one_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    once = desk.fake_discord.gateway.dispatch
    monkeypatch.setattr(
        desk.fake_discord.gateway,
        "dispatch",
        lambda name, event: once(name, event) and once(name, event),
    )
    caplog.set_level(logging.WARNING)
    job, _ = await desk.video()
    await desk.fake_discord.answer_to(await desk.fake_discord.slash("video", {"prompt": "b"}))
    repeated = [r for r in caplog.records if "interaction.repeated" in r.getMessage()]
    assert len(repeated) >= 1
    assert [change.job.id for change in desk.bench.changes].count(job.id) == 2
    assert len(desk.fake_discord.history.messages) == 2


@pytest.mark.parametrize(
    ("kind", "permissions", "bot_can_edit"),
    [
        (channels.TEXT, VIEW | SEND, True),
        (channels.TEXT, VIEW, True),  # the bot may edit its own messages
        (channels.TEXT, SEND, False),
        (channels.THREAD, VIEW | SEND_IN_THREADS, True),
        (channels.THREAD, VIEW | SEND, False),
        (channels.THREAD, SEND_IN_THREADS, False),
    ],
)
async def test_the_bot_edits_by_itself_only_where_it_may(
    desk: Desk, kind: int, permissions: int, *, bot_can_edit: bool
) -> None:
    world = desk.fake_discord.world
    where = world.add_channel(world.guild, kind=kind, bot_permissions=str(permissions))
    await desk.fake_discord.answer_to(
        await desk.fake_discord.slash("video", {"prompt": "a"}, where=where)
    )
    [job] = {change.job.id: change.job for change in desk.bench.changes}.values()
    assert job.origin.bot_can_edit is bot_can_edit


async def test_in_a_dm_the_bot_edits_by_itself(desk: Desk) -> None:
    where = desk.fake_discord.world.dm(desk.fake_discord.world.user)
    await desk.fake_discord.answer_to(
        await desk.fake_discord.slash("video", {"prompt": "a"}, where=where)
    )
    assert desk.bench.changes[0].job.origin.bot_can_edit


async def test_cards_that_were_shown_are_not_kept_in_memory(desk: Desk) -> None:
    job, _ = await desk.video()
    deliverer = desk.deliverer()
    for _ in range(20):
        await deliverer.show(job)
    desk.delete_token()
    for _ in range(20):
        await deliverer.show(job)
    assert len(desk.made("PATCH /")) == 40
    assert desk.bot.persistent_views == []


async def test_an_error_message_is_not_mistaken_for_the_card(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path) as wire, wire.bot(timing=replace(FAST, acknowledge=0.3)):
        wire.fake_discord.faults.add(ANSWER, faults.Cut())
        reply = await wire.video("A lighthouse")
        await wire.wait_for_job("failed")
    assert "Something went wrong" in reply.text
    assert wire.creates() == 0


async def test_a_card_whose_answer_was_lost_is_found_and_gets_its_video(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire, wire.bot(timing=replace(FAST, acknowledge=0.3)):
        wire.fake_discord.faults.add(ANSWER, faults.LoseAnswer())
        message = await wire.video("A lighthouse")
        await wire.wait_for_video(message)
        await wire.wait_for_job()
    assert wire.creates() == 1
    assert len(wire.fake_discord.history.messages) == 2
