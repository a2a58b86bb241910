"""The bot as a separate process, while the machine's clock is set by another program."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.bot_process import open_bot
from tests.support.moved_clock import AHEAD_FILE, set_clock
from tests.support.wire import SECRET, WITHIN, Wire, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from tests.support.bot_process import BotProcess

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
HOUR = 60 * 60.0
DAY = 24 * HOUR
BEFORE_AND_AFTER = [(6 * HOUR, 0.0), (-2 * HOUR, 0.0), (0.0, 9 * HOUR), (-400 * DAY, 0.0)]


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncGenerator[Wire]:
    async with open_wire(tmp_path, seconds_per_job=None) as opened:
        yield opened


@asynccontextmanager
async def running(wire: Wire, *, ahead: float) -> AsyncGenerator[BotProcess]:
    """Start the bot under a clock that is `ahead`, and wait until it is connected."""
    set_clock(clock_file(wire), ahead)
    environment = {
        "DISCORD_TOKEN": wire.fake_discord.token,
        "DISCORD_API_URL": wire.fake_discord.url,
        "ORDER_FROM": "everywhere",
        "DATA_DIR": str(wire.data_dir),
        "HTTP_PORT": str(wire.port),
        "VIDEO_BACKEND": "openai",
        "OPENAI_BASE_URL": wire.api.base_url,
        "OPENAI_WEBHOOK_SECRET": SECRET,
        AHEAD_FILE: str(clock_file(wire)),
    }
    before = wire.fake_discord.gateway.identified
    async with open_bot(environment, "tests.support.moved_clock") as bot:
        await wire.fake_discord.wait_for_bot(after=before, within=WITHIN)
        yield bot


def clock_file(wire: Wire) -> Path:
    return wire.folder / "ahead"


async def polled(wire: Wire, *, times: int) -> None:
    """Wait until the bot has polled its job this many more times."""
    enough = len(wire.api.made("GET", "/videos/")) + times
    async with asyncio.timeout(WITHIN):
        while len(wire.api.made("GET", "/videos/")) < enough:  # noqa: ASYNC110 - no event for a count
            await asyncio.sleep(0.02)


async def ordered(wire: Wire) -> Message:
    message = await wire.video("A lighthouse")
    await wire.api.created()
    await polled(wire, times=1)
    return message


async def assert_delivered(wire: Wire, message: Message) -> None:
    """Finish the remote job without a webhook, and check that its video is delivered."""
    assert wire.api.made("DELETE") == []
    wire.api.finish(wire.api.creates[0])
    await wire.wait_for_video(message)
    await wire.wait_for_job()
    assert wire.creates() == 1


@pytest.mark.parametrize(("before", "after"), BEFORE_AND_AFTER)
async def test_a_job_continues_when_the_clock_is_set(
    wire: Wire, before: float, after: float
) -> None:
    async with running(wire, ahead=before) as bot:
        message = await ordered(wire)
        set_clock(clock_file(wire), after)
        await bot.logged("clock.set")
        await polled(wire, times=5)
        await assert_delivered(wire, message)


@pytest.mark.parametrize(("before", "after"), BEFORE_AND_AFTER)
async def test_a_job_continues_when_the_clock_is_set_between_two_starts(
    wire: Wire, before: float, after: float
) -> None:
    async with running(wire, ahead=before) as bot:
        message = await ordered(wire)
        await bot.kill()
    async with running(wire, ahead=after):
        await polled(wire, times=5)
        await assert_delivered(wire, message)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, DAY])
@pytest.mark.parametrize("later", [True, False], ids=["set later", "off from the start"])
async def test_the_card_in_a_group_chat_is_updated_whatever_the_clock_shows(
    wire: Wire, *, ahead: float, later: bool
) -> None:
    world = wire.fake_discord.world
    group = world.add_group(world.user, world.add_user("friend"))
    async with running(wire, ahead=0.0 if later else ahead) as bot:
        message = await wire.video("A lighthouse", where=group)
        ref = await wire.api.created()
        wire.api.progress(ref, 20)
        await wire.wait_for_card_text(message, "20")
        if later:
            set_clock(clock_file(wire), ahead)
            await bot.logged("clock.set")
        wire.api.progress(ref, 60)
        await wire.wait_for_card_text(message, "60")
        await assert_delivered(wire, message)


async def test_a_delivered_video_is_kept_by_a_clock_that_runs_ahead(wire: Wire) -> None:
    async with running(wire, ahead=0.0):
        message = await ordered(wire)
        await assert_delivered(wire, message)
    async with running(wire, ahead=400 * DAY) as bot:
        await bot.logged("sweep.postponed")
    assert list((wire.data_dir / "videos").glob("*.mp4"))
