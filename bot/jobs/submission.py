"""Submits jobs to the provider, and finds out whether unanswered create requests were accepted."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from bot.artifacts import VoiceUse
from bot.backends.base import RemoteState
from bot.errors import (
    BackendError,
    ErrorKind,
    RefusedVoiceError,
    Trouble,
    UnconfirmedSubmitError,
)
from bot.jobs.circuit_breaker import TROUBLES, SubmitDecision
from bot.model import HoldReason, Job, JobState
from storage.jobs.store import Changes

if TYPE_CHECKING:
    from bot.backends.base import BackendUpdate, VideoBackend, VoiceSound
    from bot.jobs.circuit_breaker import CircuitBreaker
    from bot.jobs.guiding.guide import VoiceGuide
    from bot.jobs.prompting import PromptStep
    from bot.jobs.remote.answer_saver import AnswerSaver
    from bot.jobs.remote.identity import RemoteIdentity
    from bot.jobs.remote.lookup import RemoteLookup
    from bot.jobs.service import JobService
    from bot.jobs.waits.capacity import ProviderCapacity
    from bot.jobs.waits.holds import Holds
    from bot.media.files.workspace import Workspace
    from bot.pacing import LookupDelays, PostFence

log = logging.getLogger(__name__)

# If the job is missing from this many trustworthy lists, it doesn't exist. If this many lists in a
# row can't be trusted, the requester must decide.
_ENOUGH_LISTINGS = 2
# If this many create requests of a job were lost, the requester must decide.
_MAX_LOST_SUBMITS = 3
# The number of attempts while the provider is busy. They take about an hour.
_MAX_BUSY_SUBMITS = 18
# The number of attempts if the job is refused without a known reason.
_MAX_UNEXPLAINED = 2
_MAX_PAUSE_SECONDS = 300.0
_MAX_FAILED_LISTINGS = 18
_LOW_DISK_SECONDS = 60.0
_SAME_CREATE_SECONDS = 5.0


class Submission:
    """The steps of the states `queued`, `submitting` and `unconfirmed`.

    A create request is repeated only if it is certain that the provider has not accepted it.
    `first_poll`: the number of seconds from a create request to the first poll.
    `min_free_bytes`: the free disk space that is needed. With less, nothing is submitted.
    """

    def __init__(
        self,
        *,
        jobs: JobService,
        holds: Holds,
        lookup: RemoteLookup,
        identity: RemoteIdentity,
        saver: AnswerSaver,
        backend: VideoBackend,
        circuit: CircuitBreaker,
        capacity: ProviderCapacity,
        workspace: Workspace,
        prompt_step: PromptStep,
        fence: PostFence,
        voice_guide: VoiceGuide,
        lookup_delays: LookupDelays,
        first_poll: float,
        min_free_bytes: int,
    ) -> None:
        self._jobs = jobs
        self._holds = holds
        self._lookup = lookup
        self._identity = identity
        self._saver = saver
        self._backend = backend
        self._circuit = circuit
        self._capacity = capacity
        self._workspace = workspace
        self._prompt_step = prompt_step
        self._fence = fence
        self._voice_guide = voice_guide
        self._lookup_delays = lookup_delays
        self._first_poll = first_poll
        self._min_free_bytes = min_free_bytes

    async def submit(self, job: Job) -> None:
        """Submit a job, unless the circuit is open or the disk is almost full."""
        if await self._workspace.free_bytes() < self._min_free_bytes:
            log.warning("job.low_disk id=%s", job.id)
            await self._holds.hold(job, HoldReason.DISK, after=_LOW_DISK_SECONDS)
            return
        match await self._circuit.admit(job):
            case SubmitDecision.SUBMIT:
                await self._submit(job, probing=False)
            case SubmitDecision.PROBE:
                await self._submit(job, probing=True)
            case SubmitDecision.FAIL:
                await self._jobs.fail(job, "failed.unavailable")
            case SubmitDecision.WAIT:
                pass  # the job stays due, and is claimed again for a later probe

    async def _submit(self, job: Job, *, probing: bool) -> None:
        """Write the prompt, store the intent, and send the create request unless it is too late."""
        prepared = await self._prompt_step.prepare(job)
        if prepared is None:
            await self._release_probe(probing=probing)
            return
        voice = await self._voice_guide.prepare(prepared)
        shows_length = self._backend.capabilities.echoes_length
        since = self._fence.now()
        intended = await self._jobs.begin_submit(
            prepared, voice.submitted, shows_length=shows_length
        )
        if intended is None:
            await self._holds.hold(prepared, HoldReason.TWIN, after=_SAME_CREATE_SECONDS)
            await self._release_probe(probing=probing)
        elif self._fence.is_too_late(since):
            # Another worker may have taken the job over, so only the search can tell how it ends.
            log.warning("submit.too_late id=%s", job.id)
            await self.mark_unconfirmed(intended)
            await self._release_probe(probing=probing)
        else:
            await self._send(intended, voice.sound, probing=probing)

    async def _send(self, job: Job, sound: VoiceSound | None, *, probing: bool) -> None:
        """Send the create request of a job whose intent is stored, and act on the response."""
        try:
            update = await self._backend.submit(
                job.sent_request, create_key=job.create_key or "", voice=sound
            )
        except RefusedVoiceError as error:
            log.warning("submit.voice_refused id=%s error=%r", job.id, str(error))
            await self._jobs.move(job, JobState.QUEUED, Changes(voice_use=VoiceUse.REFUSED))
            await self._release_probe(probing=probing)
        except UnconfirmedSubmitError as error:
            log.warning("submit.unconfirmed id=%s error=%r", job.id, str(error))
            await self.mark_unconfirmed(job)
            await self._circuit.refused(Trouble.OUTAGE, probing=probing)
        except BackendError as error:
            log.warning("submit.refused id=%s error=%r", job.id, str(error))
            await self._refused(job, error, probing=probing)
        else:
            log.info("submit.accepted id=%s ref=%s", job.id, update.ref)
            await self._bind(job, update)
            await self._circuit.accepted()

    async def _bind(self, job: Job, update: BackendUpdate) -> bool:
        """Store a job's remote id. Returns False if another open job has the same remote id."""
        save, acquire = self._saver.save, partial(self._identity.acquire, job, update.ref)
        ended = update.state in {RemoteState.DONE, RemoteState.FAILED}
        bind = partial(self._jobs.bind, job, update, after=0 if ended else self._first_poll)
        if await save(bind):
            return True
        if not await save(acquire):
            # The create request was accepted, but its id also belongs to another job. Therefore, it
            # can't be used to poll or delete the remote job.
            log.warning("submit.ref_in_use id=%s ref=%s", job.id, update.ref)
            if job.state is not JobState.UNDECIDED:
                await save(partial(self._jobs.move, job, JobState.UNDECIDED))
            return False
        if await save(bind):
            return True  # until now, an ended job had the same remote id
        log.warning("submit.orphaned id=%s ref=%s", job.id, update.ref)
        await save(partial(self._jobs.bind_cancelled, job, update))
        return True

    async def _refused(self, job: Job, error: BackendError, *, probing: bool) -> None:
        trouble, again = await self._judged(job, error)
        if trouble is not None:
            # A job that was refused as a probe is queued behind the others, so that another job
            # becomes the next probe.
            await self._jobs.move(
                job, JobState.QUEUED, after=0 if probing else _retry_pause(job, error)
            )
            await self._circuit.refused(trouble, probing=probing)
            return
        if again:
            await self._jobs.move(job, JobState.QUEUED, after=_retry_pause(job, error))
        else:
            await self._jobs.fail(job, f"failed.{error.kind}")
        if error.kind is ErrorKind.RATE:
            await self._capacity.give_turns_back(job.id)
            await self._capacity.lower()
        await self._release_probe(probing=probing, busy=error.kind is ErrorKind.RATE)

    async def _judged(self, job: Job, error: BackendError) -> tuple[Trouble | None, bool]:
        """Return the trouble, or None if the error affects only this job, and whether to retry."""
        match error.kind:
            case ErrorKind.UNEXPLAINED:
                blamed = await self._circuit.attribute_refusal(job)
                if isinstance(blamed, Trouble):
                    return blamed, True
                return None, blamed < _MAX_UNEXPLAINED
            case ErrorKind.RATE:
                return None, job.submits < _MAX_BUSY_SUBMITS
            case kind:
                return TROUBLES.get(kind), False

    async def _release_probe(self, *, probing: bool, busy: bool = False) -> None:
        if probing:
            await self._circuit.release_probe(busy=busy)

    async def mark_unconfirmed(self, job: Job) -> None:
        """Mark a job as unconfirmed, because the response to its create request was lost."""
        await self._jobs.move(job, JobState.UNCONFIRMED, after=self._lookup_delays.first)

    async def reconcile(self, job: Job) -> None:
        """Look for the remote job that an unconfirmed create request may have started."""
        try:
            found = await self._lookup.candidates(job)
        except BackendError:
            if job.attempts < _MAX_FAILED_LISTINGS:
                raise
            await self._jobs.move(job, JobState.UNDECIDED)
            return
        if found.match is not None:
            await self._bind(job, found.match)
        elif found.is_ambiguous:
            await self._jobs.move(job, JobState.UNDECIDED)
        else:
            await self._absent(job, is_proof=found.proves_absence)

    async def _absent(self, job: Job, *, is_proof: bool) -> None:
        # If two lists in a row can't be trusted, later ones probably can't be trusted either.
        misses = job.misses + is_proof
        unproven = 0 if is_proof else job.attempts + 1
        if (misses if is_proof else unproven) < _ENOUGH_LISTINGS:
            await self._jobs.postpone(
                job, after=self._lookup_delays.interval, misses=misses, attempts=unproven
            )
        elif is_proof and job.submits < _MAX_LOST_SUBMITS:
            await self._jobs.move(job, JobState.QUEUED)
        else:
            await self._jobs.move(job, JobState.UNDECIDED)

    async def bind_undecided(self, job: Job) -> bool:
        """Store the remote id of an undecided job, if a webhook has named the job's remote id."""
        if not await self._lookup.has_hints(job):
            return False
        try:
            found = await self._lookup.candidates(job)
        except BackendError as error:
            log.warning("find.refused id=%s error=%r", job.id, str(error))
            return False
        return found.match is not None and await self._bind(job, found.match)


def _retry_pause(job: Job, error: BackendError) -> float:
    # Our own pause is the minimum. Otherwise, `Retry-After: 0` would use up all attempts at once.
    return max(error.retry_after or 0, min(2.0**job.submits, _MAX_PAUSE_SECONDS))
