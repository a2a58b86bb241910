"""Assembles the parts that turn a request into a video file, without Discord."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.api_clients.client_jobs import ClientJobs
from bot.events import EventBus, JobFeed
from bot.jobs.admission import Admission
from bot.jobs.changes.card_records import CardRecords
from bot.jobs.changes.publisher import ChangePublisher
from bot.jobs.changes.webhook_receiver import WebhookReceiver
from bot.jobs.circuit_breaker import CircuitBreaker
from bot.jobs.downloading import FinalDownload
from bot.jobs.editor import NarrationEditor
from bot.jobs.ending import EndSteps
from bot.jobs.pipeline import Pipeline
from bot.jobs.polling import Poller
from bot.jobs.prompting import PromptStep
from bot.jobs.queue import JobQueue
from bot.jobs.remote.fresh_answers import FreshAnswers
from bot.jobs.remote.identity import RemoteIdentity
from bot.jobs.remote.lookup import RemoteLookup
from bot.jobs.service import JobService
from bot.jobs.submission import Submission
from bot.jobs.waits.clock_watcher import ClockWatcher, boot_id
from bot.jobs.waits.holds import Holds
from bot.jobs.waits.poll_schedule import PollSchedule
from bot.jobs.worker import Worker, make_lanes
from bot.media.files.download import AttachmentFetcher, attachment_hosts
from bot.media.files.workspace import Workspace
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.metrics import Metrics
from bot.model import JobState
from bot.moderation.access.gate import Gate
from bot.presets import Presets
from bot.prompts.reading import PromptReader
from bot.prompts.template import TemplateWriter
from bot.runtime.adapters import load_blocked_words, open_moderator, open_writer
from bot.runtime.provider_account import account_of, ref_hasher
from bot.runtime.reach import reach_of
from bot.runtime.timing import timing_for
from storage.artifacts import ArtifactStore
from storage.clock import ClockStore
from storage.jobs.caps import Caps
from storage.jobs.circuits import CircuitStore
from storage.jobs.client_jobs import ClientJobStore
from storage.jobs.generation_times import GenerationTimes
from storage.jobs.holds import HoldStore
from storage.jobs.inbox import Inbox
from storage.jobs.listings import ListingStore
from storage.jobs.remote_jobs import RemoteJobStore
from storage.jobs.spent_refs import SpentRefs
from storage.jobs.store import JobStore
from storage.jobs.unconfirmed import UnconfirmedStore

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from bot.backends.base import VideoBackend
    from bot.jobs.pipeline import Deliverer
    from bot.moderation.base import Moderator
    from bot.moderation.words import BlockedWords
    from bot.runtime.resources import Resources
    from bot.runtime.timing import Timing
    from bot.settings.fields import Settings
    from bot.speech.voice import Voice

_MIB = 1024 * 1024
_MAX_CLIP_BYTES = 500 * _MIB
_MIN_FREE_BYTES = 1024 * _MIB


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """The parts that make videos for both Discord and API clients."""

    resources: Resources
    backend: VideoBackend
    timing: Timing
    bus: EventBus
    feed: JobFeed
    metrics: Metrics
    store: JobStore
    jobs: JobService
    card_records: CardRecords
    webhooks: WebhookReceiver
    queue: JobQueue
    circuit: CircuitBreaker
    clock_watcher: ClockWatcher
    holds: Holds
    account: str
    spent: SpentRefs
    workspace: Workspace
    artifacts: ArtifactStore
    editor: NarrationEditor
    blocked: BlockedWords
    gate: Gate
    moderator: Moderator | None
    prompt_step: PromptStep
    presets: Presets
    clients: ClientJobs


async def open_engine(
    resources: Resources,
    backend: VideoBackend,
    stack: AsyncExitStack,
    *,
    timing: Timing | None = None,
    voice: Voice | None = None,
    client: str | None = None,
) -> Engine:
    """Assemble the engine; given a `client`, it runs only that client's jobs."""
    settings, clock = resources.settings, resources.clock
    timing = timing or timing_for(backend)
    bus, feed, metrics = EventBus(), JobFeed(), Metrics()
    for subscriber in (feed.on_job_changed, metrics.on_job_changed):
        bus.subscribe(subscriber)
    store, artifacts = JobStore(resources.database), ArtifactStore(resources.database)
    workspace, presets = Workspace(settings.data_dir), _presets(settings)
    account = account_of(settings, resources.secret)
    gate = Gate(reach_of(settings), count=metrics.count_refused_order)
    blocked, moderator = await load_blocked_words(settings), open_moderator(settings, stack)
    changes = ChangePublisher(bus)
    webhooks = WebhookReceiver(store, Inbox(resources.database), changes, clock=clock)
    jobs = JobService(
        store,
        changes,
        webhooks,
        backend=backend.name,
        account=account,
        admission=Admission(store, _caps(settings), blocked, gate=gate, clock=clock),
        acknowledge_seconds=timing.acknowledge,
        deadline_seconds=settings.job_deadline_minutes * 60,
        clock=clock,
    )
    circuit = CircuitBreaker(
        CircuitStore(resources.database), jobs, backend=backend.name, clock=clock
    )
    reader = PromptReader.load()
    return Engine(
        resources=resources,
        backend=backend,
        timing=timing,
        bus=bus,
        feed=feed,
        metrics=metrics,
        store=store,
        jobs=jobs,
        card_records=CardRecords(store, changes, clock=clock),
        webhooks=webhooks,
        queue=JobQueue(store, backend=backend.name, clock=clock, client=client),
        circuit=circuit,
        clock_watcher=ClockWatcher(clock, ClockStore(resources.database), bus, boot=boot_id()),
        holds=Holds(HoldStore(resources.database), jobs, bus, backend=backend.name, clock=clock),
        account=account,
        spent=SpentRefs(resources.database, ref_hasher(resources.secret)),
        workspace=workspace,
        artifacts=artifacts,
        editor=_editor(resources, workspace, voice),
        blocked=blocked,
        gate=gate,
        moderator=moderator,
        prompt_step=PromptStep(
            jobs=jobs,
            backend=backend,
            moderator=moderator,
            writer=await open_writer(resources, backend, reader, stack),
            fallback=TemplateWriter(reader),
        ),
        presets=presets,
        clients=ClientJobs(
            jobs=jobs,
            store=ClientJobStore(resources.database),
            artifacts=artifacts,
            workspace=workspace,
            feed=feed,
            presets=presets,
            circuit=circuit,
            min_free_bytes=_MIN_FREE_BYTES,
            service=settings.video_label,
            clock=clock,
        ),
    )


def make_workers(engine: Engine, deliverer: Deliverer) -> tuple[Worker, ...]:
    """Return the workers that run the jobs' steps; every job change wakes them."""
    database, clock = engine.resources.database, engine.resources.clock
    remote_jobs, fresh_answers = RemoteJobStore(database), FreshAnswers(clock.steady)
    identity = RemoteIdentity(remote_jobs, engine.jobs, engine.backend, clock=clock)
    pipeline = Pipeline(
        jobs=engine.jobs,
        backend=engine.backend,
        artifacts=engine.artifacts,
        workspace=engine.workspace,
        editor=engine.editor,
        deliverer=deliverer,
        submission=Submission(
            jobs=engine.jobs,
            holds=engine.holds,
            lookup=RemoteLookup(
                unconfirmed=UnconfirmedStore(database, engine.spent),
                remote_jobs=remote_jobs,
                listings=ListingStore(database),
                spent=engine.spent,
                backend=engine.backend,
                account=engine.account,
                clock=clock,
            ),
            identity=identity,
            backend=engine.backend,
            circuit=engine.circuit,
            workspace=engine.workspace,
            prompt_step=engine.prompt_step,
            lookup_delays=engine.timing.lookup_delays,
            first_poll=engine.timing.poll_intervals.first,
            min_free_bytes=_MIN_FREE_BYTES,
        ),
        identity=identity,
        prompt_step=engine.prompt_step,
        end_steps=EndSteps(
            jobs=engine.jobs,
            backend=engine.backend,
            identity=identity,
            workspace=engine.workspace,
            cards=deliverer,
        ),
        fresh_answers=fresh_answers,
        max_clip_bytes=_MAX_CLIP_BYTES,
        clock=clock,
    )
    poller = Poller(
        engine.jobs,
        engine.backend,
        PollSchedule(
            engine.timing.poll_intervals,
            GenerationTimes(database),
            has_webhooks=engine.backend.capabilities.webhooks,
            clock=clock,
        ),
        identity,
        holds=engine.holds,
        final_download=FinalDownload(engine.backend, engine.workspace, max_bytes=_MAX_CLIP_BYTES),
        fresh_answers=fresh_answers,
        clock=clock,
        jitter=_jitter,
    )
    steps = {**pipeline.steps, JobState.GENERATING: poller.poll}
    jobs, queue = engine.jobs, engine.queue
    workers = tuple(
        Worker(jobs, queue, lane, holds=engine.holds, jitter=_jitter) for lane in make_lanes(steps)
    )
    for worker in workers:
        engine.bus.subscribe(worker.on_job_changed)
    return workers


def _editor(resources: Resources, workspace: Workspace, voice: Voice | None) -> NarrationEditor:
    settings = resources.settings
    fetcher = AttachmentFetcher(
        resources.http,
        hosts=attachment_hosts(settings.discord_api_url),
        max_bytes=settings.max_audio_mb * _MIB,
    )
    return NarrationEditor(
        resources.ffmpeg,
        Ffmpeg(resources.ffmpeg_path, slots=1, in_background=True),
        fetcher,
        workspace,
        options=NarrationOptions(
            fit=NarrationFit(settings.narration_fit),
            mix=NarrationMix(settings.narration_mix),
            max_bytes=settings.max_result_mb * _MIB,
        ),
        max_seconds=settings.max_audio_seconds,
        voice=voice,
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


def _jitter() -> float:
    return random.random() * 0.1  # noqa: S311 - only spreads out polls
