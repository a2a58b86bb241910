"""kill -9 at every point, checked by the provider's list of charges and Discord's messages."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest

from bot.demo.fake_discord.rest import faults
from tests.support.bot_process import open_bot
from tests.support.media import clips
from tests.support.providers.videos_api import Fault
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import SECRET, WITHIN, Wire, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from tests.support.bot_process import BotProcess

# Each takes seconds, so the complete loop is a proof instead of a test.
STATES = [
    "submitting",
    "delivering",
    *(
        pytest.param(state, marks=pytest.mark.proof)
        for state in ("queued", "generating", "downloading", "merging", "notifying")
    ),
]
BACKENDS = [
    "videos api",
    *(
        pytest.param(backend, marks=pytest.mark.proof)
        for backend in ("storyboard inside", "storyboard alone")
    ),
]


def environment(wire: Wire, backend: str) -> dict[str, str]:
    common = {
        "DISCORD_TOKEN": wire.fake_discord.token,
        "DISCORD_API_URL": wire.fake_discord.url,
        "DATA_DIR": str(wire.data_dir),
        "HTTP_PORT": str(wire.port),
        "VIDEO_BACKEND": "storyboard" if backend == "storyboard inside" else "openai",
        "OPENAI_BASE_URL": wire.api.base_url,
        "OPENAI_WEBHOOK_SECRET": SECRET,
    }
    if backend.startswith("storyboard"):
        common |= {"VIDEO_SIZE": "320x180", "VIDEO_SECONDS": "2"}
    return common | {name.upper(): str(value) for name, value in wire.overrides.items()}


@asynccontextmanager
async def running(wire: Wire, backend: str) -> AsyncGenerator[BotProcess]:
    before = wire.fake_discord.gateway.identified
    async with open_bot(environment(wire, backend)) as bot:
        await wire.fake_discord.wait_for_bot(after=before, within=WITHIN)
        yield bot


@asynccontextmanager
async def storyboard_alone(wire: Wire) -> AsyncGenerator[str]:
    """Run the renderer as a separate process, and return its base URL."""
    folder = wire.folder / "provider"
    async with open_bot(
        {"DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}, "tests.support.storyboard_process"
    ) as renderer:
        await renderer.logged("OPENAI_BASE_URL=")
        [line] = [line for line in renderer.lines if "OPENAI_BASE_URL=" in line]
        yield line.strip().partition("=")[2]


@asynccontextmanager
async def provider(wire: Wire, backend: str) -> AsyncGenerator[None]:
    if backend != "storyboard alone":
        yield
        return
    async with storyboard_alone(wire) as base_url:
        wire.overrides["openai_base_url"] = base_url
        yield


def creates(wire: Wire, backend: str) -> int:
    """Count the jobs that the provider knows of, which is what it would charge for."""
    if backend == "videos api":
        assert len(wire.api.jobs) == wire.creates()
        return len(wire.api.jobs)
    data_dir = wire.data_dir if backend == "storyboard inside" else wire.folder / "provider"
    return len(list((data_dir / "storyboard").glob("video_*.json")))


def trust_list(data_dir: Path) -> None:
    """Store that the list has shown a job of this key, so that absence from it is proof."""
    with closing(sqlite3.connect(data_dir / "clapper.db", isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO listings (backend, account, shown_at)"
            " SELECT backend, account, :now FROM jobs WHERE account IS NOT NULL",
            {"now": time.time()},
        )


def assert_one_of_each(wire: Wire, message: Message) -> None:
    """Check that one message has the video, one DM was sent, and each step finished once."""
    carriers = [m for m in wire.fake_discord.history.messages if m.files]
    assert carriers == [message]
    assert len(wire.fake_discord.dms()) == 1
    assert len(wire.fake_discord.history.messages) == 2
    assert wire.events().count("succeeded") == 1
    check_all(wire.fake_discord.history.requests)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("state", STATES)
async def test_a_kill_in_any_state_loses_nothing_and_pays_once(
    tmp_path: Path, state: str, backend: str
) -> None:
    voice = tmp_path / "voice.wav"
    await asyncio.to_thread(clips.make_speech, voice, seconds=1)
    async with open_wire(tmp_path) as wire, provider(wire, backend):
        async with running(wire, backend) as bot:
            interaction = await wire.type("A lighthouse", voice)
            await bot.logged(f"to={state}")
            await bot.kill()
        await asyncio.to_thread(trust_list, wire.data_dir)
        async with running(wire, backend):
            message = await wire.fake_discord.wait_for(
                lambda: next((m for m in wire.fake_discord.history.messages if m.files), None),
                within=WITHIN,
            )
            await wire.wait_for_job()
        assert interaction.message is message
        assert creates(wire, backend) == 1
        assert_one_of_each(wire, message)


@pytest.mark.proof
async def test_a_kill_while_the_attachment_is_fetched_loses_nothing(tmp_path: Path) -> None:
    voice = tmp_path / "voice.wav"
    await asyncio.to_thread(clips.make_speech, voice, seconds=1)
    async with open_wire(tmp_path) as wire:
        wire.fake_discord.faults.add("GET *-attachments/*", held := faults.Hold())
        async with running(wire, "videos api") as bot:
            message = await wire.video("A lighthouse", voice)
            await held.reached.wait()
            await bot.kill()
        held.release.set()
        async with running(wire, "videos api"):
            await wire.wait_for_video(message)
            await wire.wait_for_job()
        assert creates(wire, "videos api") == 1
        assert_one_of_each(wire, message)


@pytest.mark.proof
async def test_a_kill_before_the_card_was_posted_is_never_charged(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire:
        wire.fake_discord.faults.add("POST /interactions/*", faults.Cut(), times=None)
        async with running(wire, "videos api") as bot:
            await wire.type("A lighthouse")
            await bot.logged("to=received")
            await bot.kill()
        wire.fake_discord.faults.clear()
        async with running(wire, "videos api"):
            await wire.wait_for_job("failed")
        assert wire.creates() == 0
        assert wire.fake_discord.history.messages == []


@pytest.mark.proof
async def test_a_kill_before_the_answer_to_the_command_finds_the_card_again(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path) as wire:
        wire.fake_discord.faults.add("POST /interactions/*", held := faults.Hold())
        async with running(wire, "videos api") as bot:
            interaction = await wire.type("A lighthouse")
            await held.reached.wait()
            await bot.kill()
        held.release.set()
        async with running(wire, "videos api"):
            message = await wire.fake_discord.answer_to(interaction)
            await wire.wait_for_video(message)
            await wire.wait_for_job()
        assert creates(wire, "videos api") == 1
        assert_one_of_each(wire, message)


@pytest.mark.parametrize("answered", [True, False], ids=["it came in", "it never came in"])
async def test_a_kill_in_the_middle_of_the_create_pays_once(
    tmp_path: Path, *, answered: bool
) -> None:
    async with open_wire(tmp_path) as wire:
        wire.api.add_faults("create", Fault(after=answered, hang=True))
        async with running(wire, "videos api") as bot:
            message = await wire.video("A lighthouse")
            await wire.api.wait_for("POST", "/videos")
            if answered:
                await wire.fake_discord.wait_for(lambda: wire.api.jobs)
            await bot.kill()
        await asyncio.to_thread(trust_list, wire.data_dir)
        async with running(wire, "videos api"):
            await wire.wait_for_video(message)
            await wire.wait_for_job()
        assert len(wire.api.jobs) == 1
        assert "unconfirmed" in wire.events()
        assert_one_of_each(wire, message)


@pytest.mark.proof
@pytest.mark.parametrize("state", ["unconfirmed", "undecided", "failed"])
async def test_a_kill_while_unconfirmed_or_failing_still_updates_the_card(
    tmp_path: Path, state: str
) -> None:
    async with open_wire(tmp_path) as wire:
        status = 400 if state == "failed" else 500
        wire.api.add_faults("create", Fault(status=status, body={}))
        wire.api.add_faults("list", *[Fault(status=400, body={})] * 10)
        async with running(wire, "videos api") as bot:
            message = await wire.video("A lighthouse")
            await bot.logged(f"to={state}")
            await bot.kill()
        async with running(wire, "videos api"):
            end = "failed" if state == "failed" else "undecided"
            await wire.wait_for_job(end)
        assert ("charged" if state == "failed" else "charge twice") in message.text
        assert wire.creates() == 1
        assert len(wire.fake_discord.history.messages) == 1


async def test_sigterm_ends_the_process_in_order_and_leaves_the_job_resumable(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire:
        async with running(wire, "videos api") as bot:
            message = await wire.video("A lighthouse")
            await bot.logged("to=generating")
            assert await bot.terminate() == 0
        [ref] = wire.api.jobs
        wire.api.finish(ref)
        async with running(wire, "videos api"):
            await wire.wait_for_video(message)
            await wire.wait_for_job()
        assert_one_of_each(wire, message)


async def test_a_second_process_on_the_same_folder_says_so_and_ends(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire, running(wire, "videos api"):
        async with open_bot(
            environment(wire, "videos api") | {"HTTP_PORT": "0"}, "bot", "run", log_level="WARNING"
        ) as second:
            code = await second.process.wait()
        assert code == 2
        [line] = second.lines
        assert "Another Clapper" in line


async def test_no_secret_is_in_the_log_of_a_whole_run_at_debug(tmp_path: Path) -> None:
    voice = tmp_path / "voice.wav"
    await asyncio.to_thread(clips.make_speech, voice, seconds=1)
    async with open_wire(tmp_path, openai_api_key="sk-very-secret") as wire:
        async with running(wire, "videos api") as bot:
            interaction = await wire.type("A lighthouse", voice)
            message = await wire.fake_discord.answer_to(interaction)
            await wire.wait_for_video(message)
            await wire.wait_for_job()
            await bot.terminate()
        log = "".join(bot.lines)
        assert "to=succeeded" in log
        signatures = json.dumps([m.payload for m in wire.fake_discord.history.messages])
        assert "hm=" in signatures
        for secret in (
            wire.fake_discord.token,
            "sk-very-secret",
            interaction.token,
            SECRET,
            "&hm=1",
        ):
            assert secret not in log
