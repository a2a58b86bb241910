"""JobService: the only writer of job states. Each change is committed and then published."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.artifacts import UNGUIDED
from bot.errors import UserError
from bot.jobs.admission import Admission, new_job
from bot.jobs.costs.retries import Retries
from bot.jobs.remote.identity import identity_of
from bot.jobs.waits.pauses import MAX_PAUSES
from bot.model import CANCELLABLE, TRANSITIONS, Failure, Job, JobState, Origin
from storage.errors import StorageError
from storage.jobs.store import Changes

if TYPE_CHECKING:
    from typing import Unpack

    from bot.artifacts import SubmittedVoice
    from bot.backends.base import BackendUpdate
    from bot.jobs.admission import Allowance, JobSources
    from bot.jobs.changes.publisher import ChangePublisher
    from bot.jobs.changes.webhook_receiver import WebhookReceiver
    from bot.jobs.costs.budgeting import Budgeting
    from bot.model import Attachment, Client, VideoRequest
    from bot.moderation.access.place import OrderPlace
    from bot.pacing import WatchedClock
    from storage.jobs.store import JobStore

log = logging.getLogger(__name__)

# The number of attempts to store a change. An attempt fails if another change was stored first.
_TRIES = 5


class JobService:
    """Creates jobs, changes their states, and publishes every change.

    A method that writes returns None if the job has changed since it was read.
    `acknowledge_seconds`: the time limit for a command to post a new job's card. After that, a step
    looks for the card.
    `deadline_seconds`: the time limit for the provider to generate a clip.
    """

    def __init__(
        self,
        store: JobStore,
        changes: ChangePublisher,
        webhooks: WebhookReceiver,
        *,
        backend: str,
        account: str,
        admission: Admission,
        budgeting: Budgeting,
        acknowledge_seconds: float,
        deadline_seconds: float,
        clock: WatchedClock,
    ) -> None:
        self._store = store
        self._changes = changes
        self._webhooks = webhooks
        self._backend = backend
        self._account = account
        self._admission = admission
        self._budgeting = budgeting
        self._retries = Retries(store, changes, admission, budgeting, clock=clock)
        self._acknowledge_seconds = acknowledge_seconds
        self._deadline_seconds = deadline_seconds
        self._clock = clock

    def draft(
        self,
        request: VideoRequest,
        requester: Origin | Client,
        attachment: Attachment | None,
        **sources: Unpack[JobSources],
    ) -> Job:
        """Return the job that `submit` would create. Raises UserError if a word is blocked."""
        self._admission.check(request, attachment, clip_of=sources.get("clip_of"))
        now = self._clock()
        is_unshown = isinstance(requester, Origin) and requester.message_id is None
        due = now + self._acknowledge_seconds if is_unshown else now
        return new_job(
            request, requester, attachment, backend=self._backend, now=now, next_at=due, **sources
        )

    async def submit(
        self,
        request: VideoRequest,
        requester: Origin | Client,
        attachment: Attachment | None,
        *,
        place: OrderPlace | None = None,
        **sources: Unpack[JobSources],
    ) -> Job | None:
        """Create a job, or return None if the interaction or the client's key already created one.

        `place`: the place in Discord from which the order came, for the gate.
        Raises UserError if the gate refuses, a cap or budget is reached, or a word is blocked.
        """
        try:
            admitted = await self._admission.admit(requester, place)
        except UserError:
            if await self._store.by_requester(requester) is not None:
                return None
            raise
        draft = self.draft(request, admitted.requester, attachment, **sources)
        reservation = await self._budgeting.for_job(draft)
        for _ in range(4 * _TRIES):  # many may compete for what is released
            job = await self._store.insert(draft, admitted.caps, reservation)
            if job is not None:
                self._changes.publish_state(job, None)
                return job
            if await self._store.by_requester(requester) is not None:
                return None
            await self._budgeting.check(reservation)
            await self._admission.check_caps(admitted)  # by now, the order may fit
        raise UserError("caps.all", limit=admitted.caps.open_in_all)

    async def check_caps(self, requester: Origin | Client) -> None:
        """Raise UserError if a new job from this requester would be refused now."""
        admitted = await self._admission.admit(requester, None)
        await self._admission.check_caps(admitted)
        await self._budgeting.check(await self._budgeting.for_clip(admitted.requester))

    async def allowances(self, requester: Origin, place: OrderPlace) -> list[Allowance]:
        """Return how much of each cap a person has used, including the server's caps."""
        return await self._admission.allowances(requester, place)

    async def acknowledge(
        self, job_id: str, message_id: int, *, is_current: bool = True
    ) -> Job | None:
        """Store the message id of a job's card. The card is updated unless it `is_current`."""
        job = await self._store.acknowledge(job_id, message_id=message_id, now=self._clock())
        if job is None or is_current:
            return self._changes.publish(job)
        self.refresh_card(job)
        return job

    def refresh_card(self, job: Job) -> None:
        """Publish that the job's card is out of date."""
        self._changes.publish_outlook(job)

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        return await self._store.get(job_id)

    async def by_requester(self, requester: Origin | Client) -> Job | None:
        """Read the job that an interaction or a client's key has created."""
        return await self._store.by_requester(requester)

    async def cancel(self, job_id: str) -> Job | None:
        """Cancel an open or undecided job, or return None if there is no such job."""
        return await self._move_if(job_id, JobState.CANCELLED, CANCELLABLE | {JobState.UNDECIDED})

    async def retry_undecided(self, job_id: str, *, place: OrderPlace | None = None) -> Job | None:
        """Queue an undecided job again, or return None if it is not undecided."""
        return await self._retries.retry(job_id, place=place)

    async def cancel_undecided(self, job_id: str) -> Job | None:
        """Cancel an undecided job, or return None if it is not undecided."""
        return await self._move_if(job_id, JobState.CANCELLED, frozenset({JobState.UNDECIDED}))

    async def cancel_postponed_delivery(self, job_id: str) -> Job | None:
        """Cancel a job whose delivery waits for the operator. Returns None for any other job."""
        job = await self._store.get(job_id)
        if job is None or not self.is_delivery_postponed(job):
            return None
        return await self.move(job, JobState.CANCELLED, after=None)

    def is_delivery_postponed(self, job: Job) -> bool:
        """Return whether a job's delivery is postponed."""
        return job.state is JobState.DELIVERING and (job.next_at or 0) > self._clock()

    async def move(
        self,
        job: Job,
        to: JobState,
        changes: Changes | None = None,
        *,
        after: float | None = 0,
    ) -> Job | None:
        """Move a job to another state. Its next step is due in `after` seconds (None: never)."""
        if to not in TRANSITIONS[job.state]:
            raise ValueError(f"no transition from {job.state} to {to}")
        now = self._clock()
        # A failed or cancelled job has a last step, which updates the card. A succeeded one has
        # none.
        if to is JobState.SUCCEEDED:
            after = None
        next_at = None if after is None else now + min(after, MAX_PAUSES[to])
        moved = await self._store.move(job, to, changes or Changes(), next_at=next_at, now=now)
        if moved is not None:
            self._changes.publish_state(moved, job.state)
        return moved

    async def fail(self, job: Job, key: str, **fields: str | float) -> Job | None:
        """Fail a job. `key`: the locale key of the sentence that gives the reason."""
        return await self.move(
            job, JobState.FAILED, Changes(failure=Failure(key=key, fields=fields))
        )

    async def write_prompt(self, job: Job, prompt: str) -> Job | None:
        """Store a queued job's prompt. Returns None if it has one, or if the job changed."""
        return await self._store.write_prompt(job, prompt, backend=self._backend, now=self._clock())

    async def begin_submit(
        self, job: Job, voice: SubmittedVoice = UNGUIDED, *, shows_length: bool = False
    ) -> Job | None:
        """Mark a job as submitting. Returns None if a similar create request is unconfirmed."""
        to = {"backend": self._backend, "account": self._account, "create_key": uuid4().hex}
        moved = await self._store.begin_submit(
            job, voice, shows_length=shows_length, now=self._clock(), **to
        )
        if moved is not None:
            self._changes.publish_state(moved, job.state)
        return moved

    async def bind(self, job: Job, update: BackendUpdate, *, after: float) -> Job | None:
        """Store a job's remote id. The first poll is due in `after` seconds.

        Returns None if the job has changed, or if an open job has the same remote id.
        """
        now = self._clock()
        changes = replace(
            identity_of(job, update),
            generating_at=now,
            deadline_at=now + self._deadline_seconds,
            progress=update.progress,
        )
        bound = await self.move(job, JobState.GENERATING, changes, after=after)
        # After the commit, so that no webhook is missed: a later one finds the job by its id.
        if bound is not None:
            try:
                await self._webhooks.wake_if_received(job.backend, update.ref)
            except StorageError:  # harmless, because the job will be polled
                log.exception("job.not_woken id=%s", job.id)
        return bound

    async def bind_cancelled(self, job: Job, update: BackendUpdate) -> Job | None:
        """Store the remote id of a cancelled job, so that the remote job can be cancelled too."""
        changes, now = identity_of(job, update), self._clock()
        return self._changes.publish(await self._store.bind_cancelled(job, changes, now=now))

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
        """Make a claimed job's step due again in `after` seconds. The job's state is unchanged."""
        now = self._clock()
        return self._changes.publish(
            await self._store.postpone(
                job,
                next_at=now + min(after, MAX_PAUSES[job.state]),
                attempts=job.attempts if attempts is None else attempts,
                progress=progress,
                late=job.late if late is None else late,
                misses=job.misses if misses is None else misses,
                now=now,
            )
        )

    async def release(self, job: Job) -> Job | None:
        """Record that a job has no further step, because its card is up to date."""
        return await self._store.release(job, now=self._clock())

    async def wake_postponed_deliveries(self) -> int:
        """Make postponed deliveries due now, and return their number."""
        return await self._store.wake_postponed_deliveries(now=self._clock())

    async def publish_queue(self) -> None:
        """Publish a change of outlook for every job that is queued or on hold."""
        for job in await self._store.queued():
            self._changes.publish_outlook(job)

    async def sweep(self) -> None:
        """Delete expired interaction tokens, and the keys of earlier months' payers."""
        if not self._clock.is_unsettled:  # otherwise, a later sweep deletes them
            await self._store.delete_expired_tokens(now=self._clock.conservative())
            await self._budgeting.sweep()

    async def _move_if(self, job_id: str, to: JobState, states: frozenset[JobState]) -> Job | None:
        for _ in range(_TRIES):
            job = await self._store.get(job_id)
            if job is None or job.state not in states or to not in TRANSITIONS[job.state]:
                return None
            moved = await self.move(job, to)
            if moved is not None:
                return moved
        return None
