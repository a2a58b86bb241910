"""Orders while the operator has paused them. test_refused_orders.py has each way to order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.jobs.waits.pause_watch import PauseWatch
from bot.model import JobState
from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE, Change, Setting
from tests.support.desk import open_desk
from tests.support.fakes.media import FakeVoice
from tests.support.form_steps import count
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
WORDS = "Back after the *upgrade*."


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, voice=FakeVoice(b"no sound")) as opened:
        opened.bench.backend.finish()
        yield opened
        check_all(opened.fake_discord.history.requests)


async def pause(desk: Desk, *, until: int | None = None, is_drain: bool = False) -> None:
    value = str(Pause(words=WORDS, until=until, is_drain=is_drain))
    change = Change(scope=EVERYWHERE, name=Setting.PAUSE, value=value)
    await desk.bench.access.change(change, actor=None, now=desk.clock())


async def answer(desk: Desk, command: str, **options: str) -> Message:
    return await desk.fake_discord.answer_to(await desk.fake_discord.slash(command, options))


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en", "has paused new requests"), ("de", "keine neuen Aufträge"), ("ja", "停止しています")],
)
async def test_a_pause_says_in_each_language_when_it_ends_and_ends_then(
    desk: Desk, locale: str, words: str
) -> None:
    until = int(desk.clock()) + 60
    await pause(desk, until=until)
    user = desk.fake_discord.world.add_user("another", locale=locale)
    asked = await desk.fake_discord.slash("video", {"prompt": "a cat"}, user=user)
    shown = (await desk.fake_discord.answer_to(asked)).text
    assert words in shown
    assert WORDS in shown
    assert f"<t:{until}:R>" in shown
    desk.clock.advance(61)
    await desk.video()
    assert await count(desk) == 1


async def test_what_is_under_way_continues(desk: Desk) -> None:
    job = await desk.bench.submit(user_id=desk.fake_discord.world.user.id)
    await pause(desk)
    assert (await desk.bench.run_out(job.id)).state is JobState.SUCCEEDED


async def test_cards_of_queued_jobs_say_while_they_wait_for_the_operator(desk: Desk) -> None:
    job, card = await desk.video()
    queued = await desk.bench.step(job.id)
    assert queued.state is JobState.QUEUED
    watch = PauseWatch(desk.bench.access, desk.bench.jobs, clock=desk.clock)
    progress, deliverer = desk.bench.changes, desk.deliverer()
    until = int(desk.clock()) + 60

    async def published() -> bool:
        """Look at the pause, and refresh the card if the queue was published."""
        before = len(progress)
        await watch.look()
        await deliverer.refresh(queued)
        return any(change.outlook_only for change in progress[before:])

    assert not await published()
    assert "Next in the queue" in card.text
    await pause(desk, until=until, is_drain=True)
    assert await published()
    assert "Next in the queue" in card.text
    assert f"lets the videos in progress finish before any others start: “{WORDS}”" in card.text
    assert f"<t:{until}:R>" in card.text
    assert not await published()
    desk.clock.advance(61)
    assert await published()
    assert WORDS not in card.text
