"""A listed video is sent again to its requester only."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import NOTE_SILENT
from bot.delivery import resend
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.errors import UserError
from bot.library.index import Library
from tests.support.fakes.clock import PATIENCE
from tests.support.library import CLIP, finish, is_button, labels, press, prompts, videos
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import open_wire

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from aiohttp import web

    from bot.model import Job
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
UPLOAD = "PATCH /webhooks/*"


class Sent(logging.Handler):
    """Waits until the log says that a video was sent again."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.came = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("video.sent_again"):
            self.came.set()

    async def delivered_at(self, desk: Desk, job: Job) -> float | None:
        """Wait for the log message, and return when the artifact was marked as delivered."""
        async with asyncio.timeout(PATIENCE):
            await self.came.wait()
        artifact = await desk.bench.artifacts.get(job.id)
        return artifact.delivered_at if artifact else None


@pytest.fixture
def sent(caplog: pytest.LogCaptureFixture) -> Generator[Sent]:
    caplog.set_level(logging.INFO, "bot.delivery.resend")
    handler = Sent()
    logging.getLogger("bot.delivery.resend").addHandler(handler)
    yield handler
    logging.getLogger("bot.delivery.resend").removeHandler(handler)


async def test_a_video_is_sent_again_and_counts_as_delivered(desk: Desk, sent: Sent) -> None:
    job = await finish(desk, "A cat")
    await desk.bench.database.rows("UPDATE artifacts SET delivered_at = NULL", {})
    await desk.bench.database.rows("UPDATE jobs SET note = :note", {"note": NOTE_SILENT})
    again = await press(desk, await videos(desk), "clapper:send:")
    [file] = again.files
    assert await asyncio.to_thread(file.path.read_bytes) == CLIP
    assert file.filename == f"clapper-{job.id[:8]}.mp4"
    assert again.ephemeral
    assert prompts(again) == ["A cat"]
    assert "is silent" in again.text
    assert await sent.delivered_at(desk, job) == desk.clock()
    assert desk.made("POST /webhooks") == []


async def test_an_upload_that_breaks_is_repeated(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    desk.fake_discord.faults.add(UPLOAD, faults.Cut(after_bytes=100), times=2)
    [file] = (await press(desk, page, "clapper:send:")).files
    assert await asyncio.to_thread(file.path.read_bytes) == CLIP


async def test_an_upload_that_keeps_failing_ends(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    desk.fake_discord.faults.add(UPLOAD, faults.Cut(after_bytes=100), times=3)
    reply = await press(desk, page, "clapper:send:")
    assert "didn't accept the video" in reply.text
    assert reply.ephemeral
    [record] = [r for r in caplog.records if "resend.failed" in r.getMessage()]
    assert "could not be reached" in record.getMessage()
    # The next press works, because the failed one has released its lock.
    assert (await press(desk, page, "clapper:send:")).files


async def test_a_refusal_is_not_repeated(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    desk.fake_discord.faults.add(UPLOAD, api_errors.NOT_THE_AUTHOR)
    assert "didn't accept the video" in (await press(desk, page, "clapper:send:")).text
    assert len(desk.made("PATCH /webhooks")) == 2


@pytest.mark.parametrize("public_url", ["https://clapper.test"])
@pytest.mark.parametrize("announced", [20_000_000, 5000], ids=["refused", "announced"])
async def test_a_video_that_is_too_large_is_sent_as_a_link(
    desk: Desk, sent: Sent, announced: int
) -> None:
    job = await finish(desk, "A cat")
    desk.fake_discord.limits.announced_bytes = announced
    desk.fake_discord.limits.upload_bytes = 5000
    again = await press(desk, await videos(desk), "clapper:send:")
    [url] = [part["url"] for part in again.components if part.get("url")]
    assert url.startswith(f"https://clapper.test/d/{job.id}.")
    assert labels(again) == ["Watch the video (0 MB)"]
    assert len([r for r in desk.made("PATCH") if r.multipart]) == (announced > 5000)
    assert await sent.delivered_at(desk, job) == desk.clock()


async def test_a_video_that_automod_blocks_is_not_called_unaccepted(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    desk.fake_discord.faults.add("PATCH /webhooks/*", api_errors.AUTOMOD)
    assert "AutoMod blocked" in (await press(desk, page, "clapper:send:")).text


async def test_a_refused_size_within_the_limit_is_not_compared_with_it(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    desk.fake_discord.faults.add("PATCH /webhooks/*", api_errors.TOO_LARGE)
    reply = await press(desk, page, "clapper:send:")
    assert reply.text.startswith("Discord won't accept a 0.1 MB file here.")


async def test_without_an_address_a_video_that_is_too_large_is_explained(desk: Desk) -> None:
    await finish(desk, "A cat", b"x" * 2_100_000)
    desk.fake_discord.limits.announced_bytes = 1_048_576
    reply = await press(desk, await videos(desk), "clapper:send:")
    assert reply.text.startswith("That video is 2.1 MB, and Discord's limit here is 1 MB.")


@pytest.mark.parametrize("public_url", ["", "https://clapper.test"], ids=["alone", "linked"])
async def test_a_smaller_copy_is_sent_if_the_video_is_too_large(
    desk: Desk, sent: Sent, public_url: str
) -> None:
    job = await finish(desk, "A cat")
    desk.bench.editor.least[True] = 100
    desk.fake_discord.limits.announced_bytes = 5000
    again = await press(desk, await videos(desk), "clapper:send:")
    [file] = again.files
    assert await asyncio.to_thread(file.path.read_bytes) == bytes(5000)
    assert "smaller copy" in again.text
    assert labels(again) == (["Watch in full quality"] if public_url else [])
    assert await sent.delivered_at(desk, job) == desk.clock()


async def test_a_smaller_copy_is_made_once_and_again_only_for_a_lower_limit(
    desk: Desk, sent: Sent
) -> None:
    job = await finish(desk, "A cat")
    page = await videos(desk)
    desk.bench.editor.least[True] = 100
    for announced, made in [(5000, 1), (6000, 1), (4000, 2), (5000, 2)]:
        desk.fake_discord.limits.announced_bytes = announced
        [file] = (await press(desk, page, "clapper:send:")).files
        assert file.size <= announced
        assert len(desk.bench.editor.shrunk) == made
        assert await sent.delivered_at(desk, job)
        sent.came.clear()


@dataclass(frozen=True, slots=True)
class Stall(faults.Fault):
    """Delays the answer until `over` is set."""

    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def on_arrival(self, request: web.Request) -> None:
        del request
        await self.over.wait()


async def test_the_person_is_told_in_time_that_an_upload_takes_too_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    monkeypatch.setattr(resend, "_TIMEOUT_SECONDS", 0.1)
    stall = Stall()
    desk.fake_discord.faults.add(UPLOAD, stall)
    assert "didn't accept the video" in (await press(desk, page, "clapper:send:")).text
    stall.over.set()


async def test_a_video_is_not_sent_to_another_person(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    stranger = desk.fake_discord.world.add_user("grace")
    reply = await press(desk, page, "clapper:send:", user=stranger)
    assert "no longer have that video" in reply.text
    assert not reply.files


async def test_a_file_that_was_deleted_a_moment_ago_is_explained(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await finish(desk, "A cat")
    page = await videos(desk)
    path = desk.bench.workspace.video(job.id)
    await asyncio.to_thread(path.unlink)
    assert "no longer have that video" in (await press(desk, page, "clapper:send:")).text

    async def still_there(_job_id: str) -> bool:
        return True

    monkeypatch.setattr(desk.bench.workspace, "has_video", still_there)
    assert "no longer have that video" in (await press(desk, page, "clapper:send:")).text


async def test_one_video_at_a_time_is_sent_to_a_person(desk: Desk) -> None:
    await finish(desk, "A cat")
    page = await videos(desk)
    held = faults.Hold()
    desk.fake_discord.faults.add(UPLOAD, held)
    [custom_id] = [c["custom_id"] for c in page.components if is_button(c, "clapper:send:")]
    first = await desk.fake_discord.click(page, custom_id)
    async with asyncio.timeout(PATIENCE):
        await held.reached.wait()
    assert "already sending you a video" in (await press(desk, page, "clapper:send:")).text
    held.release.set()
    assert (await desk.fake_discord.answer_to(first)).files


def test_a_slot_is_free_again_after_an_error() -> None:
    library = Library(None, None, None, clock=time.time)  # type: ignore[arg-type] # none is used
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"), library.send_lock(1):
            with pytest.raises(UserError, match="busy"), library.send_lock(1):
                raise NotImplementedError
            with library.send_lock(2):
                raise ValueError("broken")


async def test_a_finished_video_is_fetched_in_a_dm_after_a_restart(tmp_path: Path) -> None:
    async with open_wire(tmp_path) as wire:
        async with wire.bot():
            card = await wire.video("A lighthouse")
            await wire.wait_for_video(card)
            await wire.wait_for_job()
            dm = wire.fake_discord.world.dm(wire.fake_discord.world.user)
            page = await wire.fake_discord.answer_to(
                await wire.fake_discord.slash("videos", where=dm)
            )
        async with wire.bot():
            [send] = [c["custom_id"] for c in page.components if is_button(c, "clapper:send:")]
            again = await wire.fake_discord.answer_to(await wire.fake_discord.click(page, send))
        check_all(wire.fake_discord.history.requests)
    assert again.channel == dm
    assert [file.sha256 for file in again.files] == [file.sha256 for file in card.files]
