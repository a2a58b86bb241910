"""A route that Discord has closed, and a stream that drips, keep nothing else waiting."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.delivery import dm
from bot.delivery.card_edits import Edit
from bot.delivery.requests.route_limits import RouteLimits, ThrottledError
from bot.delivery.upload_fallback import UploadFallback, UploadTarget
from bot.demo.fake_discord.api_errors import rate_limited
from bot.demo.fake_discord.rest import faults
from bot.errors import DeliveryError, MediaError
from bot.jobs.worker import make_lanes
from bot.links import Links
from bot.media.files import min_rate
from bot.media.files.download import AttachmentFetcher
from bot.media.files.min_rate import enforce_min_rate
from bot.model import JobChanged, JobState
from storage.delivery.upload_limits import UploadLimits
from storage.speeches import SpeechCaps, SpeechRequester
from tests.support.desk import make_narrator, open_desk
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import PATIENCE, Clock
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import origin
from tests.support.media import clips
from tests.support.wire import open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.jobs.worker import Worker
    from bot.model import Job
    from tests.support.desk import Desk
    from tests.support.wire import Wire

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
BY_TOKEN = "PATCH /webhooks/*"
BY_BOT = "PATCH /channels/*"
# More than any lane has slots.
MANY = 10


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncGenerator[Wire]:
    caps = {"max_jobs_per_user": 50, "max_jobs_per_user_day": 50}
    async with open_wire(tmp_path, seconds_per_job=None, **caps) as opened:
        yield opened


# On the wire.


async def test_one_closed_channel_does_not_keep_videos_from_the_others(wire: Wire) -> None:
    world = wire.fake_discord.world
    async with wire.bot():
        stuck = [await wire.video(f"stuck {number}") for number in range(MANY)]
        for message in stuck:
            await wire.wait_for_card_text(message, "Creating")
        wire.fake_discord.limits.token_life = 0
        closed = f"PATCH /channels/{world.channel.id}/*"
        wire.fake_discord.faults.add(closed, rate_limited(600), times=None)
        for ref in list(wire.api.jobs):
            wire.api.finish(ref)
        # As many dead tokens as the lane has slots.
        await wire.fake_discord.wait_for(lambda: count(wire, 401) >= 8)
        wire.fake_discord.limits.token_life = 900
        elsewhere = await wire.video("free", where=world.add_channel(world.guild))
        await wire.wait_for_card_text(elsewhere, "Creating")
        wire.api.finish(list(wire.api.jobs)[-1])
        await wire.wait_for_video(elsewhere)
        # A closed route is left alone: at most what was under way when it closed was refused.
        assert 0 < count(wire, 429) <= MANY


def count(wire: Wire, status: int) -> int:
    return len([r for r in wire.fake_discord.history.requests if r.status == status])


async def test_closed_dms_keep_no_slot_from_another_persons_dm(wire: Wire) -> None:
    world = wire.fake_discord.world
    grace = world.add_user("grace")
    async with wire.bot():
        cards = [await wire.video(f"stuck {number}") for number in range(MANY)]
        for message in cards:
            await wire.wait_for_card_text(message, "Creating")
        closed = f"POST /channels/{world.dm(world.user).id}/*"
        wire.fake_discord.faults.add(closed, rate_limited(600), times=None)
        for ref in list(wire.api.jobs):
            wire.api.finish(ref)
        for message in cards:
            await wire.wait_for_video(message)
        other = await wire.video("free", user=grace)
        await wire.wait_for_card_text(other, "Creating")
        wire.api.finish(list(wire.api.jobs)[-1])
        await wire.fake_discord.wait_for(lambda: wire.fake_discord.dms(grace))


async def test_one_persons_first_dm_keeps_no_slot_from_another_persons(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dm, "_FIRST_SECONDS", 0.2)
    world = wire.fake_discord.world
    grace = world.add_user("grace")
    async with wire.bot():
        cards = [await wire.video(f"slow {number}") for number in range(MANY)]
        for message in cards:
            await wire.wait_for_card_text(message, "Creating")
        slow = faults.Hold()
        route = f"POST /channels/{world.dm(world.user).id}/*"
        wire.fake_discord.faults.add(route, slow, times=None)
        for ref in list(wire.api.jobs):
            wire.api.finish(ref)
        for message in cards:
            await wire.wait_for_video(message)
        await slow.reached.wait()
        other = await wire.video("free", user=grace)
        await wire.wait_for_card_text(other, "Creating")
        wire.api.finish(list(wire.api.jobs)[-1])
        await wire.fake_discord.wait_for(lambda: wire.fake_discord.dms(grace))
        slow.release.set()


# Which route is used, and when.


async def edit(desk: Desk, job: Job) -> None:
    await desk.card_edits.edit(Edit(job=job, view=desk.cards.render(job)))


async def test_of_two_closed_routes_the_one_that_opens_first_is_waited_for(desk: Desk) -> None:
    job, message = await desk.video()
    job = replace(job, state=JobState.QUEUED)
    desk.fake_discord.faults.add(BY_TOKEN, rate_limited(1))
    desk.fake_discord.faults.add(BY_BOT, rate_limited(600), times=None)
    with pytest.raises(DeliveryError) as caught:
        await edit(desk, job)
    assert caught.value.retry_after == 1
    desk.clock.advance(1)
    await edit(desk, job)
    assert "Queued" in message.text


async def test_a_closed_route_is_not_tried_before_it_opens(desk: Desk) -> None:
    job, message = await desk.video()
    job = replace(job, state=JobState.QUEUED)
    desk.delete_token()
    desk.fake_discord.faults.add(BY_BOT, rate_limited(600))
    for _ in range(3):
        with pytest.raises(DeliveryError):
            await edit(desk, job)
    assert len(desk.made("PATCH /channels")) == 1
    other, _ = await desk.video()
    desk.clock.advance(599)
    with pytest.raises(DeliveryError) as caught:
        await edit(desk, replace(other, requester=replace(other.origin, token=None)))
    assert caught.value.retry_after == pytest.approx(1)
    desk.clock.advance(1)
    await edit(desk, job)
    assert "Queued" in message.text


async def test_a_used_up_bucket_is_left_alone_without_a_refusal(desk: Desk) -> None:
    desk.fake_discord.rates.enforced = True
    job, _ = await desk.video()
    desk.delete_token()
    for _ in range(5):
        await edit(desk, job)
    with pytest.raises(DeliveryError) as caught:
        await edit(desk, job)
    assert 0 < (caught.value.retry_after or 0) <= 5
    assert [made.status for made in desk.made("PATCH /channels")] == [200] * 5
    desk.clock.advance(5)
    await edit(desk, job)


async def test_the_limit_on_all_of_the_bots_requests_closes_its_routes_but_no_tokens(
    desk: Desk,
) -> None:
    job, _ = await desk.video()
    desk.fake_discord.faults.add(BY_BOT, rate_limited(60, is_global=True))
    with pytest.raises(DeliveryError):
        await edit(desk, replace(job, requester=replace(job.origin, token=None)))
    with pytest.raises(DeliveryError) as caught:
        await desk.direct.send(job, desk.cards.dm_with_video(job), may_be_sent=False)
    assert caught.value.retry_after == 60
    assert desk.made("POST /users") == []
    await edit(desk, job)
    assert len(desk.made("PATCH /webhooks")) == 1


async def test_a_server_error_ends_the_request_at_once(desk: Desk) -> None:
    job, _ = await desk.video()
    desk.fake_discord.faults.add(BY_TOKEN, replace(rate_limited(1), status=502, retry_after=None))
    with pytest.raises(DeliveryError) as caught:
        await edit(desk, job)
    assert caught.value.retry_after is None
    assert len(desk.made("PATCH /webhooks")) == 1


def test_a_route_closed_before_the_clock_was_set_back_is_open() -> None:
    clock = Clock(10_000.0)
    limits = RouteLimits(clock=clock)
    limits.close("a", {"Retry-After": "5"}, is_global=False)
    with pytest.raises(ThrottledError):
        limits.begin("a", is_global=True)
    clock.now -= 7200
    limits.begin("a", is_global=True)


def test_requests_under_way_count_for_what_is_left_of_a_route() -> None:
    limits = RouteLimits(clock=Clock(0.0))
    for _ in range(3):
        limits.begin("a", is_global=False)
    limits.end("a", {"X-RateLimit-Remaining": "2", "X-RateLimit-Reset-After": "5"})
    with pytest.raises(ThrottledError):
        limits.begin("a", is_global=False)


def _place(limits: RouteLimits) -> float:
    with pytest.raises(ThrottledError) as refused:
        limits.begin("a", is_global=False, queues=True)
    return refused.value.seconds


def test_those_who_wait_for_a_route_get_places_at_its_pace() -> None:
    clock = Clock(0.0)
    limits = RouteLimits(clock=clock)
    limits.begin("a", is_global=False, queues=True)
    headers = {"X-RateLimit-Limit": "2", "X-RateLimit-Reset-After": "10"}
    limits.end("a", headers | {"X-RateLimit-Remaining": "0"})
    assert [_place(limits) for _ in range(4)] == [10, 15, 20, 25]
    clock.advance(4)
    assert _place(limits) == 26
    # A place is at most this far away, because the jobs before it may have been deleted.
    assert max(_place(limits) for _ in range(60)) <= 245
    # Requests that do not queue wait for the end of the period alone.
    with pytest.raises(ThrottledError) as refused:
        limits.begin("a", is_global=False)
    assert refused.value.seconds == 6
    clock.advance(250)
    limits.begin("a", is_global=False, queues=True)


# What the lanes make of it.


class _Closed:
    """A deliverer at a route that is closed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def show(self, _: Job) -> None:
        raise DeliveryError("closed", retry_after=self._seconds)


@pytest.mark.parametrize(("seconds", "pause", "attempts"), [(30, 30, 0), (600, 300, 1)])
async def test_a_closed_route_becomes_the_next_time_of_the_job_and_an_attempt_if_it_is_long(
    tmp_path: Path, seconds: float, pause: float, attempts: int
) -> None:
    clock = Clock()
    async with open_bench(tmp_path, clock) as bench:
        bench.deliverer.show = _Closed(seconds).show  # pyright: ignore[reportAttributeAccessIssue] - its one method
        bench.pipeline = bench.build_pipeline()
        job = await bench.submit()
        await bench.jobs.cancel(job.id)
        async with running(bench.worker()):
            await bench.until(lambda: (bench.changes[-1].job.next_at or 0) > clock())
        waiting = await bench.now(job.id)
        assert waiting.next_at == clock() + pause
        assert waiting.attempts == attempts


async def test_a_doubt_is_looked_up_while_every_create_takes_minutes(tmp_path: Path) -> None:
    clock = Clock()
    async with open_bench(tmp_path, clock) as bench, AsyncExitStack() as stack:
        doubtful = await bench.at(JobState.UNCONFIRMED)
        bench.backend.answer.clear()
        stack.callback(bench.backend.answer.set)
        for number in range(4):
            await bench.submit(replace(doubtful.request, prompt=f"slow {number}"))
        workers = [bench.worker(lane) for lane in make_lanes(bench.lane.steps)]
        await stack.enter_async_context(running(*workers))
        for worker in workers:
            bench.bus.subscribe(worker.on_job_changed)
            worker.on_job_changed(bench.changes[-1])
        slow = [JobState.SUBMITTING] * 5  # one of them was the doubtful job's
        await bench.until(
            lambda: [c.job.state for c in bench.changes if c.job.state in slow] == slow
        )
        clock.advance(1000)
        for worker in workers:
            worker.on_job_changed(JobChanged(job=doubtful, previous=doubtful.state))
        await bench.until(
            lambda: any(
                c.job.id == doubtful.id and c.job.state is JobState.GENERATING
                for c in bench.changes
            )
        )


@asynccontextmanager
async def running(*workers: Worker) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    yield
    await asyncio.gather(*(worker.stop(grace=0) for worker in workers))
    await asyncio.gather(*tasks)


async def test_copies_that_are_made_leave_slots_for_videos_that_need_none(desk: Desk) -> None:
    busy, over = asyncio.Semaphore(0), asyncio.Event()

    class Slow:
        async def shrink(self, job_id: str, *, limit_bytes: int, decent: bool) -> None:
            del job_id, limit_bytes, decent
            busy.release()
            await over.wait()

    fallback = UploadFallback(
        limits=UploadLimits(desk.bench.database),
        shrinker=Slow(),
        workspace=desk.bench.workspace,
        links=Links(b"key", public_url="https://x.example", lifetime=60.0, clock=desk.clock),
        clock=desk.clock,
        most_copies=2,
    )

    async def upload(*_: object) -> None:
        """Accept everything."""

    target = UploadTarget(guild_id=1, announced=3)
    artifact = desk.artifact((await desk.video())[0])
    waiting = [
        asyncio.create_task(fallback.upload(artifact, target, upload, upload)) for _ in range(2)
    ]
    for _ in waiting:
        await busy.acquire()
    with pytest.raises(DeliveryError) as caught:
        await fallback.upload(artifact, target, upload, upload)
    assert caught.value.retry_after is not None
    assert await fallback.upload(artifact, replace(target, announced=99), upload, upload)
    over.set()
    await asyncio.gather(*waiting)


# "Send again".


async def test_throttled_uploads_keep_no_slot_from_another_person(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [desk.fake_discord.world.add_user(f"p{number}") for number in range(5)]
    for person in people:
        asked = await desk.fake_discord.slash("video", {"prompt": "a cat"}, user=person)
        await desk.fake_discord.answer_to(asked)
    desk.bench.backend.finish()
    await desk.bench.until(lambda: len({c.job.id for c in desk.bench.changes}) == 5)
    for job_id in {change.job.id for change in desk.bench.changes}:
        await desk.bench.run_out(job_id)
    pages = [
        await desk.fake_discord.answer_to(await desk.fake_discord.slash("videos", user=person))
        for person in people
    ]
    sleeping = asyncio.Event()
    sleep = asyncio.sleep

    async def long(seconds: float) -> None:
        await (sleeping.wait() if seconds > 100 else sleep(seconds))

    monkeypatch.setattr("bot.delivery.resend.asyncio.sleep", long)
    desk.fake_discord.faults.add("PATCH */@original", rate_limited(300), times=4)
    pressed: list[Interaction] = []
    for person, page in zip(people, pages, strict=True):
        [button] = [
            c["custom_id"]
            for c in page.components
            if str(c.get("custom_id")).startswith("clapper:send:")
        ]
        pressed.append(await desk.fake_discord.click(page, button, user=person))
        if person is people[3]:
            await desk.fake_discord.wait_for(
                lambda: [r for r in desk.made("@original") if r.status == 429][3:]
            )
    assert (await desk.fake_discord.answer_to(pressed[4])).files
    desk.clock.advance(300)
    sleeping.set()
    for each in pressed[:4]:
        assert (await desk.fake_discord.answer_to(each)).files


async def test_recordings_that_are_uploaded_do_not_keep_the_voice_from_others(
    desk: Desk, tmp_path: Path
) -> None:
    await asyncio.to_thread(clips.make_tone, tmp_path / "tone.mp3", seconds=1)
    voice = FakeVoice((tmp_path / "tone.mp3").read_bytes())
    caps = SpeechCaps(per_user=5, per_day=5)
    narrator = make_narrator(desk.bench, desk.clock, voice, caps)
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        for number in range(5):
            requester = SpeechRequester(user_id=1, interaction_id=number)
            speech_id = await narrator.order(requester, origin(), f"text {number}", None)
            assert speech_id is not None
            await stack.enter_async_context(narrator.speak(f"text {number}", speech_id))
    assert len(voice.spoken) == 5


# Streams that drip.


async def drip(clock: Clock, sizes: list[int], *, seconds: float) -> AsyncIterator[bytes]:
    for size in sizes:
        clock.advance(seconds)
        yield bytes(size)


async def received(clock: Clock, sizes: list[int], *, seconds: float) -> int:
    chunks = enforce_min_rate(drip(clock, sizes, seconds=seconds), clock=clock)
    return sum([len(chunk) async for chunk in chunks])


async def test_a_stream_that_drips_ends_after_one_window() -> None:
    clock = Clock(0.0)
    with pytest.raises(TimeoutError, match=r"only 3 bytes arrived in 30 s"):
        await received(clock, [1] * 100, seconds=10)
    assert clock() == 30


async def test_a_slow_stream_and_a_late_burst_are_no_drip() -> None:
    assert await received(Clock(0.0), [8192] * 60, seconds=1.9) == 8192 * 60
    assert await received(Clock(0.0), [10, 200_000, 10], seconds=20) == 200_020


async def test_an_attachment_that_drips_fails_for_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not over.is_set():
            await response.write(b"x")
            await asyncio.sleep(0)
        return response

    monkeypatch.setattr(min_rate, "WINDOW_SECONDS", 0.05)
    monkeypatch.setattr(min_rate, "MIN_BYTES_PER_SECOND", 1024**3)
    app = web.Application()
    app.router.add_get("/a", answer)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(app))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        url = server.make_url("/a")
        fetcher = AttachmentFetcher(
            session, hosts=frozenset({str(url.origin())}), max_bytes=1024**3
        )
        with pytest.raises(MediaError, match="TimeoutError"):
            await fetcher.fetch(str(url), tmp_path / "a")
        over.set()
