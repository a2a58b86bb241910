"""PromptStep: moderates a job's texts and writes its final prompt, before the job is submitted."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.backends.base import VideoBackend
    from bot.jobs.service import JobService
    from bot.model import Job
    from bot.moderation.base import Moderator
    from bot.prompts.base import PromptWriter
    from storage.ledger.paid_requests import PaidRequests

log = logging.getLogger(__name__)

# If the moderation service can't be reached, this many attempts are made within about a minute.
_MAX_CHECKS = 6
_MAX_PAUSE_SECONDS = 60.0
_REFUSALS = frozenset(
    {ErrorKind.AUTH, ErrorKind.BALANCE, ErrorKind.SETUP, ErrorKind.INVALID, ErrorKind.RATE}
)


class PromptStep:
    """Prepares a queued job for its create request.

    If `writer` fails, `fallback` writes the prompt. If there is a `moderator`, no job is submitted
    until the moderator has approved its texts.
    """

    def __init__(
        self,
        *,
        jobs: JobService,
        paid_requests: PaidRequests,
        backend: VideoBackend,
        moderator: Moderator | None,
        writer: PromptWriter,
        fallback: PromptWriter,
    ) -> None:
        self._jobs = jobs
        self._paid_requests = paid_requests
        self._backend = backend
        self._moderator = moderator
        self._writer = writer
        self._fallback = fallback

    async def prepare(self, job: Job) -> Job | None:
        """Return the job with its final prompt, or None if the job must not be submitted now."""
        if job.sent_prompt is not None and job.backend == self._backend.name:
            return job
        if not await self.passes(job, (job.request.prompt,)):
            return None
        written = await self._written(job)
        if self._moderator is not None or self._asks(job):
            # Stored at once, so that no service is asked again while the job is on hold.
            return await self._jobs.write_prompt(job, written)
        # The intent to submit stores this prompt. Until then, writing it again gives the same one.
        return replace(job, sent_prompt=written, backend=self._backend.name)

    async def _written(self, job: Job) -> str:
        if not await self._may_ask(job):
            return await self._write(job, self._fallback)
        try:
            return await self._write(job, self._writer)
        except Exception as error:  # any failure: the fallback needs no service
            log.warning(
                "prompt.unwritten id=%s writer=%s error=%r",
                job.id,
                self._writer.name,
                str(error),
                exc_info=None if isinstance(error, BackendError) else error,
            )
            if _is_refusal(error):
                await self._paid_requests.record_refusal(job)
            return await self._write(job, self._fallback)

    async def may_be_spoken(self, job: Job) -> bool:
        """Moderate the text to read aloud.

        Returns True if the text passes, or if there is no text.
        """
        text = job.attachment.text if job.attachment else None
        if text is None:
            return True
        prompt = () if job.clip_of else (job.request.prompt,)
        return await self.passes(job, (*prompt, text))

    async def passes(self, job: Job, texts: Sequence[str]) -> bool:
        """Return whether the texts pass moderation. If not, the job fails or is postponed."""
        if self._moderator is None:
            return True
        try:
            reason = await self._moderator.check(texts)
        except BackendError as error:
            log.warning("prompt.unchecked id=%s error=%r", job.id, str(error))
            await self._check_later(job, error)
            return False
        if reason is not None:
            await self._jobs.fail(job, reason)
        return reason is None

    async def _check_later(self, job: Job, error: BackendError) -> None:
        attempts = job.attempts + 1
        if attempts >= _MAX_CHECKS:
            await self._jobs.fail(job, "failed.unchecked")
            return
        delay = max(error.retry_after or 0, 2.0**attempts)
        await self._jobs.postpone(job, after=min(delay, _MAX_PAUSE_SECONDS), attempts=attempts)

    async def _may_ask(self, job: Job) -> bool:
        """Return whether the writer may be asked for the job's prompt.

        A writer that has a price is asked only once, even if the bot crashed after that.
        """
        if not job.writer_costs or not self._asks(job):
            return True
        return await self._paid_requests.begin_writing(job)

    def _asks(self, job: Job) -> bool:
        return self._writer.asks(job.request.prompt, self._room)

    @property
    def _room(self) -> int:
        return self._backend.capabilities.prompt_characters

    async def _write(self, job: Job, writer: PromptWriter) -> str:
        words = job.request.prompt
        written = await writer.write(words, room=self._room)
        if writer.asks(words, self._room):  # otherwise, it is written again while on hold
            added = len(written) - len(words)
            log.info("prompt.written id=%s writer=%s added=%d", job.id, writer.name, added)
        return written


def _is_refusal(error: Exception) -> bool:
    """Tell whether a writer's service has clearly refused a request, and thus charged nothing."""
    return isinstance(error, BackendError) and error.kind in _REFUSALS
