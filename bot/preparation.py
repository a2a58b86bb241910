"""What comes before a job may cost: its words are checked, and its prompt is written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import BackendError

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.jobs import JobService
    from bot.model import Job
    from bot.prompts.base import PromptWriter

log = logging.getLogger(__name__)


class Preparation:
    """Makes a queued job ready to be sent; where `writer` can't, `fallback` writes."""

    def __init__(
        self,
        *,
        jobs: JobService,
        backend: VideoBackend,
        writer: PromptWriter,
        fallback: PromptWriter,
    ) -> None:
        self._jobs = jobs
        self._backend = backend
        self._writer = writer
        self._fallback = fallback

    async def prepare(self, job: Job) -> Job | None:
        """Return the job with what is sent, on disk; None: it waits, has ended or moved on."""
        if job.sent_prompt is not None and job.backend == self._backend.name:
            return job
        written = await self._write(job)
        return await self._jobs.write_prompt(job, written)

    async def _write(self, job: Job) -> str:
        words, room = job.request.prompt, self._backend.capabilities.prompt_characters
        writer = self._writer
        try:
            written = await writer.write(words, room=room)
        except BackendError as error:
            log.warning(
                "prompt.unwritten id=%s writer=%s error=%r", job.id, writer.name, str(error)
            )
            writer = self._fallback
            written = await writer.write(words, room=room)
        log.info(
            "prompt.written id=%s writer=%s added=%d",
            job.id,
            writer.name,
            len(written) - len(words),
        )
        return written
