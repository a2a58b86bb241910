"""The one call that costs: submit, and what to do when nobody knows whether it was taken."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.backends.base import BackendUpdate, RemoteState
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from bot.jobs.circuit_breaker import TROUBLES, Turn
from bot.model import Job, JobState, Trouble

if TYPE_CHECKING:
    from bot.backends.base import Listing, VideoBackend
    from bot.jobs.circuit_breaker import CircuitBreaker
    from bot.jobs.prompting import PromptStep
    from bot.jobs.service import JobService
    from bot.media.files.workspace import Workspace
    from bot.pacing import Settling
    from storage.jobs.unconfirmed import UnconfirmedStore

log = logging.getLogger(__name__)

# Clocks of provider and bot may differ by this much.
_CLOCK_SKEW_SECONDS = 300.0
_MISSES = 2
_SUBMITS = 3
# A provider that is busy is asked again for about an hour.
_SUBMIT_ATTEMPTS = 18
_UNEXPLAINED_ATTEMPTS = 2
_SLOWEST_SUBMIT_SECONDS = 300.0
_FIND_ATTEMPTS = 18
_LOW_DISK_SECONDS = 60.0
_SAME_CREATE_SECONDS = 5.0


class Submission:
    """The steps of `queued`, `submitting` and `unconfirmed`: at most one POST that may cost.

    Below `min_free_bytes` of disk nothing new is submitted; `first_poll` is in seconds.
    """

    def __init__(
        self,
        *,
        jobs: JobService,
        unconfirmed: UnconfirmedStore,
        backend: VideoBackend,
        circuit: CircuitBreaker,
        workspace: Workspace,
        prompt_step: PromptStep,
        settling: Settling,
        first_poll: float,
        min_free_bytes: int,
    ) -> None:
        self._jobs = jobs
        self._unconfirmed = unconfirmed
        self._backend = backend
        self._circuit = circuit
        self._workspace = workspace
        self._prompt_step = prompt_step
        self._settling = settling
        self._first_poll = first_poll
        self._min_free_bytes = min_free_bytes

    async def submit(self, job: Job) -> None:
        """Make a job ready and submit it, unless the whole line has to wait."""
        if await self._workspace.free_bytes() < self._min_free_bytes:
            log.warning("job.low_disk id=%s", job.id)
            await self._jobs.postpone(job, after=_LOW_DISK_SECONDS)
            return
        match await self._circuit.admit(job):
            case Turn.GO:
                await self._submit(job, probing=False)
            case Turn.PROBE:
                await self._submit(job, probing=True)
            case Turn.TOO_LONG:
                await self._jobs.fail(job, "failed.unavailable")
            case Turn.WAIT:
                pass  # another one tries: it is as due as it was

    async def _submit(self, job: Job, *, probing: bool) -> None:
        """Make the prompt ready, commit to the POST, make it, and act on the answer."""
        prepared = await self._prompt_step.prepare(job)
        if prepared is None:
            await self._about_the_job(probing=probing)
            return
        intended = await self._jobs.begin_submit(prepared)
        if intended is None:
            await self._jobs.postpone(job, after=_SAME_CREATE_SECONDS)
            await self._about_the_job(probing=probing)
            return
        try:
            update = await self._backend.submit(
                intended.sent_request, create_key=intended.create_key or ""
            )
        except UnconfirmedSubmitError as error:
            log.warning("submit.unconfirmed id=%s error=%r", job.id, str(error))
            await self.doubt(intended)
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
        await self._jobs.tie_cancelled(job, update.ref)

    async def _refused(self, job: Job, error: BackendError, *, probing: bool) -> None:
        trouble, again = await self._judged(job, error)
        if trouble is not None:
            # A probe goes to the end of the line: the next one is another job's.
            await self._jobs.move(job, JobState.QUEUED, after=0 if probing else _pause(job, error))
            await self._circuit.refused(trouble, probing=probing)
            return
        if again:
            await self._jobs.move(job, JobState.QUEUED, after=_pause(job, error))
        else:
            await self._jobs.fail(job, f"failed.{error.kind}")
        await self._about_the_job(probing=probing, busy=error.kind is ErrorKind.RATE)

    async def _judged(self, job: Job, error: BackendError) -> tuple[Trouble | None, bool]:
        """Tell what would refuse any other job too, and else whether this one is tried again."""
        match error.kind:
            case ErrorKind.UNEXPLAINED:
                blamed = await self._circuit.blame(job)
                if isinstance(blamed, Trouble):
                    return blamed, True
                return None, blamed < _UNEXPLAINED_ATTEMPTS
            case ErrorKind.RATE:
                return None, job.submits < _SUBMIT_ATTEMPTS
            case kind:
                return TROUBLES.get(kind), False

    async def _about_the_job(self, *, probing: bool, busy: bool = False) -> None:
        if probing:
            await self._circuit.release_probe(busy=busy)

    async def doubt(self, job: Job) -> None:
        """Leave a create without an answer to settle; so is one found at start."""
        await self._jobs.move(job, JobState.UNCONFIRMED, after=self._settling.first)

    async def reconcile(self, job: Job) -> None:
        """Look for the remote job that a doubtful create may have made."""
        try:
            refs, listing = await self._candidates(job)
        except BackendError:
            if job.attempts < _FIND_ATTEMPTS:
                raise
            await self._jobs.move(job, JobState.UNDECIDED)
            return
        match refs:
            case [ref]:
                await self._bind(job, BackendUpdate(ref=ref, state=RemoteState.RUNNING))
            case []:
                await self._absent(job, complete=listing.complete)
            case _:
                await self._jobs.move(job, JobState.UNDECIDED)

    async def _candidates(self, job: Job) -> tuple[list[str], Listing]:
        """List the remote jobs that may be this one, and where that comes from."""
        since = self._submitted_since(job)
        hints = await self._unconfirmed.unclaimed(job.backend, since=since)
        listing = await self._backend.find(job.sent_request, since=since, hints=hints)
        # In this order: a create answered meanwhile is either in doubt here, or bound below.
        rivals = await self._unconfirmed.others(job)
        bound = await self._unconfirmed.bound(job.backend, listing.refs)
        refs = [ref for ref in listing.refs if ref not in bound]
        if refs and rivals and not listing.certain:
            # One of them may be the rival's: as good as two.
            refs = [*refs, *refs]
        return refs, listing

    def _submitted_since(self, job: Job) -> float:
        return (job.submitted_at or job.created_at) - _CLOCK_SKEW_SECONDS

    async def _absent(self, job: Job, *, complete: bool) -> None:
        # Only complete listings prove something; after two others in a row none will come.
        misses = job.misses + complete
        looks = 0 if complete else job.attempts + 1
        if (misses if complete else looks) < _MISSES:
            await self._jobs.postpone(
                job, after=self._settling.apart, misses=misses, attempts=looks
            )
        elif complete and job.submits < _SUBMITS:
            await self._jobs.move(job, JobState.QUEUED)
        else:
            await self._jobs.move(job, JobState.UNDECIDED)

    async def rediscover(self, job: Job) -> bool:
        """Bind an undecided job if a webhook knows by now what no listing told."""
        at_ours = job.backend == self._backend.name
        since = self._submitted_since(job)
        if at_ours and await self._unconfirmed.unclaimed(job.backend, since=since):
            try:
                refs, _ = await self._candidates(job)
            except BackendError as error:
                log.warning("find.refused id=%s error=%r", job.id, str(error))
            else:
                if len(refs) == 1:
                    await self._bind(job, BackendUpdate(ref=refs[0], state=RemoteState.RUNNING))
                    return True
        return False


def _pause(job: Job, error: BackendError) -> float:
    # Never faster than our own pace: "at once", said each time, would use up the attempts.
    return max(error.retry_after or 0, min(2.0**job.submits, _SLOWEST_SUBMIT_SECONDS))
