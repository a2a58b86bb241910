"""The engine over SQLite, with the fakes around it."""

from __future__ import annotations

import asyncio
import hmac
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING

from bot.artifacts import NO_VOICE, OrderedVoice
from bot.backends.base import BackendUpdate
from bot.delivery.spending.picture import SpendingPicture
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from bot.events import EventBus
from bot.jobs.admission import Admission
from bot.jobs.changes.card_records import CardRecords
from bot.jobs.changes.publisher import ChangePublisher
from bot.jobs.changes.webhook_receiver import WebhookReceiver
from bot.jobs.circuit_breaker import CircuitBreaker
from bot.jobs.costs.alarms import BudgetAlarms
from bot.jobs.costs.budgeting import Budgeting
from bot.jobs.costs.calendar import Calendar
from bot.jobs.costs.chart.picture import ChartPicture
from bot.jobs.costs.payers import Payers
from bot.jobs.costs.prices import Prices
from bot.jobs.costs.spending import SpendingReports
from bot.jobs.downloading import FinalDownload
from bot.jobs.ending import EndSteps
from bot.jobs.guiding.guide import VoiceGuide
from bot.jobs.guiding.permissions import VoicePermissions
from bot.jobs.pipeline import Pipeline
from bot.jobs.polling.list_polling import ListPolling
from bot.jobs.polling.page_step import PageStep
from bot.jobs.polling.poller import Poller
from bot.jobs.polling.schedule import PollSchedule
from bot.jobs.polling.silence import ProviderSilence
from bot.jobs.prompting import PromptStep
from bot.jobs.queue import JobQueue
from bot.jobs.remote.answer_saver import AnswerSaver
from bot.jobs.remote.fresh_values import FreshValues
from bot.jobs.remote.identity import RemoteIdentity
from bot.jobs.remote.lookup import RemoteLookup
from bot.jobs.service import JobService
from bot.jobs.submission import Submission
from bot.jobs.waits.capacity import ProviderCapacity
from bot.jobs.waits.holds import Holds
from bot.jobs.waits.step_retries import StepRetries
from bot.jobs.worker import Lane, Worker
from bot.library.index import Library
from bot.library.recorded_store import RecordedStore
from bot.library.remote_deletion import RemoteDeletion
from bot.library.retention import Retention, RetentionLimits
from bot.links import Links
from bot.media.files.stores.folder import FolderStore
from bot.media.files.workspace import Workspace
from bot.model import Attachment, JobState, VideoRequest
from bot.moderation.access.gate import Gate
from bot.moderation.access.place import OrderFrom, Reach
from bot.moderation.access.refusals import RefusedOrders
from bot.moderation.words import BlockedWords
from bot.pacing import ListIntervals, LookupDelays, PollIntervals, PostFence
from bot.presets import ClipLengths
from bot.prompts.base import VerbatimWriter
from bot.speech.kept_speeches import KeptSpeeches
from storage.access.settings import AccessSettingsStore
from storage.access.voice_consents import VoiceConsentStore
from storage.artifacts import ArtifactStore
from storage.database import open_database
from storage.files.data_folder import make_folder
from storage.files.kept_files import KeptFileTable
from storage.jobs.caps import Caps, CapStore
from storage.jobs.circuits import CircuitStore
from storage.jobs.generation_times import GenerationTimes
from storage.jobs.holds import HoldStore
from storage.jobs.inbox import Inbox
from storage.jobs.listings import ListingStore
from storage.jobs.polling.listed_jobs import ListedJobStore
from storage.jobs.queue.claims import QueueStore
from storage.jobs.queue.due_jobs import DueJobStore
from storage.jobs.remote_jobs import RemoteJobStore
from storage.jobs.spent_refs import SpentRefs
from storage.jobs.store import JobStore
from storage.jobs.unconfirmed import UnconfirmedStore
from storage.ledger.budgets import Budgets, LedgerStore
from storage.ledger.notices import BudgetNoticeStore
from storage.ledger.paid_requests import PaidRequests
from storage.ledger.spending import SpendingStore
from storage.library import LibraryStore
from storage.people import PeopleStore
from storage.retention import RetentionStore
from storage.speeches import SpeechStore
from storage.sqlite.database import SqliteDatabase
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.clip_steps import clip_steps
from tests.support.fakes.clock import PATIENCE, Clock
from tests.support.fakes.deliverer import FakeDeliverer
from tests.support.fakes.media import FakeEditor, FakeVoiceEncoder
from tests.support.fakes.orders import REQUEST, origin
from tests.support.postgres import ACCEPT_WRITES, REFUSE_WRITES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from bot.media.files.shared_work import SharedWork
    from bot.media.files.stores.base import FileStore
    from bot.model import Job, JobChanged
    from bot.moderation.base import Moderator
    from bot.prompts.base import PromptWriter
    from bot.texts import Texts
    from storage.database import Database
    from storage.workers.leases import Lease

ALL_STATES = tuple(JobState)
FREE = Prices()
ACCOUNT = "the account of the tests"
EVERYWHERE = Reach(order_from=OrderFrom.EVERYWHERE)
POLL_INTERVALS = PollIntervals(first=5.0, growth=2.0, ceiling=30.0)
LIST_INTERVALS = ListIntervals(period=2.5, put_off=30.0, blind_age=30.0)
LENGTHS = ClipLengths(usual=REQUEST.seconds)
_MAX_CLIP_BYTES = 1024**2
CAPS = Caps(open_per_user=1000, open_in_all=1000, per_day=1000)


class Bench:
    """The engine, assembled as in the app, but stepped by the test."""

    shared: SharedWork | None = None

    def __init__(
        self,
        database: Database,
        root: Path,
        *,
        clock: Clock,
        backend: FakeBackend,
        deliverer: FakeDeliverer,
        caps: Caps,
        at_provider: int = 1000,
        writer: PromptWriter | None = None,
        moderator: Moderator | None = None,
        blocked: tuple[str, ...] = (),
        reach: Reach = EVERYWHERE,
        price: int = 0,
        prices: Prices = FREE,
        lengths: ClipLengths = LENGTHS,
        budgets: Budgets | None = None,
        poll_intervals: PollIntervals = POLL_INTERVALS,
        has_webhooks: bool = False,
        files: FileStore | None = None,
        lease: Lease | None = None,
    ) -> None:
        self.moderator = moderator
        self.blocked = BlockedWords(blocked)
        self.access, self.refusals = AccessSettingsStore(database), RefusedOrders()
        self.gate = Gate(reach, self.access, clock=clock, count=self._count_refusal)
        self.writer = writer or VerbatimWriter()
        self.database, self.root = database, root
        self.clock = clock
        self.backend = backend
        self.deliverer = deliverer
        self.store, self.cap_store = JobStore(database), CapStore(database)
        self.ledger, self.inbox = LedgerStore(database), Inbox(database)
        self.artifacts = ArtifactStore(database)
        self.kept_files = KeptFileTable(database)
        self.workspace = _workspace(root, files, self.kept_files, clock)
        self.people = PeopleStore(database)
        self.remote_deletion = RemoteDeletion(RetentionStore(database), backend, clock=clock)
        self.library = Library(LibraryStore(database), self.artifacts, self.workspace, clock=clock)
        self.editor, self.encoder = FakeEditor(self.workspace), FakeVoiceEncoder(self.workspace)
        self.bus = EventBus()
        self.changes, self.refused_orders = list["JobChanged"](), list[str]()
        self.bus.subscribe(self._on_job_changed)
        self._changed = asyncio.Event()
        publisher = ChangePublisher(self.bus)
        self.card_records = CardRecords(self.store, publisher, clock=clock)
        self.webhooks = WebhookReceiver(self.store, self.inbox, publisher, clock=clock)
        self.prices, self.budgets = replace(prices, clip=price or prices.clip), budgets or Budgets()
        self.lengths = lengths
        self.budgeting = self.build_budgeting()
        self.jobs = JobService(
            self.store,
            publisher,
            self.webhooks,
            backend=backend.name,
            account=ACCOUNT,
            admission=Admission(self.cap_store, caps, self.blocked, gate=self.gate, clock=clock),
            budgeting=self.budgeting,
            acknowledge_seconds=10.0,
            deadline_seconds=1800.0,
            clock=clock,
        )
        self.speeches = KeptSpeeches(SpeechStore(database), self.workspace, clock=clock)
        self.spent, self.fence = SpentRefs(database, _hashed), PostFence((clock.steady,))
        self.retention = self.build_retention()
        self.circuits = CircuitStore(database)
        self.circuit = CircuitBreaker(self.circuits, self.jobs, backend=backend.name, clock=clock)
        self.hold_store = HoldStore(database)
        self.holds = Holds(self.hold_store, self.jobs, self.bus, backend=backend.name, clock=clock)
        self.may_claim = True
        queued = QueueStore(database, backend=backend.name, lease=lease)
        self.due_jobs = DueJobStore(database, backend=backend.name, lease=lease)
        self.capacity = ProviderCapacity(queued, limit=at_provider, clock=clock)
        self.queue = JobQueue(
            self.due_jobs,
            queued,
            self.capacity,
            self.access,
            clock=clock,
            may_claim=lambda: self.may_claim,
        )
        self.unconfirmed = UnconfirmedStore(database, self.spent)
        self.remote_jobs, self.listings = RemoteJobStore(database), ListingStore(database)
        self.identity = RemoteIdentity(self.remote_jobs, self.jobs, backend, clock=clock)
        self.silence = ProviderSilence(clock.steady)
        self.fresh_answers = FreshValues[BackendUpdate](clock.steady)
        self.poll_intervals = poll_intervals
        self.poller = Poller(
            self.jobs,
            backend,
            PollSchedule(
                self.poll_intervals,
                GenerationTimes(database),
                has_webhooks=has_webhooks,
                clock=clock,
                jitter=lambda: 0.0,
            ),
            self.identity,
            holds=self.holds,
            final_download=FinalDownload(backend, self.workspace, max_bytes=_MAX_CLIP_BYTES),
            fresh_answers=self.fresh_answers,
            silence=self.silence,
            clock=clock,
            jitter=lambda: 0.0,
        )
        self.list_polling = self.build_list_polling(publisher)
        self.pipeline = self.build_pipeline()

    @cached_property
    def voice_permissions(self) -> VoicePermissions:
        consents = VoiceConsentStore(self.database)
        return VoicePermissions(consents, self.backend, service=None, clock=self.clock)

    @property
    def links(self) -> Links:
        return Links(b"key", public_url="https://clapper.example", lifetime=60.0, clock=self.clock)

    @property
    def paid_requests(self) -> PaidRequests:
        return PaidRequests(self.database, clock=self.clock)

    def build_budgeting(self) -> Budgeting:
        return Budgeting(
            self.ledger,
            Payers(self.ledger),
            Calendar(UTC),
            BudgetNoticeStore(self.database),
            prices=self.prices,
            lengths=self.lengths,
            budgets=self.budgets,
            clock=self.clock,
        )

    def build_budget_alarms(self) -> BudgetAlarms:
        return BudgetAlarms(
            self.ledger,
            BudgetNoticeStore(self.database),
            Calendar(UTC),
            price=self.prices.of_clip(self.lengths.usual),
            budgets=self.budgets,
            clock=self.clock,
        )

    def _count_refusal(self, reason: str) -> None:
        self.refused_orders.append(reason)

    def build_list_polling(self, publisher: ChangePublisher) -> ListPolling:
        store = ListedJobStore(self.database, backend=self.backend.name)
        return ListPolling(
            store,
            self.backend,
            PageStep(
                store,
                self.identity,
                publisher,
                self.silence,
                put_off=LIST_INTERVALS.put_off,
                clock=self.clock,
            ),
            intervals=LIST_INTERVALS,
            clock=self.clock,
        )

    def build_retention(self, *, max_bytes: int = 1024**2) -> Retention:
        return Retention(
            RetentionStore(self.database),
            self.people,
            self.workspace,
            self.jobs,
            speeches=self.speeches,
            spent=self.spent,
            kept_files=self.kept_files,
            limits=RetentionLimits(days=30, max_bytes=max_bytes),
            on_deleted=self.remote_deletion.wake,
            clock=self.clock,
        )

    def build_spending_picture(self, texts: Texts) -> SpendingPicture:
        store = SpendingStore(self.database)
        reports = SpendingReports(store, Calendar(UTC), budgets=Budgets(), clock=self.clock)
        return SpendingPicture(reports, texts, ChartPicture())

    def build_pipeline(self, *, min_free_bytes: int = 0) -> Pipeline:
        prompt_step = PromptStep(
            jobs=self.jobs,
            paid_requests=self.paid_requests,
            backend=self.backend,
            moderator=self.moderator,
            writer=self.writer,
            fallback=VerbatimWriter(),
        )
        downloading, merging = clip_steps(self, max_bytes=_MAX_CLIP_BYTES)
        return Pipeline(
            jobs=self.jobs,
            paid_requests=self.paid_requests,
            artifacts=self.artifacts,
            workspace=self.workspace,
            editor=self.editor,
            deliverer=self.deliverer,
            submission=Submission(
                jobs=self.jobs,
                holds=self.holds,
                lookup=RemoteLookup(
                    unconfirmed=self.unconfirmed,
                    remote_jobs=self.remote_jobs,
                    listings=self.listings,
                    spent=self.spent,
                    backend=self.backend,
                    account=ACCOUNT,
                    clock=self.clock,
                ),
                identity=self.identity,
                saver=AnswerSaver(steady=self.clock.steady, sleep=self.clock.sleep),
                backend=self.backend,
                circuit=self.circuit,
                capacity=self.capacity,
                workspace=self.workspace,
                prompt_step=prompt_step,
                fence=self.fence,
                voice_guide=VoiceGuide(
                    self.backend,
                    self.encoder,
                    self.links,
                    self.voice_permissions,
                    service="video.example",
                ),
                lookup_delays=LookupDelays(first=180.0, interval=60.0),
                first_poll=self.poll_intervals.first,
                min_free_bytes=min_free_bytes,
            ),
            prompt_step=prompt_step,
            end_steps=EndSteps(
                jobs=self.jobs,
                backend=self.backend,
                identity=self.identity,
                workspace=self.workspace,
                cards=self.deliverer,
            ),
            budgeting=self.budgeting,
            downloading=downloading,
            merging=merging,
        )

    @property
    def lane(self) -> Lane:
        steps = {**self.pipeline.steps, JobState.GENERATING: self.poller.poll}
        return Lane(name="all", steps=steps, slots=8)

    def worker(self, lane: Lane | None = None) -> Worker:
        retries = StepRetries(self.jobs, self.holds, jitter=lambda: 0.0)
        return Worker(self.queue, lane or self.lane, retries)

    async def submit(
        self,
        request: VideoRequest = REQUEST,
        *,
        attachment: Attachment | None = None,
        narration_of: str | None = None,
        clip_of: str | None = None,
        voice: OrderedVoice = NO_VOICE,
        acknowledged: bool = True,
        **place: object,
    ) -> Job:
        """Submit a job and store its message."""
        job = await self.jobs.submit(
            request,
            origin(**place),
            attachment,
            narration_of=narration_of,
            clip_of=clip_of,
            voice=voice,
        )
        assert job is not None
        if not acknowledged:
            return job
        job = await self.jobs.acknowledge(job.id, 77)
        assert job is not None
        return job

    async def at(
        self,
        state: JobState,
        request: VideoRequest = REQUEST,
        *,
        attachment: Attachment | None = None,
        **place: object,
    ) -> Job:
        """Submit a job, and run its steps until it is in `state`."""
        job = await self.submit(request, attachment=attachment, **place)
        await self._prepare(job.id, state, request)
        while (now := await self.now(job.id)).state is not state:
            await self.step(job.id)
        return now

    async def _prepare(self, job_id: str, state: JobState, request: VideoRequest) -> None:
        match state:
            case JobState.CANCELLED:
                await self.jobs.cancel(job_id)
            case JobState.FAILED:
                self.backend.refusals.append(BackendError(ErrorKind.MODERATED, "no"))
            case JobState.SUBMITTING:
                await self.step(job_id)
                await self.jobs.begin_submit(await self.claim(job_id))
            case JobState.UNCONFIRMED:
                self.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
            case JobState.UNDECIDED:
                self.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
                self.backend.charge(request)
            case _:
                pass
        if state not in {JobState.GENERATING, JobState.UNCONFIRMED}:
            self.backend.finish()

    async def now(self, job_id: str) -> Job:
        """Read a job."""
        job = await self.jobs.get(job_id)
        assert job is not None
        return job

    async def claim(self, job_id: str) -> Job:
        """Advance the clock until a job is due, and claim it."""
        job = await self.now(job_id)
        assert job.next_at is not None
        self.clock.advance(max(job.next_at - self.clock(), 0.0))
        (claimed,) = [
            each
            for each in await self.queue.claim(ALL_STATES, running=(), limit=1000)
            if each.id == job_id
        ]
        return claimed

    async def trust_list(self) -> None:
        """Store that the list has shown a job of this key, so that absence from it is proof."""
        await self.listings.record_shown(self.backend.name, ACCOUNT, now=self.clock())

    async def claim_again(self, job_id: str) -> None:
        """Raise a job's epoch as a claim does."""
        await self.database.row("UPDATE jobs SET epoch = epoch + 1 WHERE id = :id", {"id": job_id})

    async def step(self, job_id: str) -> Job:
        """Advance the clock, run a job's next step, and return the changed job."""
        job = await self.claim(job_id)
        await self.lane.steps[job.state](job)
        return await self.now(job_id)

    async def run_out(self, job_id: str, *, steps: int = 60) -> Job:
        """Run a job's steps until none is due."""
        for _ in range(steps):
            if (await self.now(job_id)).next_at is None:
                break
            await self.step(job_id)
        return await self.now(job_id)

    def pause_after_intent(self, seconds: float) -> None:
        """Pause the process once, between the commit of an intent and its create request."""
        pauses = [seconds]

        def pause(change: JobChanged) -> None:
            if change.job.state is JobState.SUBMITTING and pauses:
                self.clock.advance(pauses.pop())

        self.bus.subscribe(pause)

    @asynccontextmanager
    async def unwritable(self) -> AsyncGenerator[None]:
        """Have the database refuse every write, as on a full disk."""
        await self.refuse_writes()
        try:
            yield
        finally:
            await self.accept_writes()

    async def refuse_writes(self) -> None:
        """Have the database refuse every write from now on."""
        is_sqlite = isinstance(self.database, SqliteDatabase)
        await self.database.rows("PRAGMA query_only = ON" if is_sqlite else REFUSE_WRITES, {})

    async def accept_writes(self) -> None:
        """Have the database accept writes again."""
        is_sqlite = isinstance(self.database, SqliteDatabase)
        await self.database.rows("PRAGMA query_only = OFF" if is_sqlite else ACCEPT_WRITES, {})

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a job's change makes the condition true."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def changed_to(self, state: JobState) -> bool:
        """Return whether the bus has published a change to this state."""
        return any(change.job.state is state for change in self.changes)

    async def events(self, job_id: str) -> list[tuple[str | None, str]]:
        """List the audited transitions of a job."""
        rows = await self.database.rows(
            "SELECT * FROM job_events WHERE job_id = :id ORDER BY rowid", {"id": job_id}
        )
        return [(row["from_state"], row["to_state"]) for row in rows]

    async def count_rows(self, table: str) -> int:
        """Count the rows of a table."""
        row = await self.database.row(f"SELECT count(*) AS n FROM {table}", {})  # noqa: S608 - ours
        assert row is not None
        return row["n"]

    def _on_job_changed(self, change: JobChanged) -> None:
        self.changes.append(change)
        self._changed.set()


def _workspace(
    root: Path, files: FileStore | None, table: KeptFileTable, clock: Clock
) -> Workspace:
    return Workspace(root, RecordedStore(files or FolderStore(root), table, clock=clock))


def _hashed(ref: str) -> str:
    return hmac.digest(b"a key of the tests", ref.encode(), "sha256").hex()


@asynccontextmanager
async def open_bench(
    root: Path,
    clock: Clock,
    *,
    backend: FakeBackend | None = None,
    deliverer: FakeDeliverer | None = None,
    caps: Caps = CAPS,
    at_provider: int = 1000,
    writer: PromptWriter | None = None,
    moderator: Moderator | None = None,
    blocked: tuple[str, ...] = (),
    reach: Reach = EVERYWHERE,
    price: int = 0,
    prices: Prices = FREE,
    lengths: ClipLengths = LENGTHS,
    budgets: Budgets | None = None,
    poll_intervals: PollIntervals = POLL_INTERVALS,
    has_webhooks: bool = False,
    files: FileStore | None = None,
    lease: Lease | None = None,
) -> AsyncGenerator[Bench]:
    """Start on the folder `root`; with the fakes of an earlier start, this is a restart."""
    await asyncio.to_thread(make_folder, root)
    async with open_database(root) as database:
        yield Bench(
            database,
            root,
            clock=clock,
            backend=backend or FakeBackend(clock),
            deliverer=deliverer or FakeDeliverer(),
            caps=caps,
            at_provider=at_provider,
            writer=writer,
            moderator=moderator,
            blocked=blocked,
            reach=reach,
            price=price,
            prices=prices,
            lengths=lengths,
            budgets=budgets,
            poll_intervals=poll_intervals,
            has_webhooks=has_webhooks,
            lease=lease,
            files=files,
        )
