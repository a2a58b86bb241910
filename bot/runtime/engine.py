"""Assembles the components that turn a request into a video file. They don't need Discord."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.api_clients.client_jobs import ClientJobs
from bot.events import EventBus, JobFeed
from bot.jobs.admission import Admission, RoleCaps
from bot.jobs.changes.card_records import CardRecords
from bot.jobs.changes.publisher import ChangePublisher
from bot.jobs.changes.webhook_receiver import WebhookReceiver
from bot.jobs.circuit_breaker import CircuitBreaker
from bot.jobs.editor import NarrationEditor
from bot.jobs.polling.silence import ProviderSilence
from bot.jobs.prompting import PromptStep
from bot.jobs.queue import JobQueue
from bot.jobs.service import JobService
from bot.jobs.waits.capacity import ProviderCapacity
from bot.jobs.waits.clock_watcher import ClockWatcher, boot_id
from bot.jobs.waits.holds import Holds
from bot.library.recorded_store import RecordedStore
from bot.media.files.download import AttachmentFetcher, attachment_hosts
from bot.media.files.shared_work import SharedWork
from bot.media.files.stores.takeover import TakeoverStore
from bot.media.files.workspace import Workspace
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.moderation.access.gate import Gate
from bot.moderation.access.refusals import RefusedOrders
from bot.runtime.adapters import load_blocked_words, make_metrics, open_moderator, open_writers
from bot.runtime.costs import lengths_of, open_costs, presets_of
from bot.runtime.parts.file_store import open_file_store
from bot.runtime.parts.shared_database import lease_of, may_claim, open_heartbeat
from bot.runtime.parts.voices import make_voice_permissions
from bot.runtime.provider_account import account_of, ref_hasher
from bot.runtime.reach import reach_of
from bot.runtime.resources import MIN_FREE_BYTES
from bot.runtime.roles.role import Role
from bot.runtime.timing import timing_for
from bot.settings.types import BOOSTER
from storage.access.settings import AccessSettingsStore
from storage.artifacts import ArtifactStore
from storage.clock import ClockStore
from storage.files.kept_files import KeptFileTable
from storage.jobs.caps import Caps, CapStore
from storage.jobs.circuits import CircuitStore
from storage.jobs.client_jobs import ClientJobStore
from storage.jobs.holds import HoldStore
from storage.jobs.inbox import Inbox
from storage.jobs.queue.claims import QueueStore
from storage.jobs.queue.due_jobs import DueJobStore
from storage.jobs.spent_refs import SpentRefs
from storage.jobs.store import JobStore
from storage.ledger.paid_requests import PaidRequests

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from bot.backends.base import VideoBackend
    from bot.jobs.costs.alarms import BudgetAlarms
    from bot.jobs.costs.budgeting import Budgeting
    from bot.jobs.guiding.permissions import VoicePermissions
    from bot.jobs.leases.heartbeat import Heartbeat
    from bot.metrics import Metrics
    from bot.moderation.base import Moderator
    from bot.moderation.words import BlockedWords
    from bot.presets import Presets
    from bot.runtime.resources import Resources
    from bot.runtime.timing import Timing
    from bot.settings.fields import Settings
    from bot.speech.voices import Voices

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """The components that make videos, both for Discord and for API clients."""

    resources: Resources
    backend: VideoBackend
    timing: Timing
    bus: EventBus
    feed: JobFeed
    metrics: Metrics
    store: JobStore
    jobs: JobService
    budgeting: Budgeting
    budget_alarms: BudgetAlarms
    paid_requests: PaidRequests
    card_records: CardRecords
    webhooks: WebhookReceiver
    heartbeat: Heartbeat | None
    queue: JobQueue
    capacity: ProviderCapacity
    circuit: CircuitBreaker
    clock_watcher: ClockWatcher
    holds: Holds
    silence: ProviderSilence
    account: str
    spent: SpentRefs
    kept_files: KeptFileTable
    takeover: TakeoverStore | None
    workspace: Workspace
    shared: SharedWork
    artifacts: ArtifactStore
    editor: NarrationEditor
    blocked: BlockedWords
    access: AccessSettingsStore
    gate: Gate
    refusals: RefusedOrders
    moderator: Moderator | None
    prompt_step: PromptStep
    voice_permissions: VoicePermissions
    presets: Presets
    clients: ClientJobs


async def open_engine(
    resources: Resources,
    backend: VideoBackend,
    stack: AsyncExitStack,
    *,
    timing: Timing | None = None,
    voices: Voices | None = None,
    client: str | None = None,
    role: Role = Role.ALL,
) -> Engine:
    """Assemble the engine.

    `client`: run only this API client's jobs. With None, all jobs are run.
    """
    settings, clock = resources.settings, resources.clock
    timing = timing or timing_for(backend)
    bus, feed, metrics = EventBus(), JobFeed(), make_metrics(settings)
    bus.subscribe(metrics.on_job_changed, only_own=True)
    bus.subscribe(feed.on_job_changed)
    store, artifacts = JobStore(resources.database), ArtifactStore(resources.database)
    files, presets = await open_file_store(settings), presets_of(settings)
    kept_files = KeptFileTable(resources.database)
    kept = RecordedStore(files, kept_files, clock=clock)
    workspace = Workspace(settings.data_dir, kept)
    shared = SharedWork(workspace, None if role is Role.ALL else kept)
    account = account_of(settings, resources.secret)
    access = AccessSettingsStore(resources.database)
    gate = Gate(reach_of(settings), access, clock=clock, count=metrics.count_refused_order)
    blocked, moderator = await load_blocked_words(settings), open_moderator(settings, stack)
    refusals, changes = RefusedOrders(), ChangePublisher(bus)
    webhooks = WebhookReceiver(store, Inbox(resources.database), changes, clock=clock)
    paid_requests = PaidRequests(resources.database, clock=clock)
    lengths = lengths_of(settings, backend.capabilities)
    budgeting, budget_alarms = open_costs(resources, backend, lengths)
    jobs = JobService(
        store,
        changes,
        webhooks,
        backend=backend.name,
        account=account,
        admission=Admission(
            CapStore(resources.database),
            _caps(settings),
            blocked,
            gate=gate,
            role_caps=_role_caps(settings),
            clock=clock,
        ),
        budgeting=budgeting,
        acknowledge_seconds=timing.acknowledge,
        deadline_seconds=settings.job_deadline_minutes * 60,
        clock=clock,
    )
    circuit = CircuitBreaker(
        CircuitStore(resources.database), jobs, backend=backend.name, clock=clock
    )
    heartbeat = await open_heartbeat(resources, stack, role)
    lease = lease_of(heartbeat, resources.database)
    queued = QueueStore(resources.database, backend=backend.name, client=client, lease=lease)
    capacity = ProviderCapacity(queued, limit=settings.max_jobs, clock=clock)
    writer, fallback = await open_writers(resources, backend, stack)
    voice_permissions = make_voice_permissions(resources, backend)
    return Engine(
        resources=resources,
        backend=backend,
        timing=timing,
        bus=bus,
        feed=feed,
        metrics=metrics,
        store=store,
        jobs=jobs,
        budgeting=budgeting,
        budget_alarms=budget_alarms,
        paid_requests=paid_requests,
        card_records=CardRecords(store, changes, clock=clock),
        webhooks=webhooks,
        heartbeat=heartbeat,
        queue=JobQueue(
            DueJobStore(
                resources.database,
                backend=backend.name,
                client=client,
                lease=lease,
                has_card=None if role is Role.ALL else role is Role.WORKER,
            ),
            queued,
            capacity,
            access,
            clock=clock,
            may_claim=may_claim(heartbeat, client=client),
        ),
        capacity=capacity,
        circuit=circuit,
        clock_watcher=ClockWatcher(
            clock, ClockStore(resources.database), bus, boot=boot_id(), pause=timing.clock_check
        ),
        holds=Holds(HoldStore(resources.database), jobs, bus, backend=backend.name, clock=clock),
        silence=ProviderSilence(clock.steady),
        account=account,
        spent=SpentRefs(resources.database, ref_hasher(resources.secret)),
        kept_files=kept_files,
        takeover=files if isinstance(files, TakeoverStore) else None,
        workspace=workspace,
        shared=shared,
        artifacts=artifacts,
        editor=_editor(resources, workspace, shared, voices),
        blocked=blocked,
        access=access,
        gate=gate,
        refusals=refusals,
        moderator=moderator,
        prompt_step=PromptStep(
            jobs=jobs,
            paid_requests=paid_requests,
            backend=backend,
            moderator=moderator,
            writer=writer,
            fallback=fallback,
        ),
        voice_permissions=voice_permissions,
        presets=presets,
        clients=ClientJobs(
            jobs=jobs,
            voice_permissions=voice_permissions,
            store=ClientJobStore(resources.database),
            artifacts=artifacts,
            workspace=workspace,
            shared=shared,
            feed=feed,
            presets=presets,
            circuit=circuit,
            refusals=refusals,
            min_free_bytes=MIN_FREE_BYTES,
            service=settings.video_label,
            clock=clock,
        ),
    )


def _editor(
    resources: Resources, workspace: Workspace, shared: SharedWork, voices: Voices | None
) -> NarrationEditor:
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
        voices=voices,
        shared=shared,
    )


def _caps(settings: Settings) -> Caps:
    return Caps(
        open_per_user=settings.max_jobs_per_user,
        open_in_all=settings.max_jobs + settings.max_queue,
        per_day=settings.max_jobs_per_day,
        per_user_day=settings.max_jobs_per_user_day,
        per_server_day=settings.max_jobs_per_server_day or None,
    )


def _role_caps(settings: Settings) -> RoleCaps:
    caps = settings.caps_by_role
    by_role = {int(role): cap for role, cap in caps.items() if role != BOOSTER}
    return RoleCaps(by_role=by_role, boosters=caps.get(BOOSTER, 0))
