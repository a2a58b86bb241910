"""Submission: the one POST that costs, and the reconciliation of creates without an answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.backends.base import BackendUpdate, RemoteState
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from bot.jobs.circuit_breaker import TROUBLES, Turn
from bot.model import HoldReason, Job, JobState, Trouble

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.jobs.circuit_breaker import CircuitBreaker
    from bot.jobs.holds import Holds
    from bot.jobs.prompting import PromptStep
    from bot.jobs.service import JobService
    from bot.media.files.workspace import Workspace
    from bot.pacing import LookupDelays
    from storage.jobs.unconfirmed import UnconfirmedStore

log = logging.getLogger(__name__)

# Tolerated difference between the provider's clock and ours.
_CLOCK_SKEW_SECONDS = 300.0
# Complete listings without the job that prove its absence, or incomplete ones in a row.
_ENOUGH_LISTINGS = 2
# Creates of one job that may get lost before a person has to decide.
_MAX_LOST_SUBMITS = 3
# About an hour of retries while the provider is busy.
_MAX_BUSY_SUBMITS = 18
_MAX_PAUSE_SECONDS = 300.0
_MAX_FAILED_LISTINGS = 18
_LOW_DISK_SECONDS = 60.0
_SAME_CREATE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidates:
    """The remote jobs that may belong to an unconfirmed create; `complete` as in `Listing`."""

    refs: list[str]
    complete: bool
    is_ambiguous: bool

    @property
    def match(self) -> str | None:
        """The one remote job that must be it."""
        return None if self.is_ambiguous or not self.refs else self.refs[0]


class Submission:
    """The steps of `queued`, `submitting` and `unconfirmed`, which never POST again blindly.

    `first_poll` is the delay of the first poll in seconds. With less than `min_free_bytes` of free
    disk space, nothing is submitted.
    """

    def __init__(
        self,
        *,
        jobs: JobService,
        holds: Holds,
        unconfirmed: UnconfirmedStore,
        backend: VideoBackend,
        circuit: CircuitBreaker,
        workspace: Workspace,
        prompt_step: PromptStep,
        settling: LookupDelays,
        first_poll: float,
        min_free_bytes: int,
    ) -> None:
        self._jobs = jobs
        self._holds = holds
        self._unconfirmed = unconfirmed
        self._backend = backend
        self._circuit = circuit
        self._workspace = workspace
        self._prompt_step = prompt_step
        self._settling = settling
        self._first_poll = first_poll
        self._min_free_bytes = min_free_bytes

    async def submit(self, job: Job) -> None:
        """Prepare and submit a job, unless the queue is paused."""
        if await self._workspace.free_bytes() < self._min_free_bytes:
            log.warning("job.low_disk id=%s", job.id)
            await self._holds.hold(job, HoldReason.DISK, after=_LOW_DISK_SECONDS)
            return
        match await self._circuit.admit(job):
            case Turn.GO:
                await self._submit(job, probing=False)
            case Turn.PROBE:
                await self._submit(job, probing=True)
            case Turn.TOO_LONG:
                await self._jobs.fail(job, "failed.unavailable")
            case Turn.WAIT:
                pass  # another job is the probe; this one stays due

    async def _submit(self, job: Job, *, probing: bool) -> None:
        """Write the prompt, commit the intent to POST, POST, and act on the answer."""
        prepared = await self._prompt_step.prepare(job)
        if prepared is None:
            await self._release_probe(probing=probing)
            return
        intended = await self._jobs.begin_submit(prepared)
        if intended is None:
            await self._holds.hold(prepared, HoldReason.TWIN, after=_SAME_CREATE_SECONDS)
            await self._release_probe(probing=probing)
            return
        try:
            update = await self._backend.submit(
                intended.sent_request, create_key=intended.create_key or ""
            )
        except UnconfirmedSubmitError as error:
            log.warning("submit.unconfirmed id=%s error=%r", job.id, str(error))
            await self.mark_unconfirmed(intended)
            await self._circuit.refused(Trouble.OUTAGE, probing=probing)
        except BackendError as error:
            log.warning("submit.refused id=%s error=%r", job.id, str(error))
            await self._refused(intended, error, probing=probing)
        else:
            log.info("submit.accepted id=%s ref=%s", job.id, update.ref)
            await self._bind(intended, update)
            await self._circuit.accepted()

    async def _bind(self, job: Job, update: BackendUpdate) -> None:
        ended = update.state in {RemoteState.DONE, RemoteState.FAILED}
        if await self._jobs.bind(job, update, after=0 if ended else self._first_poll) is not None:
            return
        log.warning("submit.orphaned id=%s ref=%s", job.id, update.ref)
        await self._jobs.bind_cancelled(job, update.ref)

    async def _refused(self, job: Job, error: BackendError, *, probing: bool) -> None:
        trouble = TROUBLES.get(error.kind)
        if trouble is not None:
            # A refused probe is queued again behind the others, so the next probe is another job.
            await self._jobs.move(
                job, JobState.QUEUED, after=0 if probing else _retry_pause(job, error)
            )
            await self._circuit.refused(trouble, probing=probing)
            return
        busy = error.kind is ErrorKind.RATE
        if busy and job.submits < _MAX_BUSY_SUBMITS:
            await self._jobs.move(job, JobState.QUEUED, after=_retry_pause(job, error))
        else:
            await self._jobs.fail(job, f"failed.{error.kind}")
        await self._release_probe(probing=probing, busy=busy)

    async def _release_probe(self, *, probing: bool, busy: bool = False) -> None:
        if probing:
            await self._circuit.release_probe(busy=busy)

    async def mark_unconfirmed(self, job: Job) -> None:
        """Move a job whose create got no answer to `unconfirmed`, also after a restart."""
        await self._jobs.move(job, JobState.UNCONFIRMED, after=self._settling.first)

    async def reconcile(self, job: Job) -> None:
        """Look for the remote job that an unconfirmed create may have made."""
        try:
            found = await self._candidates(job)
        except BackendError:
            if job.attempts < _MAX_FAILED_LISTINGS:
                raise
            await self._jobs.move(job, JobState.UNDECIDED)
            return
        if found.match is not None:
            await self._bind(job, BackendUpdate(ref=found.match, state=RemoteState.RUNNING))
        elif found.is_ambiguous:
            await self._jobs.move(job, JobState.UNDECIDED)
        else:
            await self._absent(job, complete=found.complete)

    async def _candidates(self, job: Job) -> _Candidates:
        """Ask the provider for remote jobs that no other job of ours is bound to."""
        since = self._submitted_since(job)
        hints = await self._unconfirmed.unclaimed(job.backend, since=since)
        listing = await self._backend.find(job.sent_request, since=since, hints=hints)
        # In this order: a create answered meanwhile is either a rival here, or bound below.
        rivals = await self._unconfirmed.others(job)
        bound = await self._unconfirmed.bound(job.backend, listing.refs)
        refs = [ref for ref in listing.refs if ref not in bound]
        # Even a single one may be the rival's, if the listing does not tell their prompts apart.
        may_be_rivals = bool(refs) and rivals and not listing.certain
        return _Candidates(
            refs=refs, complete=listing.complete, is_ambiguous=len(refs) > 1 or may_be_rivals
        )

    def _submitted_since(self, job: Job) -> float:
        return (job.submitted_at or job.created_at) - _CLOCK_SKEW_SECONDS

    async def _absent(self, job: Job, *, complete: bool) -> None:
        # Only complete listings prove absence; after two incomplete ones, expect no complete one.
        misses = job.misses + complete
        incomplete = 0 if complete else job.attempts + 1
        if (misses if complete else incomplete) < _ENOUGH_LISTINGS:
            await self._jobs.postpone(
                job, after=self._settling.apart, misses=misses, attempts=incomplete
            )
        elif complete and job.submits < _MAX_LOST_SUBMITS:
            await self._jobs.move(job, JobState.QUEUED)
        else:
            await self._jobs.move(job, JobState.UNDECIDED)

    async def rediscover(self, job: Job) -> bool:
        """Bind an undecided job if a webhook has meanwhile named its remote job."""
        is_ours = job.backend == self._backend.name
        since = self._submitted_since(job)
        if is_ours and await self._unconfirmed.unclaimed(job.backend, since=since):
            try:
                found = await self._candidates(job)
            except BackendError as error:
                log.warning("find.refused id=%s error=%r", job.id, str(error))
            else:
                if found.match is not None:
                    await self._bind(job, BackendUpdate(ref=found.match, state=RemoteState.RUNNING))
                    return True
        return False


def _retry_pause(job: Job, error: BackendError) -> float:
    # Never faster than our own pace: a Retry-After of 0 each time would use up the attempts.
    return max(error.retry_after or 0, min(2.0**job.submits, _MAX_PAUSE_SECONDS))
