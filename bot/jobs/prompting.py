"""What comes before a job may cost: its words are checked, and its prompt is written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.backends.base import VideoBackend
    from bot.jobs.service import JobService
    from bot.model import Job
    from bot.moderation.base import Moderator
    from bot.prompts.base import PromptWriter

log = logging.getLogger(__name__)

# A moderation service that can't be reached is asked for about a minute.
_CHECKS = 6
_SLOWEST_CHECK_SECONDS = 60.0


class PromptStep:
    """Makes a queued job ready to be sent; where `writer` can't, `fallback` writes.

    Without `moderator` nothing is checked; where it can't tell, nothing is sent.
    """

    def __init__(
        self,
        *,
        jobs: JobService,
        backend: VideoBackend,
        moderator: Moderator | None,
        writer: PromptWriter,
        fallback: PromptWriter,
    ) -> None:
        self._jobs = jobs
        self._backend = backend
        self._moderator = moderator
        self._writer = writer
        self._fallback = fallback

    async def prepare(self, job: Job) -> Job | None:
        """Return the job with what is sent, on disk; None: it waits, has ended or moved on."""
        if job.sent_prompt is not None and job.backend == self._backend.name:
            return job
        if not await self.passes(job, (job.request.prompt,)):
            return None
        written = await self._write(job)
        return await self._jobs.write_prompt(job, written)

    async def may_be_spoken(self, job: Job) -> bool:
        """Tell whether nothing stands against a text to speak, which may cost, nor its prompt."""
        text = job.attachment.text if job.attachment else None
        if text is None:
            return True
        prompt = () if job.clip_of else (job.request.prompt,)
        return await self.passes(job, (*prompt, text))

    async def passes(self, job: Job, texts: Sequence[str]) -> bool:
        """Tell whether nothing stands against what a person wrote; else the job fails, or waits."""
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
        if attempts >= _CHECKS:
            await self._jobs.fail(job, "failed.unchecked")
            return
        delay = max(error.retry_after or 0, 2.0**attempts)
        await self._jobs.postpone(job, after=min(delay, _SLOWEST_CHECK_SECONDS), attempts=attempts)

    async def _write(self, job: Job) -> str:
        words, room = job.request.prompt, self._backend.capabilities.prompt_characters
        writer = self._writer
        try:
            written = await writer.write(words, room=room)
        except Exception as error:  # whatever is wrong with a writer is no reason to make no video
            log.warning(
                "prompt.unwritten id=%s writer=%s error=%r",
                job.id,
                writer.name,
                str(error),
                exc_info=None if isinstance(error, BackendError) else error,
            )
            writer = self._fallback
            written = await writer.write(words, room=room)
        added = len(written) - len(words)
        log.info("prompt.written id=%s writer=%s added=%d", job.id, writer.name, added)
        return written
