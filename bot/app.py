"""The composition root: opens everything in order, supervises it, and closes it in reverse."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from bot.circuit import CircuitBreaker
from bot.client import Services, VideoBot, attachment_hosts, log_in
from bot.clients import ClientJobs
from bot.core import (
    STORYBOARD,
    load_blocked_words,
    open_backend,
    open_core,
    open_moderator,
    open_voice,
    open_writer,
)
from bot.delivery.cards import Cards
from bot.delivery.opening import make_operator_notices, make_resender, open_deliverer
from bot.delivery.progress import ProgressCards
from bot.eraser import Eraser
from bot.events import EventBus, JobFeed
from bot.front import make_site
from bot.jobs import JobService
from bot.keeper import Keeper, KeepLimits
from bot.library import Library
from bot.links import Links, derive_key
from bot.media.download import AttachmentFetcher
from bot.media.editor import Editor
from bot.media.ffmpeg import Ffmpeg
from bot.media.posters import Posters
from bot.media.presets import NarrationFit, NarrationMix, NarrationPresets
from bot.media.workspace import Workspace
from bot.model import Caps, JobState
from bot.narrator import Narrator
from bot.pipeline import Pipeline
from bot.poller import Poller
from bot.preparation import Preparation
from bot.presets import Presets
from bot.prompts.reading import Reader
from bot.prompts.template import Template
from bot.submission import Submission
from bot.supervisor import Service, stop_on_signals, supervise
from bot.texts import Texts
from bot.timing import timing_for
from bot.web.downloads import Downloads
from bot.web.server import WebServer
from bot.web.share import SharePage
from bot.web.webhooks import Webhooks
from bot.worker import Worker, make_lanes
from storage.artifacts import ArtifactStore
from storage.circuits import CircuitStore
from storage.clients import ClientStore
from storage.inbox import Inbox
from storage.jobs import JobStore
from storage.keeping import KeepingStore
from storage.library import LibraryStore
from storage.outlook import Outlooks
from storage.people import PeopleStore
from storage.speeches import SpeechCaps, SpeechStore

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.core import Core
    from bot.media.speech import Voice
    from bot.moderation.base import Moderator
    from bot.moderation.words import BlockedWords
    from bot.settings import Settings
    from bot.timing import Timing

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
            core = await open_core(settings, stack)
            backend = await open_backend(core, stack)
            voice = await open_voice(settings)
            service = await _open_service(core, backend, voice, timing, stack)
            await supervise(service, stop)


async def _open_service(
    core: Core,
    backend: VideoBackend,
    voice: Voice | None,
    timing: Timing | None,
    stack: AsyncExitStack,
) -> Service:
    settings, timing = core.settings, timing or timing_for(backend)
    bus, texts, bot = EventBus(), Texts.load(), VideoBot()
    workspace, artifacts = Workspace(settings.data_dir), ArtifactStore(core.database)
    links = _links(core)
    cards = Cards(
        texts,
        free_backends=frozenset({STORYBOARD}),
        voice_costs=voice is not None and voice.costs,
        clock=time.time,
    )
    outlooks, reader = Outlooks(core.database), Reader.load()
    blocked, moderator = await load_blocked_words(settings), open_moderator(settings, stack)
    jobs = JobService(
        JobStore(core.database),
        Inbox(core.database),
        bus,
        backend=backend.name,
        caps=_caps(settings),
        blocked=blocked,
        acknowledge_seconds=timing.acknowledge,
        deadline_seconds=settings.job_deadline_minutes * 60,
        clock=time.time,
    )
    circuit = CircuitBreaker(
        CircuitStore(core.database), jobs, backend=backend.name, clock=time.time
    )
    editor = _editor(core, workspace, voice)
    deliverer = await stack.enter_async_context(
        open_deliverer(
            bot,
            core.database,
            jobs=jobs,
            cards=cards,
            links=links,
            workspace=workspace,
            shrinker=editor,
            clock=time.time,
        )
    )
    preparation = Preparation(
        jobs=jobs,
        backend=backend,
        moderator=moderator,
        writer=await open_writer(core, backend, reader, stack),
        fallback=Template(reader),
    )
    pipeline = Pipeline(
        jobs=jobs,
        backend=backend,
        artifacts=artifacts,
        workspace=workspace,
        editor=editor,
        deliverer=deliverer,
        submission=Submission(
            jobs=jobs,
            backend=backend,
            circuit=circuit,
            workspace=workspace,
            preparation=preparation,
            settling=timing.settling,
            first_poll=timing.cadence.first,
            min_free_bytes=_MIN_FREE_BYTES,
        ),
        preparation=preparation,
        max_clip_bytes=_MAX_CLIP_BYTES,
        clock=time.time,
    )
    poller = Poller(jobs, backend, timing.cadence, clock=time.time, jitter=_jitter)
    progress = ProgressCards(deliverer, timing.pace, clock=time.time)
    steps = {**pipeline.steps, JobState.GENERATING: poller.poll}
    workers = tuple(Worker(jobs, lane, jitter=_jitter) for lane in make_lanes(steps))
    operator = make_operator_notices(
        bot, core.database, jobs=jobs, texts=texts, backend=backend.name, clock=time.time
    )
    for subscriber in (progress.note, operator.note, *(worker.note for worker in workers)):
        bus.subscribe(subscriber)

    people = PeopleStore(core.database)
    eraser = Eraser(KeepingStore(core.database), backend, clock=time.time)
    keeper = _keeper(core, people, workspace, eraser)
    library = Library(LibraryStore(core.database), artifacts, workspace, clock=time.time)
    resender = make_resender(
        core.database,
        library=library,
        texts=texts,
        links=links,
        workspace=workspace,
        shrinker=editor,
        clock=time.time,
    )
    bot.services = Services(
        jobs=jobs,
        cards=cards,
        outlooks=outlooks,
        texts=texts,
        presets=_presets(settings),
        people=people,
        keeper=keeper,
        workspace=workspace,
        library=library,
        resender=resender,
        narrator=_narrator(core, workspace, voice, blocked, moderator) if voice else None,
    )
    feed = JobFeed()
    bus.subscribe(feed.note)
    clients = ClientJobs(
        jobs=jobs,
        store=ClientStore(core.database),
        artifacts=artifacts,
        workspace=workspace,
        feed=feed,
        presets=_presets(settings),
        clock=time.time,
    )
    posters = Posters(Ffmpeg(core.ffmpeg_path, slots=1), workspace)
    shares = SharePage(
        links=links,
        jobs=jobs,
        artifacts=artifacts,
        workspace=workspace,
        posters=posters,
        texts=texts,
    )
    site = make_site(core, clients=clients, feed=feed, texts=texts, links=links, posters=posters)
    web = WebServer(
        [
            *Webhooks(jobs, backend, clock=time.time).routes,
            *Downloads(links, artifacts, workspace).routes,
            *shares.routes,
            *(site.routes if site else ()),
        ],
        core.listener,
        is_ready=bot.is_ready,
    )
    await web.start()
    stack.push_async_callback(web.close)
    if site:
        stack.push_async_callback(site.close)
    stack.push_async_callback(bot.close)
    return Service(
        bot=bot,
        log_in=partial(
            *(log_in, bot, settings.discord_token.get_secret_value()),
            api_url=settings.discord_api_url,
        ),
        login_pause=timing.login_pause,
        jobs=jobs,
        circuit=circuit,
        keeper=keeper,
        eraser=eraser,
        workers=workers,
        progress=progress,
        operator=operator,
    )


def _editor(core: Core, workspace: Workspace, voice: Voice | None) -> Editor:
    settings = core.settings
    fetcher = AttachmentFetcher(
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
        voice=voice,
    )


def _narrator(
    core: Core,
    workspace: Workspace,
    voice: Voice,
    blocked: BlockedWords,
    moderator: Moderator | None,
) -> Narrator:
    settings = core.settings
    return Narrator(
        voice,
        core.ffmpeg,
        workspace,
        SpeechStore(core.database),
        caps=SpeechCaps(
            per_user=settings.max_narrations_per_user, per_day=settings.max_narrations_per_day
        ),
        blocked=blocked,
        moderator=moderator,
        max_seconds=settings.max_audio_seconds,
        clock=time.time,
    )


def _links(core: Core) -> Links:
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


def _keeper(core: Core, people: PeopleStore, workspace: Workspace, eraser: Eraser) -> Keeper:
    limits = KeepLimits(
        days=core.settings.keep_days, max_bytes=round(core.settings.keep_gb * 1024 * _MIB)
    )
    store = KeepingStore(core.database)
    return Keeper(store, people, workspace, limits=limits, on_deleted=eraser.wake, clock=time.time)


def _presets(settings: Settings) -> Presets:
    return Presets(
        model=settings.model,
        seconds=settings.video_seconds,
        size=settings.video_size,
        max_audio_bytes=settings.max_audio_mb * _MIB,
    )


def _jitter() -> float:
    return random.random() * 0.1  # noqa: S311 - it only keeps polls apart
