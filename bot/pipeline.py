"""STEPS: what is done in each state; every step is short, idempotent and resumable."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.backends.base import BackendUpdate, RemoteState
from bot.errors import BackendError, ErrorKind, MediaError, UnconfirmedSubmitError, UserError
from bot.model import NOTE_CARD_GONE, NOTE_NOT_MERGED, Artifact, Handover, Job, JobState
from storage.jobs import Changes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from bot.backends.base import VideoBackend
    from bot.jobs import JobService
    from bot.media.workspace import Workspace
    from storage.artifacts import ArtifactStore

log = logging.getLogger(__name__)

# Clocks of provider and bot may differ by this much.
_CLOCK_SKEW_SECONDS = 300.0
_ABSENCES = 2
_SUBMITS = 3
# A provider that can't be reached, or is busy, is asked again for about an hour.
_SUBMIT_ATTEMPTS = 18
_SLOWEST_SUBMIT_SECONDS = 300.0
_FIND_ATTEMPTS = 18
_DOWNLOAD_ATTEMPTS = 3
# About a day of a provider that is down; no provider keeps a clip for longer.
_FETCH_ATTEMPTS = 300
_MERGE_ATTEMPTS = 2
_HELD_SECONDS = 60 * 60.0
_LOW_DISK_SECONDS = 60.0
_SAME_CREATE_SECONDS = 5.0
_MIB = 1024 * 1024


class Deliverer(Protocol):
    """How a job reaches its person; DeliveryError: not now."""

    async def find_message(self, job: Job) -> int | None:
        """Look for the message that the command may have posted."""
        ...

    async def show(self, job: Job) -> None:
        """Make the job's message say how the job stands, as far as the message still exists."""
        ...

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:
        """Hand the video over on the card, as far as that is possible."""
        ...

    async def notify(self, job: Job, artifact: Artifact) -> None:
        """Send the one DM, unless it was sent already or can't be."""
        ...


class Narrator(Protocol):
    """What the pipeline needs of the media package."""

    async def ingest(self, job_id: str, url: str) -> None:
        """Fetch an attachment and make it a narration; UserError: it is none."""
        ...

    async def merge(self, job_id: str) -> Path:
        """Lay the narration over the clip and return the result; MediaError: it can't be done."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Settling:
    """Seconds before a doubtful create is looked up, and between two looks.

    `first` outlives the POST's time-out: a provider may still be taking the job in.
    """

    first: float
    apart: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Largest clip that is fetched, and least free space for a new create, in bytes."""

    max_clip_bytes: int = 500 * _MIB
    min_free_bytes: int = 1024 * _MIB


class Pipeline:
    """The steps of a job from the command to the DM, but for `generating`: that is the poller's."""

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        *,
        jobs: JobService,
        backend: VideoBackend,
        artifacts: ArtifactStore,
        workspace: Workspace,
        narrator: Narrator,
        deliverer: Deliverer,
        settling: Settling,
        first_poll: float,
        bounds: Bounds,
        clock: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._backend = backend
        self._artifacts = artifacts
        self._workspace = workspace
        self._narrator = narrator
        self._deliverer = deliverer
        self._settling = settling
        self._first_poll = first_poll
        self._bounds = bounds
        self._clock = clock

    @property
    def steps(self) -> Mapping[JobState, Callable[[Job], Awaitable[None]]]:
        """Which step is due in which state."""
        return {
            JobState.RECEIVED: self._receive,
            JobState.QUEUED: self._submit,
            JobState.SUBMITTING: self._doubt,
            JobState.UNCONFIRMED: self._reconcile,
            JobState.UNDECIDED: self._ask,
            JobState.DOWNLOADING: self._download,
            JobState.MERGING: self._merge,
            JobState.DELIVERING: self._deliver,
            JobState.NOTIFYING: self._notify,
            JobState.FAILED: self._show_end,
            JobState.CANCELLED: self._stop_upstream,
        }

    async def _receive(self, job: Job) -> None:
        if job.origin.message_id is None:
            await self._find_message(job)
            return
        attachment = job.attachment
        try:
            if attachment is not None and attachment.url is not None:
                await self._narrator.ingest(job.id, attachment.url)
        except UserError as error:
            fields = {key: str(value) for key, value in error.fields.items()}
            await self._jobs.fail(job, error.key, **fields)
            return
        await self._jobs.move(job, JobState.QUEUED)

    async def _find_message(self, job: Job) -> None:
        message_id = await self._deliverer.find_message(job)
        if message_id is None:
            await self._jobs.fail(job, "failed.unacknowledged")
        else:
            await self._jobs.acknowledge(job.id, message_id)

    async def _submit(self, job: Job) -> None:
        if await self._workspace.free_bytes() < self._bounds.min_free_bytes:
            log.warning("job.low_disk id=%s", job.id)
            await self._jobs.postpone(job, after=_LOW_DISK_SECONDS)
            return
        intended = await self._jobs.begin_submit(job)
        if intended is None:
            await self._jobs.postpone(job, after=_SAME_CREATE_SECONDS)
            return
        try:
            update = await self._backend.submit(
                intended.request, create_key=intended.create_key or ""
            )
        except UnconfirmedSubmitError as error:
            log.warning("submit.unconfirmed id=%s error=%r", job.id, str(error))
            await self._doubt(intended)
        except BackendError as error:
            log.warning("submit.refused id=%s error=%r", job.id, str(error))
            await self._refused(intended, error)
        else:
            await self._bind(intended, update)

    async def _bind(self, job: Job, update: BackendUpdate) -> None:
        ended = update.state in {RemoteState.DONE, RemoteState.FAILED}
        bound = await self._jobs.bind(job, update, after=0 if ended else self._first_poll)
        if bound is None:
            # Cancelled while the POST was under way.
            log.warning("submit.orphaned id=%s", job.id)
            await self._backend.cancel(update.ref)

    async def _refused(self, job: Job, error: BackendError) -> None:
        passing = error.kind in {ErrorKind.RATE, ErrorKind.TRANSIENT}
        if not passing or job.submits >= _SUBMIT_ATTEMPTS:
            await self._jobs.fail(job, f"failed.{error.kind}")
            return
        # Never faster than our own pace: "at once", said each time, would use up the attempts.
        delay = max(error.retry_after or 0, min(2.0**job.submits, _SLOWEST_SUBMIT_SECONDS))
        await self._jobs.move(job, JobState.QUEUED, after=delay)

    async def _doubt(self, job: Job) -> None:
        await self._jobs.move(job, JobState.UNCONFIRMED, after=self._settling.first)

    async def _reconcile(self, job: Job) -> None:
        try:
            refs, complete = await self._candidates(job)
        except BackendError:
            if job.attempts < _FIND_ATTEMPTS:
                raise
            await self._jobs.move(job, JobState.UNDECIDED)
            return
        match refs:
            case [ref]:
                await self._bind(job, BackendUpdate(ref=ref, state=RemoteState.RUNNING))
            case []:
                await self._absent(job, complete=complete)
            case _:
                await self._jobs.move(job, JobState.UNDECIDED)

    async def _candidates(self, job: Job) -> tuple[list[str], bool]:
        """List the remote jobs that may be this one, and tell whether the list is complete."""
        since = self._submitted_since(job)
        hints = await self._jobs.unclaimed_refs(job.backend, since=since)
        listing = await self._backend.find(job.request, since=since, hints=hints)
        bound = await self._jobs.bound_refs(job.backend, listing.refs)
        return [ref for ref in listing.refs if ref not in bound], listing.complete

    async def _ask(self, job: Job) -> None:
        # A webhook may know by now what no listing told.
        if await self._jobs.unclaimed_refs(job.backend, since=self._submitted_since(job)):
            try:
                refs, _ = await self._candidates(job)
            except BackendError as error:
                log.warning("find.refused id=%s error=%r", job.id, str(error))
            else:
                if len(refs) == 1:
                    await self._bind(job, BackendUpdate(ref=refs[0], state=RemoteState.RUNNING))
                    return
        await self._show_end(job)

    def _submitted_since(self, job: Job) -> float:
        return (job.submitted_at or job.created_at) - _CLOCK_SKEW_SECONDS

    async def _absent(self, job: Job, *, complete: bool) -> None:
        # Only complete listings prove something; after two others in a row none will come.
        absences = job.absences + complete
        looks = 0 if complete else job.attempts + 1
        if (absences if complete else looks) < _ABSENCES:
            await self._jobs.postpone(
                job, after=self._settling.apart, absences=absences, attempts=looks
            )
        elif complete and job.submits < _SUBMITS:
            await self._jobs.move(job, JobState.QUEUED)
        else:
            await self._jobs.move(job, JobState.UNDECIDED)

    async def _download(self, job: Job) -> None:
        clip = (await self._workspace.create(job.id)).clip
        ref = job.remote_id or ""
        try:
            update = await self._backend.poll(ref)
            await self._backend.fetch(update, clip, max_bytes=self._bounds.max_clip_bytes)
        except BackendError as error:
            if error.kind is not ErrorKind.GONE and job.attempts < _FETCH_ATTEMPTS:
                raise
            await self._jobs.fail(job, "failed.gone")
        except MediaError:
            if job.attempts + 1 < _DOWNLOAD_ATTEMPTS:
                raise
            await self._jobs.fail(job, "failed.not_a_video")
        else:
            await self._jobs.move(job, JobState.MERGING)

    async def _merge(self, job: Job) -> None:
        note = None
        result = self._workspace.folder(job.id).clip
        if job.attachment is not None:
            try:
                result = await self._narrator.merge(job.id)
            except MediaError as error:
                log.warning("merge.failed id=%s tail=%r", job.id, error.stderr_tail[-500:])
                if job.attempts + 1 < _MERGE_ATTEMPTS:
                    raise
                note = NOTE_NOT_MERGED
        artifact = await self._workspace.publish(job.id, result, now=self._clock())
        await self._artifacts.save(artifact)
        await self._jobs.move(job, JobState.DELIVERING, Changes(note=note))

    async def _deliver(self, job: Job) -> None:
        match await self._deliverer.deliver(job, await self._artifact(job)):
            case Handover.CARD:
                await self._jobs.move(job, JobState.NOTIFYING)
            case Handover.DM:
                await self._jobs.move(job, JobState.NOTIFYING, Changes(note=NOTE_CARD_GONE))
            case Handover.HELD:
                await self._jobs.postpone(job, after=_HELD_SECONDS)

    async def _notify(self, job: Job) -> None:
        await self._deliverer.notify(job, await self._artifact(job))
        # First the files: after the commit nobody comes back for them.
        await self._workspace.remove(job.id)
        await self._jobs.move(job, JobState.SUCCEEDED)

    async def _artifact(self, job: Job) -> Artifact:
        artifact = await self._artifacts.get(job.id)
        if artifact is None:
            raise MediaError("the finished video is not in the table")
        return artifact

    async def _stop_upstream(self, job: Job) -> None:
        if job.remote_id is not None and job.attempts == 0:
            try:
                await self._backend.cancel(job.remote_id)
            except BackendError as error:
                log.warning("cancel.refused id=%s error=%r", job.id, str(error))
        await self._show_end(job)

    async def _show_end(self, job: Job) -> None:
        await self._deliverer.show(job)
        if job.state.is_final:
            await self._workspace.remove(job.id)
        await self._jobs.release(job)
