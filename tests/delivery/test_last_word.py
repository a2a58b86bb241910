"""The end of a job reaches its requester in every place: by card, else by DM, else by `/videos`."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import Handover
from bot.delivery.progress import ProgressCards
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.api_errors import Refusal
from bot.demo.fake_discord.state.channel import PRIVATE_THREAD, THREAD, VOICE
from bot.demo.fake_discord.state.user import PERMISSIONS
from bot.errors import DeliveryError
from bot.model import JobChanged, JobState
from bot.pacing import EditIntervals
from tests.support.desk import open_desk
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.world import World
    from bot.model import Job
    from tests.support.desk import Desk
    from tests.support.wire import Wire

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
PUBLIC_URL = "https://videos.example.org"
NO_FILES = str(int(PERMISSIONS) & ~(1 << 15))
CONNECT = str(int(PERMISSIONS) | 1 << 20)
IN_THREADS = str(int(PERMISSIONS) | 1 << 38)
BY_BOT = "PATCH /channels/{channel_id}/messages"
PLACES = ["private thread", "voice", "without bot"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncGenerator[Wire]:
    async with open_wire(tmp_path, seconds_per_job=None) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


def place(world: World, name: str, *, open_to_bot: bool = False) -> Channel:
    """Open a channel whose interactions do not tell whether the bot may edit there."""
    guild = world.guild
    match name:
        case "private thread":
            return world.add_channel(
                guild, kind=PRIVATE_THREAD, bot_permissions=IN_THREADS, has_bot=open_to_bot
            )
        case "thread":
            return world.add_channel(guild, kind=THREAD, bot_permissions=IN_THREADS)
        case "voice":
            permissions = CONNECT if open_to_bot else PERMISSIONS
            return world.add_channel(guild, kind=VOICE, bot_permissions=permissions)
        case _:
            return world.add_channel(world.add_guild("Elsewhere", has_bot=open_to_bot))


async def creating(wire: Wire, where: Channel) -> Message:
    message = await wire.video("A cat", where=where)
    await wire.wait_for_card_text(message, "Creating")
    return message


async def finish(wire: Wire) -> None:
    [ref] = wire.api.jobs
    wire.api.finish(ref)
    await wire.wait_for_job()


def original(wire: Wire) -> str:
    return hashlib.sha256(wire.clip.read_bytes()).hexdigest()


# A card that accepts no files.


@pytest.mark.parametrize("dead", [False, True])
async def test_without_the_right_to_attach_files_the_card_links_the_video(
    wire: Wire, *, dead: bool
) -> None:
    channel = wire.fake_discord.world.add_channel(
        wire.fake_discord.world.guild, bot_permissions=NO_FILES
    )
    async with wire.bot(public_url=f"http://127.0.0.1:{wire.port}"):
        message = await creating(wire, channel)
        if dead:
            wire.fake_discord.limits.token_life = 0
        await finish(wire)
    assert [part["url"] for part in message.components if part.get("url")]
    assert query(wire.data_dir, "SELECT count(*) FROM upload_limits") == [(0,)]
    assert len([r for r in wire.fake_discord.history.requests if r.multipart]) == 1


@pytest.mark.parametrize("closed", [False, True])
async def test_without_a_link_either_the_card_says_where_the_video_is(
    wire: Wire, *, closed: bool
) -> None:
    channel = wire.fake_discord.world.add_channel(
        wire.fake_discord.world.guild, bot_permissions=NO_FILES
    )
    if closed:
        wire.fake_discord.close_dms()
    async with wire.bot():
        message = await creating(wire, channel)
        await finish(wire)
        assert "send it to you by DM" in message.text
        assert "/videos" in message.text
        assert "Cancel" not in str(message.payload)
        if not closed:
            [dm] = wire.fake_discord.dms()
            assert dm.files[0].sha256 == original(wire)


@pytest.mark.parametrize(
    "refusal",
    [
        api_errors.MISSING_PERMISSIONS,
        Refusal(400, 200000, "Message was blocked by automatic moderation"),
        Refusal(400, 50035, "Invalid Form Body"),
        Refusal(403, 20022, "This message cannot be edited due to announcement rate limits"),
    ],
    ids=lambda refusal: refusal.code,
)
@pytest.mark.parametrize("public_url", ["", PUBLIC_URL])
async def test_a_refusal_of_the_file_for_another_reason_than_its_size_teaches_no_limit(
    desk: Desk, refusal: Refusal, public_url: str
) -> None:
    job, message = await desk.video()
    desk.fake_discord.faults.add("PATCH /webhooks/*", refusal)
    handover = await desk.deliverer(public_url=public_url).deliver(job, desk.artifact(job))
    assert handover is (Handover.CARD if public_url else Handover.DM)
    assert ("Watch the video" in str(message.payload)) is bool(public_url)
    assert "is ready" in message.text
    assert desk.bench.editor.shrunk == []
    assert await desk.bench.database.rows("SELECT * FROM upload_limits", {}) == []


async def test_a_card_that_is_gone_is_asked_only_once(desk: Desk) -> None:
    job, message = await desk.video()
    desk.fake_discord.messages.delete(message)
    deliverer = desk.deliverer(public_url=PUBLIC_URL)
    assert await deliverer.deliver(job, desk.artifact(job)) is Handover.DM
    assert len(desk.made("PATCH /")) == 1


async def test_where_not_even_a_dm_takes_the_file_it_says_that_the_library_has_it(
    desk: Desk,
) -> None:
    job, message = await desk.video()
    desk.bench.backend.finish()
    while (job := await desk.bench.now(job.id)).state is not JobState.NOTIFYING:
        await desk.bench.step(job.id)
    job = replace(await desk.bench.claim(job.id), card_gone=True)
    desk.fake_discord.messages.delete(message)
    desk.fake_discord.faults.add("POST /channels/*", Refusal(400, 50035, "Invalid Form Body"))
    assert await desk.deliverer().notify(job, desk.artifact(job))
    [dm] = desk.fake_discord.dms()
    assert "/videos" in dm.text


# Places where the interaction does not say what the bot may do.


@pytest.mark.parametrize("name", PLACES)
async def test_a_place_without_the_bot_gets_its_notice_in_time_and_the_video_by_dm(
    wire: Wire, name: str
) -> None:
    channel = place(wire.fake_discord.world, name)
    async with wire.bot():
        message = await creating(wire, channel)
        await wire.fake_discord.wait_for(
            lambda: query(wire.data_dir, "SELECT by_bot, by_bot_unproven FROM jobs") == [(0, 0)]
        )
        assert len(wire.fake_discord.history.operations(BY_BOT)) == 1
        wire.fake_discord.limits.token_life = 0
        await finish(wire)
    assert not message.files
    [dm] = wire.fake_discord.dms()
    assert dm.files[0].sha256 == original(wire)
    assert len(wire.fake_discord.history.operations(BY_BOT)) == 1


@pytest.mark.parametrize("name", [*PLACES, "thread"])
async def test_a_place_with_the_bot_keeps_its_card(wire: Wire, name: str) -> None:
    channel = place(wire.fake_discord.world, name, open_to_bot=True)
    async with wire.bot():
        message = await creating(wire, channel)
        wire.fake_discord.limits.token_life = 0
        await finish(wire)
    assert message.files[0].sha256 == original(wire)
    assert query(wire.data_dir, "SELECT by_bot FROM jobs") == [(1,)]


@pytest.mark.parametrize("name", PLACES)
async def test_a_failure_there_reaches_its_requester(wire: Wire, name: str) -> None:
    channel = place(wire.fake_discord.world, name)
    async with wire.bot():
        await creating(wire, channel)
        wire.fake_discord.limits.token_life = 0
        [ref] = wire.api.jobs
        wire.api.fail(ref, "moderation_blocked", "no")
        await wire.wait_for_job("failed")
    [dm] = wire.fake_discord.dms()
    assert "video that you requested has failed" in dm.text


async def unproven(desk: Desk, name: str, *, open_to_bot: bool) -> tuple[Job, Message]:
    channel = place(desk.fake_discord.world, name, open_to_bot=open_to_bot)
    asked = await desk.fake_discord.slash("video", {"prompt": "a cat"}, where=channel)
    message = await desk.fake_discord.answer_to(asked)
    await desk.bench.until(lambda: desk.bench.changes[-1].job.origin.message_id == message.id)
    return desk.bench.changes[-1].job, message


@pytest.mark.parametrize("open_to_bot", [False, True])
async def test_a_job_that_waits_has_its_look_taken_before_the_token_expires(
    desk: Desk, *, open_to_bot: bool
) -> None:
    job, message = await unproven(desk, "private thread", open_to_bot=open_to_bot)
    assert job.origin.bot_access_unproven
    progress = ProgressCards(desk.deliverer(), EditIntervals(), clock=desk.clock)
    desk.bench.bus.subscribe(progress.on_job_changed)
    # As after a restart, which watches these cards too.
    assert await desk.bench.card_records.editable_by_token_only() == [job]
    progress.watch(job)
    desk.clock.now = job.origin.token_until - 119
    progress.on_job_changed(JobChanged(job=job, previous=JobState.RECEIVED))
    async with run(progress):
        await desk.fake_discord.wait_for(lambda: "send you the result by DM" in message.text)
        desk.clock.advance(30)
        progress.on_job_changed(
            JobChanged(job=await desk.bench.now(job.id), previous=JobState.RECEIVED)
        )
        if open_to_bot:
            await desk.fake_discord.wait_for(
                lambda: "send you the result by DM" not in message.text
            )
    assert "send you the result by DM" in message.text or open_to_bot
    assert desk.made("PATCH /channels")
    now = await desk.bench.now(job.id)
    assert (now.origin.bot_can_edit, now.origin.bot_access_unproven) == (open_to_bot, False)


@asynccontextmanager
async def run(progress: ProgressCards) -> AsyncGenerator[None]:
    task = asyncio.create_task(progress.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_look_that_fails_for_now_proves_nothing(desk: Desk) -> None:
    job, _ = await unproven(desk, "voice", open_to_bot=True)
    for refusal in (api_errors.rate_limited(1), Refusal(503, 0, "down")):
        desk.fake_discord.faults.add("PATCH /channels/*", refusal)
        assert await desk.deliverer().refresh(job)
        desk.clock.advance(1)
        assert (await desk.bench.now(job.id)).origin.bot_access_unproven
    assert await desk.deliverer().refresh(job)
    assert not (await desk.bench.now(job.id)).origin.bot_access_unproven


# Whatever ends a job.


@pytest.mark.parametrize("code", [10008, 50013, 50083, 200000])
@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_an_end_that_the_card_refuses_to_show_is_told_by_dm(
    desk: Desk, code: int, state: JobState
) -> None:
    job, _ = await desk.video()
    ended = (
        await desk.bench.jobs.fail(job, "failed.moderated")
        if state is JobState.FAILED
        else await desk.bench.jobs.cancel(job.id)
    )
    assert ended is not None
    status = 404 if code == 10008 else 400 if code > 50013 else 403
    desk.fake_discord.faults.add("PATCH /*", Refusal(status, code, "No."), times=None)
    for _ in range(2):
        await desk.deliverer().show(ended)
    assert len(desk.fake_discord.dms()) == 1


async def test_an_end_whose_card_can_not_be_reached_for_an_hour_is_told_by_dm(desk: Desk) -> None:
    job, _ = await desk.video()
    failed = await desk.bench.jobs.fail(job, "failed.moderated")
    assert failed is not None
    desk.fake_discord.faults.add("PATCH /*", Refusal(408, 0, "Request Timeout"), times=None)
    with pytest.raises(DeliveryError):
        await desk.deliverer().show(failed)
    await desk.deliverer().show(replace(failed, attempts=20))
    assert len(desk.fake_discord.dms()) == 1


async def test_an_end_in_a_channel_that_stays_closed_is_told_by_dm(desk: Desk) -> None:
    job, _ = await desk.video()
    failed = await desk.bench.jobs.fail(job, "failed.moderated")
    assert failed is not None
    desk.fake_discord.faults.add("PATCH /*", api_errors.rate_limited(600), times=None)
    desk.bench.deliverer.show = desk.deliverer().show
    desk.bench.pipeline = desk.bench.build_pipeline()
    worker = desk.bench.worker()
    since = desk.clock()
    while (await desk.bench.now(job.id)).next_at is not None:
        await worker._step(await desk.bench.claim(job.id))  # noqa: SLF001 - one step, as the lane runs it
        assert desk.clock() - since < 3 * 60 * 60
    assert len(desk.fake_discord.dms()) == 1


async def test_an_edit_without_a_file_that_is_refused_for_its_size_ends_in_a_dm(
    desk: Desk,
) -> None:
    job, _ = await desk.video()
    failed = await desk.bench.jobs.fail(job, "failed.moderated")
    assert failed is not None
    desk.fake_discord.faults.add("PATCH /*", api_errors.TOO_LARGE, times=None)
    await desk.deliverer().show(failed)
    assert len(desk.fake_discord.dms()) == 1


@pytest.mark.parametrize("expired", [False, True])
async def test_a_failure_without_a_known_card_is_told_where_no_card_could_be_looked_for(
    desk: Desk, *, expired: bool
) -> None:
    job, _ = await desk.video()
    failed = await desk.bench.jobs.fail(job, "failed.unacknowledged")
    assert failed is not None
    if expired:
        desk.delete_token()
    await desk.deliverer().show(replace(failed, requester=replace(failed.origin, message_id=None)))
    assert len(desk.fake_discord.dms()) == int(expired)


# "Send again".


async def test_a_video_is_sent_again_as_a_link_where_files_are_refused(tmp_path: Path) -> None:
    async with open_desk(tmp_path, public_url=PUBLIC_URL) as desk:
        job, _ = await desk.video()
        desk.bench.backend.finish()
        await desk.bench.run_out(job.id)
        page = await desk.fake_discord.answer_to(await desk.fake_discord.slash("videos"))
        desk.fake_discord.faults.add("PATCH */@original", api_errors.MISSING_PERMISSIONS)
        again = await desk.click(page, "Send")
        assert [part["url"] for part in again.components if part.get("url")]
        assert desk.bench.editor.shrunk == []
