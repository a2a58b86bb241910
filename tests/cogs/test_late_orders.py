"""Orders that are not stored within a second of their arrival are answered all the same, once."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.delivery.progress import ProgressCards
from bot.delivery.views.button_ids import Action
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.model import JobState
from bot.pacing import EditIntervals
from tests.support.cards import post_card
from tests.support.desk import open_desk
from tests.support.fakes.bench import CAPS
from tests.support.fakes.clock import PATIENCE
from tests.support.form_steps import form, submit_form
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message
    from bot.model import Job, JobChanged
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
CALLBACK = "POST /interactions/*"
UNSAVED = "Nothing has been sent to the video service yet"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, blocked=("forbidden",)) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
def answers(desk: Desk) -> list[str]:
    """Record the ways in which orders are answered."""
    ways: list[str] = []
    desk.bot.services = replace(desk.bot.services, count_answer=ways.append)
    return ways


def delay_handling(desk: Desk, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let so much time pass between the arrival of each interaction and its handling."""
    dispatch = desk.fake_discord.gateway.dispatch

    def delayed(name: str, event: dict[str, Any]) -> bool:
        desk.bot.arrivals.record(int(event["id"]))
        desk.clock.advance(seconds)
        return dispatch(name, event)

    monkeypatch.setattr(desk.fake_discord.gateway, "dispatch", delayed)


@asynccontextmanager
async def stalled_database(desk: Desk) -> AsyncGenerator[threading.Event]:
    """Let no statement run until the event is set, or the block ends."""
    go_on = threading.Event()
    connection = desk.bench.database._statements._connection  # noqa: SLF001 - a stall, without a delay
    await connection.create_function("stall", 0, lambda: int(go_on.wait(30)))
    stalled = asyncio.create_task(desk.bench.database.rows("SELECT stall()", {}), name="stalled")
    await asyncio.sleep(0)
    try:
        yield go_on
    finally:
        go_on.set()
        await stalled


async def order(desk: Desk, prompt: str = "a cat") -> tuple[Interaction, Message]:
    interaction = await desk.fake_discord.slash("video", {"prompt": prompt})
    return interaction, await desk.fake_discord.answer_to(interaction)


def new_jobs(desk: Desk) -> list[Job]:
    return [change.job for change in desk.bench.changes if change.previous is None]


def rows(folder: Path) -> list[tuple[Any, ...]]:
    """Return the stored jobs' states and message ids, as another process sees them."""
    with closing(sqlite3.connect(folder / "data" / "clapper.db")) as reader:
        return reader.execute("SELECT state, message_id FROM jobs ORDER BY rowid").fetchall()


async def passes(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nothing is published
            await asyncio.sleep(0)


@asynccontextmanager
async def progress_cards(desk: Desk) -> AsyncGenerator[None]:
    """Edit the cards whose jobs change."""
    cards = ProgressCards(desk.deliverer(), EditIntervals(), clock=desk.clock)
    desk.bench.bus.subscribe(cards.on_job_changed)
    running = asyncio.create_task(cards.run(), name="progress cards")
    yield
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_order_that_is_stored_in_time_is_answered_with_its_card(
    desk: Desk, answers: list[str]
) -> None:
    _, card = await order(desk)
    assert "Getting ready" in card.text
    assert answers == ["stored"]
    assert len(desk.made("POST")) == 1


async def test_an_order_that_is_handled_late_is_answered_first_and_stored_with_its_message(
    desk: Desk, tmp_path: Path, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[list[tuple[Any, ...]]] = []

    def look(change: JobChanged) -> None:
        if change.previous is None:
            stored.append(rows(tmp_path))

    desk.bench.bus.subscribe(look)
    delay_handling(desk, monkeypatch, 1.0)
    _, card = await order(desk)
    assert UNSAVED in card.text
    await desk.bench.until(lambda: new_jobs(desk))
    # No moment at which the row was there without the message.
    assert stored == [[("received", card.id)]]
    assert answers == ["unsaved"]
    assert [request.operation for request in desk.fake_discord.history.requests][-1].startswith(
        "POST /interactions"
    )
    assert len(desk.made("POST")) == 1


async def test_the_card_of_a_stored_order_shows_the_job_as_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    delay_handling(desk, monkeypatch, 1.0)
    async with progress_cards(desk):
        _, card = await order(desk)
        await desk.fake_discord.wait_for(lambda: "Getting ready" in card.text)
    assert UNSAVED not in card.text


async def test_a_stalled_database_delays_no_answer(
    desk: Desk, tmp_path: Path, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    delay_handling(desk, monkeypatch, 0.95)  # 50 ms are left
    async with stalled_database(desk) as go_on:
        _, card = await order(desk)
        assert UNSAVED in card.text
        assert rows(tmp_path) == []
        go_on.set()
        await desk.bench.until(lambda: rows(tmp_path) == [("received", card.id)])
    assert answers == ["unsaved"]
    assert len(desk.made("POST")) == 1


async def test_what_needs_no_database_is_refused_privately_while_the_database_is_stalled(
    desk: Desk,
    tmp_path: Path,
) -> None:
    async with stalled_database(desk):
        _, reply = await order(desk, "something forbidden")
        assert reply.ephemeral
        _, reply = await order(desk, "   ")
        assert reply.ephemeral
    assert rows(tmp_path) == []


@pytest.mark.parametrize("stalled", [True, False])
async def test_a_cap_edits_the_early_card_into_the_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stalled: bool
) -> None:
    caps = replace(CAPS, open_per_user=0)
    async with open_desk(tmp_path, caps=caps) as desk:
        delay_handling(desk, monkeypatch, 0.95 if stalled else 1.0)
        if stalled:
            async with stalled_database(desk):
                _, card = await order(desk)
        else:
            _, card = await order(desk)
        await desk.fake_discord.wait_for(lambda: UNSAVED not in card.text)
        assert "at a time" in card.text or "videos" in card.text
        assert not [part for part in card.components if part.get("custom_id")]
        assert rows(tmp_path) == []
        assert len(desk.made("POST")) == 1
        check_all(desk.fake_discord.history.requests)


async def test_a_database_that_fails_edits_the_early_card_into_an_apology(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delay_handling(desk, monkeypatch, 1.0)
    await desk.bench.database.rows(
        "CREATE TRIGGER full BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'disk full'); END", {}
    )
    interaction, card = await order(desk)
    await desk.fake_discord.wait_for(lambda: UNSAVED not in card.text)
    assert str(interaction.id) in card.text
    assert rows(tmp_path) == []


async def test_an_order_that_is_handled_too_late_is_neither_answered_nor_stored(
    desk: Desk, tmp_path: Path, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    delay_handling(desk, monkeypatch, 3.0)
    await desk.fake_discord.slash("video", {"prompt": "a cat"})
    await passes(lambda: bool(answers))
    assert answers == ["too_late"]
    assert rows(tmp_path) == []
    assert desk.made("POST") == []


async def test_automod_that_blocks_the_early_card_orders_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delay_handling(desk, monkeypatch, 1.0)
    desk.fake_discord.faults.add(CALLBACK, api_errors.AUTOMOD)
    _, reply = await order(desk)
    assert reply.ephemeral
    assert rows(tmp_path) == []


async def test_automod_that_blocks_the_early_card_ends_the_job_that_was_being_stored(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delay_handling(desk, monkeypatch, 0.95)
    desk.fake_discord.faults.add(CALLBACK, api_errors.AUTOMOD)
    async with stalled_database(desk) as go_on:
        interaction = await desk.fake_discord.slash("video", {"prompt": "a cat"})
        await desk.fake_discord.wait_for(lambda: desk.made("POST"))
        go_on.set()
        reply = await desk.fake_discord.answer_to(interaction)
    assert reply.ephemeral
    assert rows(tmp_path) == [("failed", None)]


async def test_an_order_that_another_bot_answers_first_is_not_stored(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delay_handling(desk, monkeypatch, 1.0)
    desk.fake_discord.faults.add(CALLBACK, api_errors.ALREADY_ANSWERED)
    await desk.fake_discord.slash("video", {"prompt": "a cat"})
    application = desk.bot.application_id or 0
    async with asyncio.timeout(PATIENCE):
        while (seen := await desk.second_bot.get(application)) is None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    assert seen.times == 1
    assert rows(tmp_path) == []


async def test_an_early_card_whose_message_was_not_stored_is_found_by_its_button(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    delay_handling(desk, monkeypatch, 1.0)
    # discord.py sends the callback again, and learns only that there was one.
    desk.fake_discord.faults.add(CALLBACK, faults.FailAfterwards(api_errors.server_error(502)))
    _, card = await order(desk)
    await desk.bench.until(lambda: new_jobs(desk))
    [job] = new_jobs(desk)
    assert job.origin.message_id is None
    assert await desk.card_edits.find(job) == card.id


async def test_a_button_that_orders_is_answered_late_in_the_same_way(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    user = desk.fake_discord.world.user
    made = await desk.bench.at(JobState.SUCCEEDED, user_id=user.id)
    earlier = len(rows(tmp_path))
    delay_handling(desk, monkeypatch, 1.0)
    again = await desk.click(post_card(desk, Action.AGAIN, made.id), "Old")
    assert UNSAVED in again.text
    await desk.bench.until(lambda: len(rows(tmp_path)) > earlier)
    assert rows(tmp_path)[-1] == ("received", again.id)
    assert answers == ["unsaved"]


async def test_a_form_that_orders_is_answered_late_in_the_same_way(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    user = desk.fake_discord.world.user
    made = await desk.bench.at(JobState.SUCCEEDED, user_id=user.id)
    opened = await form(desk, Action.EDIT, made)
    delay_handling(desk, monkeypatch, 1.0)
    card = await submit_form(desk, opened, {"prompt": "a dog"})
    assert UNSAVED in card.text
    await desk.bench.until(lambda: ("received", card.id) in rows(tmp_path))
    assert answers == ["unsaved"]


async def test_an_answer_that_discord_no_longer_accepts_is_tried_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    desk.fake_discord.faults.add(CALLBACK, api_errors.UNKNOWN_INTERACTION, times=None)
    interaction = await desk.fake_discord.slash("video", {"prompt": "a cat"})
    await passes(lambda: f"interaction.unknown id={interaction.id}" in caplog.messages)
    assert len(desk.made("POST")) == 1
    assert not [record for record in caplog.records if record.exc_info]
