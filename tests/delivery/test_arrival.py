"""Every video is delivered once and byte for byte, despite Discord's limits and failures."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.delivery.copies import smaller_copies
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import WITHIN, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from tests.support.wire import Wire

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
BY_TOKEN = "PATCH /webhooks/*"
BY_BOT = "PATCH /channels/{channel_id}/messages"
MIB = 1024 * 1024
# A little more than the time that a progress edit may delay the final one.
SOON = 3.0


@pytest.fixture
async def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Wire]:
    monkeypatch.setattr(smaller_copies, "_DELIVERING_SECONDS", 0.05)
    async with open_wire(tmp_path, seconds_per_job=None) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


def here(wire: Wire) -> str:
    """Return a PUBLIC_URL that the test can reach."""
    return f"http://127.0.0.1:{wire.port}"


def pad(wire: Wire, size: int) -> None:
    """Pad the provider's clip to a size without changing its picture."""
    clip = wire.clip.read_bytes()
    free = size - len(clip)
    wire.clip.write_bytes(clip + free.to_bytes(4, "big") + b"free" + bytes(free - 8))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def original(wire: Wire) -> str:
    return sha256(wire.clip.read_bytes())


async def creating(wire: Wire, **where: object) -> Message:
    """Type a command, and wait until the provider has accepted the job."""
    message = await wire.video("A cat", **where)
    await wire.wait_for_card_text(message, "Creating")
    return message


async def finish(wire: Wire) -> None:
    """Let the provider finish, and wait until the job has ended."""
    [ref] = wire.api.jobs
    wire.api.finish(ref)
    await wire.wait_for_job()


def finals(message: Message) -> int:
    """Count the versions of a message that show a video or a link to one."""
    return sum(bool(version.files) or "/d/" in str(version.payload) for version in message.versions)


async def linked(message: Message) -> str:
    """Return the SHA-256 of the file behind the link on a message."""
    [url] = [part["url"] for part in message.components if part.get("url")]
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return sha256(await response.read())


def refused(wire: Wire, status: int) -> int:
    return len([r for r in wire.fake_discord.history.requests if r.status == status])


async def test_over_the_announced_limit_a_smaller_copy_comes_with_a_link_to_the_original(
    wire: Wire,
) -> None:
    wire.fake_discord.limits.announced_bytes = wire.fake_discord.limits.upload_bytes = 100_000
    async with wire.bot(public_url=here(wire)):
        message = await creating(wire)
        await finish(wire)
        assert await linked(message) == original(wire)
        await wire.wait_for_video(message)
        assert await linked(message) == original(wire)
    assert message.files[0].size <= 100_000
    assert "smaller copy" in message.text
    assert refused(wire, 413) == 0
    assert finals(message) == 2


async def test_without_a_link_even_a_bad_copy_is_better_than_none(wire: Wire) -> None:
    wire.fake_discord.limits.announced_bytes = wire.fake_discord.limits.upload_bytes = 60_000
    async with wire.bot():
        message = await creating(wire)
        await finish(wire)
    assert message.files[0].size <= 60_000
    assert "much smaller copy" in message.text
    assert finals(message) == 1


async def test_a_413_below_the_announced_limit_is_learned_and_the_next_size_comes(
    wire: Wire,
) -> None:
    pad(wire, 9 * MIB)
    wire.fake_discord.limits.upload_bytes = 8 * MIB
    async with wire.bot(public_url=here(wire)):
        message = await creating(wire)
        await finish(wire)
        await wire.wait_for_video(message)
        assert await linked(message) == original(wire)
    assert 0 < message.files[0].size <= 8 * MIB
    assert refused(wire, 413) == 1
    assert finals(message) == 2
    guild = wire.fake_discord.world.guild.id
    found = query(wire.data_dir, "SELECT guild_id, bytes FROM upload_limits")
    assert found == [(guild, 8 * MIB)]


async def test_after_a_second_413_the_card_keeps_the_link(wire: Wire) -> None:
    pad(wire, 9 * MIB)
    wire.fake_discord.limits.upload_bytes = 1000
    async with wire.bot(public_url=here(wire)):
        message = await creating(wire)
        await finish(wire)
        await wire.fake_discord.wait_for(lambda: refused(wire, 413) == 2, within=WITHIN)
        assert await linked(message) == original(wire)
    assert not message.files
    assert finals(message) == 1


async def test_a_deleted_channel_brings_the_video_by_dm(wire: Wire) -> None:
    async with wire.bot():
        message = await creating(wire)
        wire.fake_discord.limits.token_life = 0
        wire.fake_discord.messages.delete(message)
        wire.fake_discord.world.remove_channel(message.channel)
        await finish(wire)
    [dm] = wire.fake_discord.dms()
    assert dm.files[0].sha256 == original(wire)
    assert refused(wire, 401) == 1


@pytest.mark.parametrize("hidden", [False, True])
async def test_where_the_bot_is_not_the_video_comes_by_dm_and_nothing_is_tried_in_vain(
    wire: Wire, *, hidden: bool
) -> None:
    world = wire.fake_discord.world
    if hidden:
        channel = world.add_channel(world.guild, bot_permissions="2048")
    else:
        channel = world.add_channel(world.add_guild("Elsewhere", installed=False))
    async with wire.bot():
        message = await creating(wire, where=channel)
        wire.fake_discord.limits.token_life = 0
        await finish(wire)
    [dm] = wire.fake_discord.dms()
    assert dm.files[0].sha256 == original(wire)
    assert refused(wire, 401) == 1
    assert wire.fake_discord.history.operations(BY_BOT) == []
    assert finals(message) == 0


async def test_where_the_bot_is_not_the_card_says_in_time_that_the_result_comes_by_dm(
    wire: Wire,
) -> None:
    elsewhere = wire.fake_discord.world.add_guild("Elsewhere", installed=False)
    channel = wire.fake_discord.world.add_channel(elsewhere)
    async with wire.bot():
        message = await creating(wire, where=channel)
    # Thirteen minutes later, and after a restart.
    with closing(sqlite3.connect(wire.data_dir / "clapper.db")) as database, database:
        database.execute("UPDATE jobs SET token_until = ?", (time.time() + 110,))
    async with wire.bot():
        await wire.wait_for_card_text(message, "the result by DM")
        await finish(wire)
    # The video is ready before the token expires.
    assert message.files[0].sha256 == original(wire)


async def test_with_the_card_gone_and_dms_closed_the_library_has_it(wire: Wire) -> None:
    wire.fake_discord.close_dms()
    async with wire.bot():
        message = await creating(wire)
        wire.fake_discord.messages.delete(message)
        await finish(wire)
    assert wire.fake_discord.dms() == []
    [video] = (wire.data_dir / "videos").iterdir()
    assert sha256(video.read_bytes()) == original(wire)
    assert query(wire.data_dir, "SELECT delivered_at FROM artifacts") == [(None,)]
    assert query(wire.data_dir, "SELECT dm_closed_at IS NULL FROM people") == [(0,)]


async def test_a_reset_in_the_middle_of_the_upload_leaves_one_whole_video(wire: Wire) -> None:
    async with wire.bot():
        message = await creating(wire)
        wire.fake_discord.faults.add(BY_TOKEN, faults.Cut(2000), times=1)
        await finish(wire)
    assert message.files[0].sha256 == original(wire)
    assert finals(message) == 1


async def test_progress_that_is_throttled_for_long_does_not_make_the_video_late(
    wire: Wire,
) -> None:
    async with wire.bot():
        message = await creating(wire)
        wire.fake_discord.faults.add(BY_TOKEN, api_errors.rate_limited(10), times=None)
        [ref] = wire.api.jobs
        wire.api.progress(ref, 42)
        await wire.fake_discord.wait_for(lambda: refused(wire, 429))
        async with asyncio.timeout(SOON):
            await finish(wire)
    assert message.files[0].sha256 == original(wire)
    assert refused(wire, 429) == 1
    assert len(wire.fake_discord.history.operations(BY_BOT)) == 1
    assert finals(message) == 1
