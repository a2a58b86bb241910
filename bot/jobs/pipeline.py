"""Pipeline: the steps of jobs, one per state. All steps are short, idempotent and resumable."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from bot.artifacts import Artifact, Handover
from bot.errors import UserError
from bot.model import Failure, Job, JobState
from bot.speech.voice import MAYBE_CHARGED
from storage.jobs.store import Changes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.jobs.costs.budgeting import Budgeting
    from bot.jobs.downloading import Downloading
    from bot.jobs.ending import EndSteps
    from bot.jobs.merging import Merging
    from bot.jobs.narration_editing import NarrationEditing
    from bot.jobs.prompting import PromptStep
    from bot.jobs.service import JobService
    from bot.jobs.submission import Submission
    from bot.media.files.workspace import Workspace
    from storage.artifacts import ArtifactStore
    from storage.ledger.paid_requests import PaidRequests

log = logging.getLogger(__name__)

_HOLD_RETRY_SECONDS = 60 * 60.0
# The number of attempts to edit the card, or to send the DM. They take about a day.
_MAX_DELIVERIES = 300


class Deliverer(Protocol):
    """Delivers to a job's requester in Discord. Raises DeliveryError if a retry may succeed."""

    async def find_message(self, job: Job) -> int | None:
        """Return the message id of the card that the command posted, or None if there is none."""
        ...

    async def show(self, job: Job) -> None:
        """Show the job's state on its card, if the card still exists."""
        ...

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:
        """Add the video to the card, as an upload or as a link, and return the outcome."""
        ...

    async def notify(self, job: Job, video: Artifact | None) -> bool:
        """Send the job's only DM, if needed. Returns False if the caller must try again later.

        `video`: the video to send, or None if the card shows it.
        """
        ...


class Pipeline:
    """Runs the steps of all states except `generating`, whose step is in `Poller`."""

    def __init__(
        self,
        *,
        jobs: JobService,
        paid_requests: PaidRequests,
        artifacts: ArtifactStore,
        workspace: Workspace,
        editor: NarrationEditing,
        deliverer: Deliverer,
        submission: Submission,
        prompt_step: PromptStep,
        end_steps: EndSteps,
        budgeting: Budgeting,
        downloading: Downloading,
        merging: Merging,
    ) -> None:
        self._jobs = jobs
        self._paid_requests = paid_requests
        self._artifacts = artifacts
        self._workspace = workspace
        self._editor = editor
        self._deliverer = deliverer
        self._submission = submission
        self._prompt_step = prompt_step
        self._end_steps = end_steps
        self._budgeting = budgeting
        self._downloading = downloading
        self._merging = merging

    @property
    def steps(self) -> Mapping[JobState, Callable[[Job], Awaitable[None]]]:
        """The step of each state."""
        return {
            JobState.RECEIVED: self._receive,
            JobState.QUEUED: self._submission.submit,
            JobState.SUBMITTING: self._submission.mark_unconfirmed,
            JobState.UNCONFIRMED: self._submission.reconcile,
            JobState.UNDECIDED: self._show_undecided,
            JobState.DOWNLOADING: self._downloading.download,
            JobState.MERGING: self._merging.merge,
            JobState.DELIVERING: self._deliver,
            JobState.NOTIFYING: self._notify,
            JobState.FAILED: self._end_steps.show,
            JobState.CANCELLED: self._end_steps.stop,
        }

    async def _receive(self, job: Job) -> None:
        if job.client is None and job.origin.message_id is None:
            await self._find_message(job)
            return
        if not await self._prompt_step.may_be_spoken(job):
            return
        if job.voice_is_unasked:
            # A missing folder then means that the voice was asked from another machine.
            await self._workspace.create(job.id)
            if not await self._paid_requests.begin_speaking(job):
                return
        try:
            await self._collect_inputs(job)
        except UserError as error:
            # After an earlier attempt, only an error from the voice proves that it charged nothing.
            is_proven = job.voice_is_unasked or error.key.startswith("speech.")
            is_free = is_proven and error.key not in MAYBE_CHARGED
            failure = Failure(key=error.key, fields=error.storable_fields)
            changes = Changes(failure=failure, voice_is_free=is_free)
            await self._jobs.move(job, JobState.FAILED, changes)
            return
        if job.clip_of is not None:
            await self._jobs.move(job, JobState.MERGING)
            return
        if job.attachment is None:
            await self._jobs.move(job, JobState.QUEUED)
            return
        length = self._budgeting.ordered(job, await self._editor.sound_end(job.id))
        if await self._jobs.move(job, JobState.QUEUED, Changes(length=length)) is not None:
            # The job is already queued, so its submission does not wait for the encoding.
            await self._editor.encode_ahead(job.id)

    async def _collect_inputs(self, job: Job) -> None:
        if job.clip_of is not None:
            try:
                await self._workspace.reuse_clip(job.id, of=job.clip_of)
            except FileNotFoundError as error:
                raise UserError("failed.clip_gone") from error
        if job.attachment is None:
            return
        if job.attachment.url is not None:
            await self._editor.ingest(job.id, job.attachment.url)
        elif job.narration_of is not None:
            await self._editor.ingest_kept(job.id, of=job.narration_of)
        elif job.attachment.text is not None:
            await self._restore_speech(job)
            locale = job.origin.locale if job.client is None else None
            await self._editor.speak(job.id, job.attachment.text, locale=locale)
        else:
            await self._workspace.restore_attachment(job.id)
            await self._editor.ingest_given(job.id)

    async def _restore_speech(self, job: Job) -> None:
        """Restore the sound of a text. Raises UserError if it is lost, but perhaps paid for."""
        folder = self._workspace.folder(job.id)
        was_here = job.voice_is_unasked or await asyncio.to_thread(folder.path.exists)
        await self._workspace.restore_attachment(job.id)
        if was_here or await asyncio.to_thread(folder.attachment.exists):
            return
        if await self._paid_requests.has_begun_speaking(job):
            raise UserError("speech.unsure")

    async def _find_message(self, job: Job) -> None:
        message_id = await self._deliverer.find_message(job)
        if message_id is None:
            await self._jobs.fail(job, "failed.unacknowledged")
        else:
            # The card may have been posted before the job was stored, so it may be out of date.
            await self._jobs.acknowledge(job.id, message_id, is_current=False)

    async def _show_undecided(self, job: Job) -> None:
        if not await self._submission.bind_undecided(job):
            await self._end_steps.show(job)

    async def _deliver(self, job: Job) -> None:
        artifact = await self._artifact(job)
        if artifact is None:
            await self._jobs.fail(job, "failed.file_gone")
            return
        match await self._hand_over(job, artifact):
            case Handover.CARD:
                await self._jobs.move(job, JobState.NOTIFYING)
            case Handover.DM:
                await self._jobs.move(job, JobState.NOTIFYING, Changes(card_gone=True))
            case Handover.HELD:
                await self._jobs.postpone(job, after=_HOLD_RETRY_SECONDS)

    async def _hand_over(self, job: Job, artifact: Artifact) -> Handover:
        if job.attempts >= _MAX_DELIVERIES:
            log.error("delivery.card_given_up id=%s attempts=%d", job.id, job.attempts)
            return Handover.DM
        return await self._deliverer.deliver(job, artifact)

    async def _notify(self, job: Job) -> None:
        video = await self._artifact(job) if job.card_gone else None
        if job.card_gone and video is None:
            log.error("delivery.undelivered id=%s reason=file_gone", job.id)
        elif job.attempts >= _MAX_DELIVERIES:
            log.error("delivery.left_to_library id=%s attempts=%d", job.id, job.attempts)
        elif not await self._deliverer.notify(job, video):
            await self._jobs.postpone(job, after=_HOLD_RETRY_SECONDS)
            return
        # The files are deleted before the commit, because no later step would delete them.
        await self._workspace.delete_folder(job.id)
        await self._jobs.move(job, JobState.SUCCEEDED)

    async def _artifact(self, job: Job) -> Artifact | None:
        """Return the record of the finished video, or None if the file was deleted."""
        artifact = await self._artifacts.get(job.id)
        return artifact if await self._workspace.has_video(job.id) else None
