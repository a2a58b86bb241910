"""Provides stateful fakes of the provider, Discord, the media editor and the clock."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from bot.artifacts import FinishedVideo, Handover
from bot.backends import standard_webhooks
from bot.backends.base import BackendUpdate, Capabilities, Listing, RemoteState
from bot.errors import BackendError, ErrorKind, MediaError, UnconfirmedSubmitError, UserError
from bot.events import EventBus
from bot.jobs.admission import Admission
from bot.jobs.circuit_breaker import CircuitBreaker
from bot.jobs.ending import EndSteps
from bot.jobs.holds import Holds
from bot.jobs.pipeline import Pipeline
from bot.jobs.polling import Poller
from bot.jobs.prompting import PromptStep
from bot.jobs.queue import JobQueue
from bot.jobs.service import JobService
from bot.jobs.submission import Submission
from bot.jobs.worker import Lane, Worker
from bot.library.index import Library
from bot.library.remote_deletion import RemoteDeletion
from bot.library.retention import Retention, RetentionLimits
from bot.media.files.workspace import Workspace
from bot.model import Attachment, JobState, Origin, VideoRequest
from bot.moderation.words import BlockedWords
from bot.pacing import Cadence, LookupDelays, WatchedClock
from bot.prompts.base import VerbatimWriter
from storage.artifacts import ArtifactStore
from storage.database import open_database
from storage.jobs.circuits import CircuitStore
from storage.jobs.holds import HoldStore
from storage.jobs.inbox import Inbox
from storage.jobs.store import Caps, JobStore
from storage.jobs.unconfirmed import UnconfirmedStore
from storage.library import LibraryStore
from storage.people import PeopleStore
from storage.retention import RetentionStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from pathlib import Path

    from bot.artifacts import Artifact
    from bot.backends.base import Webhook
    from bot.model import Job, JobChanged
    from bot.moderation.base import Moderator, Reason
    from bot.prompts.base import PromptWriter
    from storage.database import Database

START = 1_800_000_000.0
PATIENCE = 10.0
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()
CLIP = b"the clip of "
ALL_STATES = tuple(JobState)


class Clock(WatchedClock):
    """A clock that advances only when told to; the machine's clock may be `ahead` of the truth."""

    def __init__(self, now: float = START, *, ahead: float = 0.0) -> None:
        self.now = now
        self.ahead = ahead
        super().__init__(wall=lambda: self.now + self.ahead, steady=lambda: self.now)

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass(kw_only=True)
class RemoteJob:
    """A job at the provider, which was charged for."""

    ref: str
    request: VideoRequest
    create_key: str
    created_at: float
    state: RemoteState = RemoteState.RUNNING
    progress: int | None = None
    error: BackendError | None = None
    cost: float | None = None
    expires_at: float | None = None


@dataclass
class FakeBackend:
    """A provider.

    `history`: the jobs that it charged for.
    `posts`: the number of creates that reached it.
    Each call consumes the first fault of its list.
    """

    clock: Clock
    name: str = "fake"
    capabilities: Capabilities = field(default_factory=Capabilities)
    history: dict[str, RemoteJob] = field(default_factory=dict[str, RemoteJob])
    posts: int = 0
    polls: int = 0
    refusals: list[Exception] = field(default_factory=list[Exception])
    lost_answers: list[Exception] = field(default_factory=list[Exception])
    poll_faults: list[BackendError] = field(default_factory=list[BackendError])
    fetch_faults: list[Exception] = field(default_factory=list[Exception])
    find_faults: list[BackendError] = field(default_factory=list[BackendError])
    cancel_faults: list[BackendError] = field(default_factory=list[BackendError])
    made: RemoteState = RemoteState.RUNNING
    lists: bool = True
    complete: bool = True
    certain: bool = True
    can_cancel: bool = True
    cancelled: list[str] = field(default_factory=list[str])
    hinted: list[str] = field(default_factory=list[str])
    in_submit: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.answer.set()

    async def submit(self, request: VideoRequest, *, create_key: str) -> BackendUpdate:
        self.posts += 1
        if self.refusals:
            raise self.refusals.pop(0)
        job = self.charge(request, create_key=create_key)
        self.in_submit.set()
        await self.answer.wait()
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return self._update(job)

    async def poll(self, ref: str) -> BackendUpdate:
        self.polls += 1
        if self.poll_faults:
            raise self.poll_faults.pop(0)
        return self._update(self._known(ref))

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> None:
        if self.fetch_faults:
            raise self.fetch_faults.pop(0)
        content = CLIP + update.ref.encode()
        assert len(content) <= max_bytes
        await asyncio.to_thread(sink.write_bytes, content)

    async def find(
        self, request: VideoRequest, *, since: float, hints: tuple[str, ...] = ()
    ) -> Listing:
        if self.find_faults:
            raise self.find_faults.pop(0)
        self.hinted += hints
        refs = [
            job.ref
            for job in self.history.values()
            if job.request.fingerprint == request.fingerprint
            and job.created_at >= since
            and (self.lists or job.ref in hints)
        ]
        return Listing(refs=tuple(refs), complete=self.complete, certain=self.certain)

    async def cancel(self, ref: str) -> bool:
        if self.cancel_faults:
            raise self.cancel_faults.pop(0)
        self.cancelled.append(ref)
        return self.can_cancel

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float
    ) -> Webhook | None:
        raise NotImplementedError  # only the real adapters verify signatures

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def charge(self, request: VideoRequest, *, create_key: str = "elsewhere") -> RemoteJob:
        """Create a job, and charge for it."""
        ref = f"video_{next(self._numbers)}"
        self.history[ref] = RemoteJob(
            ref=ref,
            request=request,
            create_key=create_key,
            created_at=self.clock(),
            state=self.made,
        )
        return self.history[ref]

    def finish(self) -> None:
        """Finish every job, also those created later."""
        self.made = RemoteState.DONE
        for job in self.history.values():
            job.state = RemoteState.DONE

    @property
    def only(self) -> RemoteJob:
        """The only job that was charged for."""
        (job,) = self.history.values()
        return job

    def _known(self, ref: str) -> RemoteJob:
        if ref not in self.history:
            raise BackendError(ErrorKind.GONE, "no such video")
        return self.history[ref]

    def _update(self, job: RemoteJob) -> BackendUpdate:
        return BackendUpdate(
            ref=job.ref,
            state=job.state,
            progress=job.progress,
            error=job.error,
            cost=job.cost,
            expires_at=job.expires_at,
        )


def signed(
    body: bytes, *, now: float, webhook_id: str = "wh_1", secret: str = WEBHOOK_SECRET
) -> dict[str, str]:
    """Sign a webhook's body as a provider does, and return the headers."""
    timestamp = str(int(now))
    (key, *_) = standard_webhooks.signing_keys([secret])
    message = b".".join((webhook_id.encode(), timestamp.encode(), body))
    mac = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{mac}",
    }


@dataclass
class FakeWriter:
    """A prompt writer whose prompts are all different; each call consumes the first fault."""

    name: str = "fake"
    written: list[str] = field(default_factory=list[str])
    faults: list[Exception] = field(default_factory=list[Exception])
    rooms: list[int] = field(default_factory=list[int])

    async def write(self, words: str, *, room: int) -> str:
        self.rooms.append(room)
        if self.faults:
            raise self.faults.pop(0)
        self.written.append(f"{words}\n\nTake {len(self.written) + 1}.")
        return self.written[-1]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


@dataclass
class FakeModerator:
    """A moderation service with `reasons` by word; each call consumes the first fault."""

    reasons: dict[str, Reason] = field(default_factory=dict[str, "Reason"])
    faults: list[BackendError] = field(default_factory=list[BackendError])
    checked: list[str] = field(default_factory=list[str])

    async def check(self, texts: Sequence[str]) -> Reason | None:
        if self.faults:
            raise self.faults.pop(0)
        self.checked += texts
        found = (reason for word, reason in self.reasons.items() if word in " ".join(texts))
        return next(found, None)

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


@dataclass
class FakeDeliverer:
    """Discord: the content of each job's message, and the DMs that were sent."""

    found: int | None = 77
    handover: Handover = Handover.CARD
    cards: dict[str, str] = field(default_factory=dict[str, str])
    videos: dict[str, Artifact] = field(default_factory=dict[str, "Artifact"])
    dms: Counter[str] = field(default_factory=Counter[str])
    notes: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    faults: list[Exception] = field(default_factory=list[Exception])

    async def find_message(self, job: Job) -> int | None:
        self._fail()
        assert job.origin.message_id is None
        return self.found

    async def show(self, job: Job) -> None:
        self._fail()
        self.cards[job.id] = job.failure.key if job.failure else str(job.state)

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:
        self._fail()
        if self.handover is not Handover.HELD:
            self.videos[job.id] = artifact
            self.notes[job.id] = job.note
            self.cards[job.id] = "video"
        return self.handover

    async def notify(self, job: Job, artifact: Artifact) -> bool:
        self._fail()
        assert artifact.job_id == job.id
        if job.dm_intent_at is None:
            self.dms[job.id] += 1
        return True

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


@dataclass
class FakeVoice:
    """A voice.

    `sound`: the audio for every text.
    `spoken`: the texts that were paid for.
    """

    sound: bytes
    costs: bool = True
    name: str = "fake"
    spoken: list[str] = field(default_factory=list[str])
    faults: list[Exception] = field(default_factory=list[Exception])
    answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answer.set()

    async def speak(self, text: str, target: Path) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.spoken.append(text)
        await self.answer.wait()
        await asyncio.to_thread(target.write_bytes, self.sound)


@dataclass
class FakeEditor:
    """The media editor, with the narrations that it ingested and the results that it wrote.

    `works`: a merge waits until this is set.
    `least`: the smallest size of a copy, for decent and for poor quality. Copies fill their limit.
    """

    workspace: Workspace
    note: str | None = None
    faults: list[Exception] = field(default_factory=list[Exception])
    ingested: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    spoken: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    replaced: list[str] = field(default_factory=list[str])
    least: dict[bool, int] = field(default_factory=dict[bool, int])
    shrunk: list[tuple[int, bool]] = field(default_factory=list[tuple[int, bool]])
    works: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.works.set()

    async def ingest(self, job_id: str, url: str) -> None:
        self._fail()
        folder = await self.workspace.create(job_id)
        await asyncio.to_thread(folder.narration.write_bytes, b"voice")
        await asyncio.to_thread(folder.attachment.write_bytes, url.encode())
        await self.workspace.keep_narration(job_id)
        self.ingested.append((job_id, url))

    async def ingest_kept(self, job_id: str, *, of: str) -> None:
        self._fail()
        folder = await self.workspace.create(job_id)
        if not folder.narration.exists():
            try:
                await self.workspace.reuse_narration(job_id, of=of)
            except FileNotFoundError as error:
                raise UserError("audio.not_kept") from error
            await asyncio.to_thread(folder.narration.write_bytes, b"voice")
        await self.workspace.keep_narration(job_id)

    async def ingest_given(self, job_id: str) -> None:
        self._fail()
        folder = await self.workspace.create(job_id)
        content = await asyncio.to_thread(folder.attachment.read_bytes)
        await asyncio.to_thread(folder.narration.write_bytes, b"voice")
        await self.workspace.keep_narration(job_id)
        self.ingested.append((job_id, content.decode(errors="replace")))

    async def speak(self, job_id: str, text: str) -> None:
        self._fail()
        folder = await self.workspace.create(job_id)
        if not folder.narration.exists():
            await asyncio.to_thread(folder.narration.write_bytes, b"voice")
            await asyncio.to_thread(folder.attachment.write_bytes, text.encode())
            self.spoken.append((job_id, text))
        await self.workspace.keep_narration(job_id)

    async def finish(
        self, job_id: str, *, narrated: bool, replacing: bool = False
    ) -> FinishedVideo:
        self._fail()
        if replacing:
            self.replaced.append(job_id)
        folder = self.workspace.folder(job_id)
        if not narrated:
            return FinishedVideo(path=folder.clip)
        if not folder.narration.exists():
            raise MediaError("no narration")
        await self.works.wait()
        clip = await asyncio.to_thread(folder.clip.read_bytes)
        await asyncio.to_thread(folder.result.write_bytes, clip + b" with voice")
        return FinishedVideo(path=folder.result, note=self.note)

    async def shrink(self, job_id: str, *, limit_bytes: int, decent: bool) -> None:
        self.shrunk.append((limit_bytes, decent))
        if self.least.get(decent, limit_bytes + 1) <= limit_bytes:
            copy = await self.workspace.prepare_copy(job_id, decent=decent)
            await asyncio.to_thread(copy.write_bytes, bytes(limit_bytes))

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


REQUEST = VideoRequest(prompt="a cat on a roof", model="sora-2", seconds=8, size="1280x720")
VOICE = Attachment(url="https://cdn.example/voice.ogg?ex=1", filename="voice.ogg", size=5)
CAPS = Caps(open_per_user=1000, open_in_all=1000, per_day=1000)

_INTERACTIONS = count(1)


def origin(**changes: object) -> Origin:
    """Return the origin of a new command, with a new interaction id."""
    template = Origin(
        interaction_id=next(_INTERACTIONS),
        application_id=11,
        user_id=1,
        guild_id=2,
        channel_id=3,
        locale="en-GB",
        token="interaction-token",
        token_until=START + 840,
        upload_limit=10_000_000,
    )
    return replace(template, **changes)  # pyright: ignore[reportArgumentType] - names of its fields


class Bench:
    """The engine, assembled as in the app, but stepped by the test."""

    def __init__(
        self,
        database: Database,
        root: Path,
        *,
        clock: Clock,
        backend: FakeBackend,
        deliverer: FakeDeliverer,
        caps: Caps,
        writer: PromptWriter | None = None,
        moderator: Moderator | None = None,
        blocked: tuple[str, ...] = (),
    ) -> None:
        self.moderator = moderator
        self.blocked = BlockedWords(blocked)
        self.writer = writer or VerbatimWriter()
        self.database = database
        self.root = root
        self.clock = clock
        self.backend = backend
        self.deliverer = deliverer
        self.store = JobStore(database)
        self.inbox = Inbox(database)
        self.artifacts = ArtifactStore(database)
        self.workspace = Workspace(root)
        self.people = PeopleStore(database)
        self.remote_deletion = RemoteDeletion(RetentionStore(database), backend, clock=clock)
        self.library = Library(LibraryStore(database), self.artifacts, self.workspace, clock=clock)
        self.editor = FakeEditor(self.workspace)
        self.bus = EventBus()
        self.changes: list[JobChanged] = []
        self.bus.subscribe(self._note)
        self._changed = asyncio.Event()
        self.jobs = JobService(
            self.store,
            self.inbox,
            self.bus,
            backend=backend.name,
            admission=Admission(self.store, caps, self.blocked, clock=clock),
            acknowledge_seconds=10.0,
            deadline_seconds=1800.0,
            clock=clock,
        )
        self.retention = self.build_retention()
        self.circuits = CircuitStore(database)
        self.circuit = CircuitBreaker(self.circuits, self.jobs, backend=backend.name, clock=clock)
        self.hold_store = HoldStore(database)
        self.holds = Holds(self.hold_store, self.jobs, self.bus, backend=backend.name, clock=clock)
        self.queue = JobQueue(self.store, backend=backend.name, clock=clock)
        self.unconfirmed = UnconfirmedStore(database)
        self.cadence = Cadence(first=5.0, growth=2.0, ceiling=30.0)
        self.poller = Poller(self.jobs, backend, self.cadence, clock=clock, jitter=lambda: 0.0)
        self.pipeline = self.build_pipeline()

    def build_retention(self, *, max_bytes: int = 1024**2) -> Retention:
        return Retention(
            RetentionStore(self.database),
            self.people,
            self.workspace,
            self.jobs,
            limits=RetentionLimits(days=30, max_bytes=max_bytes),
            on_deleted=self.remote_deletion.wake,
            clock=self.clock,
        )

    def build_pipeline(self, *, min_free_bytes: int = 0) -> Pipeline:
        prompt_step = PromptStep(
            jobs=self.jobs,
            backend=self.backend,
            moderator=self.moderator,
            writer=self.writer,
            fallback=VerbatimWriter(),
        )
        return Pipeline(
            jobs=self.jobs,
            backend=self.backend,
            artifacts=self.artifacts,
            workspace=self.workspace,
            editor=self.editor,
            deliverer=self.deliverer,
            submission=Submission(
                jobs=self.jobs,
                holds=self.holds,
                unconfirmed=self.unconfirmed,
                backend=self.backend,
                circuit=self.circuit,
                workspace=self.workspace,
                prompt_step=prompt_step,
                settling=LookupDelays(first=180.0, apart=60.0),
                first_poll=5.0,
                min_free_bytes=min_free_bytes,
            ),
            prompt_step=prompt_step,
            end_steps=EndSteps(
                jobs=self.jobs,
                backend=self.backend,
                workspace=self.workspace,
                cards=self.deliverer,
            ),
            max_clip_bytes=1024**2,
            clock=self.clock,
        )

    @property
    def lane(self) -> Lane:
        steps = {**self.pipeline.steps, JobState.GENERATING: self.poller.poll}
        return Lane(name="all", steps=steps, slots=8)

    def worker(self, lane: Lane | None = None) -> Worker:
        return Worker(
            self.jobs, self.queue, lane or self.lane, holds=self.holds, jitter=lambda: 0.0
        )

    async def submit(
        self,
        request: VideoRequest = REQUEST,
        *,
        attachment: Attachment | None = None,
        narration_of: str | None = None,
        clip_of: str | None = None,
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
        )
        assert job is not None
        if not acknowledged:
            return job
        job = await self.jobs.acknowledge(job.id, 77)
        assert job is not None
        return job

    async def at(
        self, state: JobState, *, attachment: Attachment | None = None, **place: object
    ) -> Job:
        """Submit a job, and run its steps until it is in `state`."""
        job = await self.submit(attachment=attachment, **place)
        await self._prepare(job.id, state)
        while (now := await self.now(job.id)).state is not state:
            await self.step(job.id)
        return now

    async def _prepare(self, job_id: str, state: JobState) -> None:
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
                self.backend.charge(REQUEST)
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

    async def claim_again(self, job_id: str) -> None:
        """Raise a job's epoch as a claim does."""
        await self.database.row("UPDATE jobs SET epoch = epoch + 1 WHERE id = :id", {"id": job_id})

    async def step(self, job_id: str) -> Job:
        """Advance the clock, run a job's next step, and return the job after it."""
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

    @asynccontextmanager
    async def unwritable(self) -> AsyncGenerator[None]:
        """Let SQLite refuse every write, as on a full disk."""
        await self.database.rows("PRAGMA query_only = ON", {})
        try:
            yield
        finally:
            await self.database.rows("PRAGMA query_only = OFF", {})

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

    def _note(self, change: JobChanged) -> None:
        self.changes.append(change)
        self._changed.set()


@asynccontextmanager
async def open_bench(
    root: Path,
    clock: Clock,
    *,
    backend: FakeBackend | None = None,
    deliverer: FakeDeliverer | None = None,
    caps: Caps = CAPS,
    writer: PromptWriter | None = None,
    moderator: Moderator | None = None,
    blocked: tuple[str, ...] = (),
) -> AsyncGenerator[Bench]:
    """Start on the folder `root`; with the fakes of an earlier start, this is a restart."""
    async with open_database(root) as database:
        yield Bench(
            database,
            root,
            clock=clock,
            backend=backend or FakeBackend(clock),
            deliverer=deliverer or FakeDeliverer(),
            caps=caps,
            writer=writer,
            moderator=moderator,
            blocked=blocked,
        )
