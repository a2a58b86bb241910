"""The composition root: opens everything in order, supervises it, and closes it in reverse."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from bot.backends.openai_videos import OpenAIVideos
from bot.backends.wires import Patience
from bot.client import Presets, Services, VideoBot, attachment_hosts, log_in
from bot.delivery.cards import Cards
from bot.delivery.deliver import DiscordDeliverer
from bot.delivery.direct import DirectMessages
from bot.delivery.messages import Messages
from bot.delivery.progress import ProgressCards
from bot.errors import StartupError
from bot.events import EventBus
from bot.jobs import JobService
from bot.keeper import Keeper, KeepLimits
from bot.library import Library
from bot.links import Links, derive_key, load_secret
from bot.media.download import AttachmentFetcher
from bot.media.editor import Editor
from bot.media.ffmpeg import Ffmpeg, find_ffmpeg
from bot.media.presets import NarrationFit, NarrationMix, NarrationPresets
from bot.media.workspace import Workspace
from bot.model import Caps, JobState
from bot.pipeline import Pipeline
from bot.poller import Poller
from bot.storyboard.orders import ApiError, check_size
from bot.storyboard.render import ClipRenderer
from bot.storyboard.server import Storyboard
from bot.submission import Submission
from bot.supervisor import Service, stop_on_signals, supervise
from bot.texts import Texts
from bot.timing import SUBMIT_SECONDS, timing_for
from bot.web.downloads import Downloads
from bot.web.server import WebServer, bind, reachable
from bot.web.webhooks import PATH, Webhooks
from bot.worker import Worker, make_lanes
from storage.artifacts import ArtifactStore
from storage.database import open_database
from storage.inbox import Inbox
from storage.jobs import JobStore
from storage.keeping import KeepingStore
from storage.people import PeopleStore

from storage.library import LibraryStore
from storage.outlook import Outlooks
if TYPE_CHECKING:
    import socket

    from bot.backends.base import VideoBackend
    from bot.settings import Settings
    from bot.timing import Timing
    from storage.database import Database

_STORYBOARD = "storyboard"
_MIB = 1024 * 1024
_MAX_CLIP_BYTES = 500 * _MIB
_MIN_FREE_BYTES = 1024 * _MIB
_LINK_SECONDS = 7 * 24 * 60 * 60.0


async def run(
    settings: Settings,
    *,
    timing: Timing | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run the bot until `stop` is set or SIGTERM comes; then finish or leave resumable, and close.

    StartupError: the operator has to change something.
    """
    stop = stop or asyncio.Event()
    with stop_on_signals(stop):
        async with AsyncExitStack() as stack:
            core = await _open_core(settings, stack)
            backend = await _open_backend(core, stack)
            service = await _open_service(core, backend, timing, stack)
            if await _logs_in(service.bot, settings, stop):
                await supervise(service, stop)


async def _logs_in(bot: VideoBot, settings: Settings, stop: asyncio.Event) -> bool:
    """Log in, which takes minutes where Discord does not answer; False: `stop` came before."""
    login = asyncio.create_task(
        log_in(bot, settings.discord_token.get_secret_value(), api_url=settings.discord_api_url),
        name="login",
    )
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({login, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        login.cancel()
        stopping.cancel()
        await asyncio.gather(login, stopping, return_exceptions=True)
    if login.cancelled():
        return False
    login.result()
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class _Core:
    """What does not depend on the backend."""

    settings: Settings
    database: Database
    secret: bytes
    ffmpeg: Ffmpeg
    listener: socket.socket
    http: aiohttp.ClientSession

    @property
    def port(self) -> int:
        """The port of the embedded server."""
        port: int = self.listener.getsockname()[1]
        return port


async def _open_core(settings: Settings, stack: AsyncExitStack) -> _Core:
    database = await stack.enter_async_context(open_database(settings.data_dir))
    secret = await asyncio.to_thread(
        load_secret, settings.secret_key.get_secret_value(), settings.data_dir / "secret.key"
    )
    return _Core(
        settings=settings,
        database=database,
        secret=secret,
        ffmpeg=Ffmpeg(await find_ffmpeg(), slots=1),
        listener=stack.enter_context(bind(settings.http_host, settings.http_port)),
        http=await stack.enter_async_context(aiohttp.ClientSession()),
    )


async def _open_backend(core: _Core, stack: AsyncExitStack) -> VideoBackend:
    settings = core.settings
    if settings.video_backend == _STORYBOARD:
        backend = await _open_storyboard(core, stack)
    else:
        backend = OpenAIVideos(
            base_url=settings.openai_base_url,
            api_key=settings.openai_api_key.get_secret_value() or None,
            webhook_secrets=settings.webhook_secrets,
            body=settings.openai_body,
            extra=settings.extra_fields,
            result_origins=settings.result_origins,
            patience=Patience(submit=SUBMIT_SECONDS),
        )
    stack.push_async_callback(backend.close)
    return backend


async def _open_storyboard(core: _Core, stack: AsyncExitStack) -> OpenAIVideos:
    try:
        check_size(core.settings.video_size)
    except ApiError as error:
        raise StartupError(f"VIDEO_SIZE: {error.message}") from error
    key = derive_key(core.secret, "storyboard webhook")
    webhook_secret = f"whsec_{base64.b64encode(key).decode()}"
    storyboard = Storyboard(
        core.settings.data_dir / "storyboard",
        ClipRenderer(core.ffmpeg),
        clock=time.time,
        webhook_url=f"http://{reachable(core.settings.http_host)}:{core.port}{PATH}",
        webhook_secret=webhook_secret,
    )
    await storyboard.start()
    stack.push_async_callback(storyboard.close)
    return OpenAIVideos(
        name=_STORYBOARD,
        base_url=storyboard.base_url,
        api_key=None,
        webhook_secrets=(webhook_secret,),
        idempotency_header="Idempotency-Key",
    )


async def _open_service(
    core: _Core, backend: VideoBackend, timing: Timing | None, stack: AsyncExitStack
) -> Service:
    settings, timing = core.settings, timing or timing_for(backend)
    bus, texts, bot = EventBus(), Texts.load(), VideoBot()
    workspace, artifacts = Workspace(settings.data_dir), ArtifactStore(core.database)
    links = _links(core)
    cards = Cards(texts, free_backends=frozenset({_STORYBOARD}), clock=time.time)
    jobs = JobService(
        JobStore(core.database),
        Inbox(core.database),
        bus,
        backend=backend.name,
        caps=_caps(settings),
        acknowledge_seconds=timing.acknowledge,
        deadline_seconds=settings.job_deadline_minutes * 60,
        clock=time.time,
    )
    deliverer = DiscordDeliverer(
        messages=Messages(bot, jobs, clock=time.time),
        direct=DirectMessages(bot),
        cards=cards,
        jobs=jobs,
        links=links,
        workspace=workspace,
    )
    pipeline = Pipeline(
        jobs=jobs,
        backend=backend,
        artifacts=artifacts,
        workspace=workspace,
        editor=_editor(core, workspace),
        deliverer=deliverer,
        submission=Submission(
            jobs=jobs,
            backend=backend,
            workspace=workspace,
            settling=timing.settling,
            first_poll=timing.cadence.first,
            min_free_bytes=_MIN_FREE_BYTES,
        ),
        max_clip_bytes=_MAX_CLIP_BYTES,
        clock=time.time,
    )
    poller = Poller(jobs, backend, timing.cadence, clock=time.time, jitter=_jitter)
    progress = ProgressCards(deliverer, timing.pace, clock=time.time)
    steps = {**pipeline.steps, JobState.GENERATING: poller.poll}
    workers = tuple(Worker(jobs, lane, jitter=_jitter) for lane in make_lanes(steps))
    for subscriber in (progress.note, *(worker.note for worker in workers)):
        bus.subscribe(subscriber)

    people = PeopleStore(core.database)
    keeper = _keeper(core, people, workspace)
    library = Library(LibraryStore(core.database), artifacts, workspace, clock=time.time)
    bot.services = Services(
        jobs=jobs,
        cards=cards,
        texts=texts,
        presets=_presets(settings),
        people=people,
        keeper=keeper,
    )
    web = WebServer(
        [
            *Webhooks(jobs, backend, clock=time.time).routes,
            *Downloads(links, artifacts, workspace).routes,
        ],
        core.listener,
        is_ready=bot.is_ready,
    )
    await web.start()
    stack.push_async_callback(web.close)
    stack.push_async_callback(bot.close)
    return Service(
        bot=bot,
        jobs=jobs,
        workers=workers,
        progress=progress,
    )


def _editor(core: _Core, workspace: Workspace) -> Editor:
    settings = core.settings
    fetcher = AttachmentFetcher(
        keeper=keeper,
        core.http,
        hosts=attachment_hosts(settings.discord_api_url),
        max_bytes=settings.max_audio_mb * _MIB,
    )
    return Editor(
        core.ffmpeg,
        fetcher,
        workspace,
        presets=NarrationPresets(
            fit=NarrationFit(settings.narration_fit),
            mix=NarrationMix(settings.narration_mix),
            max_bytes=settings.max_result_mb * _MIB,
        ),
        max_seconds=settings.max_audio_seconds,
    )


def _links(core: _Core) -> Links:
    return Links(
        derive_key(core.secret, "links"),
        public_url=core.settings.public_url,
        lifetime=_LINK_SECONDS,
        clock=time.time,
    )


def _caps(settings: Settings) -> Caps:
    return Caps(
        open_per_user=settings.max_jobs_per_user,
        open_in_all=settings.max_jobs,
        per_day=settings.max_jobs_per_day,
    )


def _presets(settings: Settings) -> Presets:
    return Presets(
        model=settings.model,
        seconds=settings.video_seconds,
        size=settings.video_size,
        max_audio_bytes=settings.max_audio_mb * _MIB,
    )

def _keeper(core: _Core, people: PeopleStore, workspace: Workspace) -> Keeper:
    limits = KeepLimits(
        days=core.settings.keep_days, max_bytes=round(core.settings.keep_gb * 1024 * _MIB)
    )
    store = KeepingStore(core.database)
    return Keeper(store, people, workspace, limits=limits, clock=time.time)



def _jitter() -> float:
    return random.random() * 0.1  # noqa: S311 - it only keeps polls apart
