"""JobService: the one writer of state; it commits, then tells the bus."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.model import (
    CANCELLABLE,
    TRANSITIONS,
    Failure,
    Job,
    JobChanged,
    JobState,
    Origin,
    new_job,
)
from storage.jobs.store import Changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import BackendUpdate
    from bot.events import EventBus
    from bot.jobs.admission import Admission
    from bot.model import Attachment, Client, VideoRequest
    from storage.jobs.inbox import Inbox
    from storage.jobs.store import JobStore

log = logging.getLogger(__name__)


class JobService:
    """Takes jobs in, moves them along, and says so.

    A new job has `acknowledge_seconds` until its first step looks for the message that the command
    should have posted; a generating one has `deadline_seconds`.

    A write that comes too late (somebody else moved the job) returns None: an answer, not an error.
    """

    def __init__(
        self,
        store: JobStore,
        inbox: Inbox,
        bus: EventBus,
        *,
        backend: str,
        admission: Admission,
        acknowledge_seconds: float,
        deadline_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._bus = bus
        self._backend = backend
        self._admission = admission
        self._acknowledge_seconds = acknowledge_seconds
        self._deadline_seconds = deadline_seconds
        self._clock = clock

    async def submit(
        self,
        request: VideoRequest,
        asker: Origin | Client,
        attachment: Attachment | None,
        *,
        job_id: str | None = None,
        narration_of: str | None = None,
        clip_of: str | None = None,
    ) -> Job | None:
        """Take a job in; None: this interaction, or this client's key, made one already.

        It may take over the narration of one job, or the finished video of one instead of a new
        clip. `job_id` is one that `new_job_id` has given. UserError: a cap is reached, or a word is
        blocked.
        """
        self._admission.check(request, attachment, clip_of=clip_of)
        now = self._clock()
        # What a command in Discord asks for waits until its card is posted.
        wait = self._acknowledge_seconds if isinstance(asker, Origin) else 0.0
        job = await self._store.insert(
            new_job(
                request,
                asker,
                attachment,
                backend=self._backend,
                now=now,
                next_at=now + wait,
                job_id=job_id,
                narration_of=narration_of,
                clip_of=clip_of,
            ),
            self._admission.caps,
        )
        if job is None:
            if await self._store.by_requester(asker) is not None:
                return None
            raise await self._admission.refusal(asker)
        self._announce(job, None)
        return job

    async def acknowledge(self, job_id: str, message_id: int) -> Job | None:
        """Store the id of the job's one message, which lets it go on."""
        return self._tell(
            await self._store.acknowledge(job_id, message_id=message_id, now=self._clock())
        )

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        return await self._store.get(job_id)

    async def by_requester(self, asker: Origin | Client) -> Job | None:
        """Read the job that an interaction, or a client's key, has made."""
        return await self._store.by_requester(asker)

    async def cancel(self, job_id: str) -> Job | None:
        """Stop an open job, or give an undecided one up; None: it was not there, or past that."""
        return await self._decide(job_id, JobState.CANCELLED, CANCELLABLE | {JobState.UNDECIDED})

    async def retry_undecided(self, job_id: str) -> Job | None:
        """Send an undecided job to the provider once more, which may cost twice."""
        return await self._decide(job_id, JobState.QUEUED, frozenset({JobState.UNDECIDED}))

    async def give_up(self, job_id: str) -> Job | None:
        """End an undecided job."""
        return await self._decide(job_id, JobState.CANCELLED, frozenset({JobState.UNDECIDED}))

    async def discard(self, job_id: str) -> Job | None:
        """End a job whose finished video waits for the operator, so that it can be deleted.

        None: it does not wait, or is being handed over.
        """
        job = await self._store.get(job_id)
        if job is None or not self.is_held(job):
            return None
        return await self.move(job, JobState.CANCELLED, after=None)

    def is_held(self, job: Job) -> bool:
        """Tell whether the delivery of a job waits for something."""
        return job.state is JobState.DELIVERING and (job.next_at or 0) > self._clock()

    async def move(
        self,
        job: Job,
        to: JobState,
        changes: Changes | None = None,
        *,
        after: float | None = 0,
    ) -> Job | None:
        """Put a job into another state, whose step is due `after` seconds; None: never."""
        if to not in TRANSITIONS[job.state]:
            raise ValueError(f"no transition from {job.state} to {to}")
        now = self._clock()
        # What ended well needs no last look at the card; everything else does.
        next_at = None if to is JobState.SUCCEEDED or after is None else now + after
        moved = await self._store.move(job, to, changes or Changes(), next_at=next_at, now=now)
        if moved is not None:
            self._announce(moved, job.state)
        return moved

    async def fail(self, job: Job, key: str, **fields: str | float) -> Job | None:
        """End a job badly, for the reason that the sentence `key` gives."""
        return await self.move(
            job, JobState.FAILED, Changes(failure=Failure(key=key, fields=fields))
        )

    async def write_prompt(self, job: Job, prompt: str) -> Job | None:
        """Store what a queued job sends as its prompt; None: too late, or it was written before."""
        return await self._store.write_prompt(job, prompt, backend=self._backend, now=self._clock())

    async def begin_submit(self, job: Job) -> Job | None:
        """Commit to the one POST; None: too late, or a create just like it is in doubt."""
        moved = await self._store.begin_submit(
            job, backend=self._backend, create_key=uuid4().hex, now=self._clock()
        )
        if moved is not None:
            self._announce(moved, job.state)
        return moved

    async def bind(self, job: Job, update: BackendUpdate, *, after: float) -> Job | None:
        """Tie a job to its remote one, first polled `after` seconds or when a webhook says so."""
        now = self._clock()
        changes = Changes(
            remote_id=update.ref,
            generating_at=now,
            deadline_at=now + self._deadline_seconds,
            progress=update.progress,
        )
        bound = await self.move(job, JobState.GENERATING, changes, after=after)
        # Asked after the commit: a webhook from now on finds the row, an earlier one is here.
        if bound is not None and await self._inbox.has(job.backend, update.ref):
            await self.wake(job.backend, update.ref)
        return bound

    async def tie_cancelled(self, job: Job, ref: str) -> Job | None:
        """Tie a job that was cancelled during its create to its remote one, to have it stopped."""
        return self._tell(await self._store.tie_cancelled(job, ref, now=self._clock()))

    async def postpone(
        self,
        job: Job,
        *,
        after: float,
        attempts: int | None = None,
        progress: int | None = None,
        late: bool | None = None,
        misses: int | None = None,
    ) -> Job | None:
        """Leave a claimed job in its state, due again `after` seconds."""
        now = self._clock()
        return self._tell(
            await self._store.postpone(
                job,
                next_at=now + after,
                attempts=job.attempts if attempts is None else attempts,
                progress=progress,
                late=job.late if late is None else late,
                misses=job.misses if misses is None else misses,
                now=now,
            )
        )

    async def release(self, job: Job) -> Job | None:
        """Say that the job's card shows its end, or its question, and nothing more is due."""
        return await self._store.release(job, now=self._clock())

    async def forget_token(self, job_id: str) -> None:
        """Null an interaction token that Discord takes no more."""
        await self._store.forget_token(job_id)

    async def mark_card_gone(self, job_id: str) -> None:
        """Store that a job's card can't show its end, so that the library tells it."""
        await self._store.mark_card_gone(job_id)

    async def prove_bot_access(self, job_id: str, *, by_bot: bool) -> None:
        """Store whether the bot itself can edit a card, once that is known."""
        self._tell(await self._store.prove_bot_access(job_id, by_bot=by_bot))

    async def editable_by_token_only(self) -> list[Job]:
        """List the jobs whose card nothing but their token can edit, while they have it."""
        return await self._store.editable_by_token_only()

    async def intend_dm(self, job: Job) -> Job | None:
        """Commit to the one DM."""
        return await self._store.intend_dm(job, now=self._clock())

    async def receive_webhook(self, *, backend: str, webhook_id: str, remote_id: str) -> bool:
        """Keep a verified webhook and make its job due; False: it has come before."""
        new = await self._inbox.add(
            backend=backend, webhook_id=webhook_id, remote_id=remote_id, now=self._clock()
        )
        if new and not await self.wake(backend, remote_id):
            # It may be about a job of which nobody knew whether the provider took it.
            for job in await self._store.wake_undecided(backend, now=self._clock()):
                self._tell(job)
        return new

    async def wake(self, backend: str, remote_id: str) -> bool:
        """Make the job of a remote id due at once, if it is waiting for that."""
        job = await self._store.wake_remote(backend, remote_id, now=self._clock())
        return self._tell(job) is not None

    async def wake_held(self) -> int:
        """Make deliveries that wait for the operator due at once, and count them."""
        return len(await self._store.wake_held(now=self._clock()))

    async def publish_queue(self) -> None:
        """Tell the bus that the jobs in line may expect something else now."""
        for job in await self._store.in_line():
            self._bus.publish(JobChanged(job=job, previous=job.state, outlook=True))

    async def sweep(self) -> None:
        """Forget what is only kept for a while."""
        await self._inbox.sweep(now=self._clock())
        await self._store.forget_tokens(now=self._clock())

    async def _decide(self, job_id: str, to: JobState, states: frozenset[JobState]) -> Job | None:
        # A step may raise the epoch between our reading and writing: look again, a few times.
        for _ in range(5):
            job = await self._store.get(job_id)
            if job is None or job.state not in states or to not in TRANSITIONS[job.state]:
                return None
            moved = await self.move(job, to)
            if moved is not None:
                return moved
        return None

    def _tell(self, job: Job | None) -> Job | None:
        """Say that a job has changed within its state."""
        if job is not None:
            self._bus.publish(JobChanged(job=job, previous=job.state))
        return job

    def _announce(self, job: Job, previous: JobState | None) -> None:
        detail = f" reason={job.failure.key}" if job.failure else ""
        if previous is None:
            detail = f" {_who(job.asker)}"
        log.info("job.state id=%s from=%s to=%s%s", job.id, previous or "-", job.state, detail)
        self._bus.publish(JobChanged(job=job, previous=previous))


def _who(asker: Origin | Client) -> str:
    if isinstance(asker, Origin):
        return f"user={asker.user_id} channel={asker.channel_id}"
    return f"client={asker.name}"
