"""Two bots with one token: every command is one order, and the operator learns of the other bot."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bot.commands.checks.second_bot import examine_second_bot
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.model import JobState
from tests.support.desk import open_desk
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import free_port, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.desk import Desk
    from tests.support.wire import Wire

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
CALLBACK = "POST /interactions/*"
DAY = 24 * 60 * 60


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncGenerator[Wire]:
    async with open_wire(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def both(wire: Wire) -> AsyncGenerator[Path]:
    """Run two bots with one token, and yield the data folder of the second one."""
    second = wire.folder / "second"
    async with wire.bot(), wire.bot(data_dir=second, http_port=free_port()):
        yield second


async def test_one_command_that_reaches_two_bots_is_one_create_and_one_card(wire: Wire) -> None:
    async with both(wire) as second:
        for number in range(3):
            await wire.wait_for_video(await wire.video(f"A cat {number}"))
        async with asyncio.timeout(15):
            while not all(_ended(folder) for folder in (wire.data_dir, second)):  # noqa: ASYNC110 - a commit wakes nothing here
                await asyncio.sleep(0.05)
    assert wire.creates() == 3
    rows = [row for folder in (wire.data_dir, second) for row in _rows(folder)]
    assert sorted(rows) == sorted([("succeeded", None)] * 3 + [("failed", "failed.second_bot")] * 3)
    # Their requester was served: nothing tells them of a failure.
    assert not any("not made" in dm.text for dm in wire.fake_discord.dms())
    seen = [row for folder in (wire.data_dir, second) for row in _seen(folder)]
    assert sum(times for (times,) in seen) == 3


def _rows(folder: Path) -> list[tuple[str, str | None]]:
    return query(folder, "SELECT state, failure_key FROM jobs")


def _seen(folder: Path) -> list[tuple[int]]:
    return query(folder, "SELECT times FROM second_bots")


def _ended(folder: Path) -> bool:
    rows = query(folder, "SELECT state, next_at FROM jobs")
    return len(rows) == 3 and all(
        state in ("succeeded", "failed") and next_at is None for state, next_at in rows
    )


async def refused_job(desk: Desk) -> str:
    """Type a command that another bot answers first, and return the id of its job here."""
    desk.fake_discord.faults.add(CALLBACK, api_errors.ALREADY_ANSWERED)
    await desk.fake_discord.slash("video", {"prompt": "a cat"})
    await desk.bench.until(lambda: desk.bench.changed_to(JobState.FAILED))
    return desk.bench.changes[-1].job.id


async def test_a_first_callback_that_is_refused_as_a_second_one_ends_its_job_at_once(
    desk: Desk,
) -> None:
    job = await desk.bench.now(await refused_job(desk))
    assert job.failure is not None
    assert job.failure.key == "failed.second_bot"
    assert job.submitted_at is None
    found = await desk.second_bot.get(desk.bot.application_id or 0)
    assert found is not None
    assert (found.times, found.last_at) == (1, desk.clock())
    await desk.deliverer().show(job)
    assert desk.fake_discord.dms() == []


async def test_a_callback_whose_answer_was_lost_is_no_sign_of_another_bot(desk: Desk) -> None:
    # It is carried out, its answer is a server error, and discord.py repeats it.
    desk.fake_discord.faults.add(CALLBACK, faults.FailAfterwards(api_errors.server_error(502)))
    interaction = await desk.fake_discord.slash("video", {"prompt": "a cat"})
    message = await desk.fake_discord.answer_to(interaction)
    await desk.fake_discord.wait_for(lambda: len(desk.made("POST /interactions")) == 2)
    await desk.bench.until(lambda: bool(desk.bench.changes))
    job = desk.bench.changes[0].job
    assert await desk.card_edits.find(job) == message.id
    assert await desk.second_bot.get(desk.bot.application_id or 0) is None


async def test_a_card_that_is_looked_for_counts_only_with_this_jobs_own_button(desk: Desk) -> None:
    _, message = await desk.video()
    desk.fake_discord.faults.add(CALLBACK, faults.Cut(), times=None)
    interaction = await desk.fake_discord.slash("video", {"prompt": "a dog"})
    await desk.bench.until(lambda: desk.bench.changes[-1].job.request.prompt == "a dog")
    job = desk.bench.changes[-1].job
    # The other bot's answer to the same command.
    interaction.answer, interaction.message = 4, message
    assert await desk.card_edits.find(job) is None
    found = await desk.second_bot.get(desk.bot.application_id or 0)
    assert found is not None


@pytest.mark.parametrize("command", ["videos", "notify", "privacy"])
async def test_a_command_that_makes_no_job_shows_the_other_bot_as_well(
    desk: Desk, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.fake_discord.faults.add(CALLBACK, api_errors.ALREADY_ANSWERED, times=None)
    await desk.fake_discord.slash(command)
    await desk.fake_discord.wait_for(lambda: desk.made("POST /interactions"))
    async with asyncio.timeout(5):
        while await desk.second_bot.get(desk.bot.application_id or 0) is None:  # noqa: ASYNC110 - a commit wakes nothing here
            await asyncio.sleep(0.01)
    assert len(desk.made("POST /interactions")) == 1
    assert "token.shared" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_prompt_that_quotes_the_marker_of_a_dm_is_not_taken_for_that_dm(desk: Desk) -> None:
    first, _ = await desk.video()
    second, _ = await desk.video(f"clapper {first.id[:12]}")
    await desk.direct.send(second, desk.cards.dm_with_video(second), may_be_sent=False)
    await desk.direct.send(first, desk.cards.dm_with_video(first), may_be_sent=True)
    assert len(desk.fake_discord.dms()) == 2


# What the operator is told.


async def test_the_operator_is_told_once_a_day_while_the_other_bot_goes_on(desk: Desk) -> None:
    notices = desk.operator_notices()
    for _ in range(2):
        await refused_job(desk)
        desk.bench.changes.clear()
        await notices.send_due()
    [dm] = desk.fake_discord.dms()
    assert "Another process uses my token" in dm.text
    desk.clock.advance(DAY + 1)
    await notices.send_due()
    assert len(desk.fake_discord.dms()) == 1
    await refused_job(desk)
    await notices.send_due()
    assert len(desk.fake_discord.dms()) == 2


async def test_doctor_names_the_other_bot_for_a_day(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        data = desk.bench.root
        assert (await asyncio.to_thread(examine_second_bot, data, now=desk.clock())).ok
        await refused_job(desk)
        finding = await asyncio.to_thread(examine_second_bot, data, now=desk.clock())
        assert not finding.ok
        assert "DISCORD_TOKEN" in finding.advice
        desk.clock.advance(DAY + 1)
        assert (await asyncio.to_thread(examine_second_bot, data, now=desk.clock())).ok


def test_doctor_without_a_database_finds_nothing(tmp_path: Path) -> None:
    assert examine_second_bot(tmp_path, now=0.0).ok
