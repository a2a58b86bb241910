"""What comes in over HTTP and the command line: a client's jobs, from the order to the file."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.media.files.atomic import TooLargeError, save
from bot.media.narration.ingest import recognise
from bot.model import Attachment, Client, JobState, Trouble, new_job_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
    from pathlib import Path

    from bot.artifacts import Artifact
    from bot.events import JobFeed
    from bot.jobs.circuit_breaker import CircuitBreaker
    from bot.jobs.service import JobService
    from bot.media.files.workspace import Workspace
    from bot.model import Job
    from bot.presets import Presets
    from storage.artifacts import ArtifactStore
    from storage.jobs.client_jobs import ClientJobStore

log = logging.getLogger(__name__)

MAX_PAGE = 50
# What only the operator can put right: a person in Discord waits in line, a program is told.
_REFUSALS = {
    Trouble.AUTH: "api.provider_auth",
    Trouble.BALANCE: "api.provider_balance",
    Trouble.SETUP: "api.provider_setup",
}
_NAME_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioUpload:
    """A narration that lies in the folder of a job to come; `size` in bytes, `sha256` in hex."""

    job_id: str
    filename: str
    size: int
    sha256: str


class ClientJobs:
    """Orders videos for API clients; a client never sees another's jobs."""

    def __init__(
        self,
        *,
        jobs: JobService,
        store: ClientJobStore,
        artifacts: ArtifactStore,
        workspace: Workspace,
        feed: JobFeed,
        presets: Presets,
        circuit: CircuitBreaker,
        clock: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._store = store
        self._artifacts = artifacts
        self._workspace = workspace
        self._feed = feed
        self._presets = presets
        self._circuit = circuit
        self._clock = clock

    async def take_in(self, chunks: AsyncIterable[bytes], *, filename: str) -> AudioUpload:
        """Stream a narration to disk, for a job to come; UserError: no sound, or too large."""
        job_id = new_job_id()
        folder = await self._workspace.create(job_id)
        digest = hashlib.sha256()

        async def noted() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                digest.update(chunk)
                yield chunk

        most = self._presets.max_audio_bytes
        try:
            size = await save(noted(), folder.attachment, max_bytes=most)
            await asyncio.to_thread(recognise, folder.attachment)
        except BaseException as error:
            await self._workspace.remove(job_id)
            if isinstance(error, TooLargeError):
                self._presets.check_audio(most + 1)
            raise
        return AudioUpload(
            job_id=job_id,
            # What is no text in it is of no use to anybody.
            filename=filename[:_NAME_CHARACTERS].encode(errors="replace").decode(),
            size=size,
            sha256=digest.hexdigest(),
        )

    @asynccontextmanager
    async def scratch(self) -> AsyncGenerator[Path]:
        """Name a file that goes when it was worked on."""
        job_id = new_job_id()
        folder = await self._workspace.create(job_id)
        try:
            yield folder.path / "scratch"
        finally:
            await self._workspace.remove(job_id)

    async def drop(self, upload: AudioUpload) -> None:
        """Delete a narration that no job came for."""
        await self._workspace.remove(upload.job_id)

    async def submit(
        self, client: str, script: str, upload: AudioUpload | None = None, *, key: str | None = None
    ) -> Job:
        """Order a video, and return its job; under the same `key` it is the same job again.

        UserError: the script won't do, a cap is reached, the key has another order, or the provider
        refuses every order until the operator does something.
        """
        try:
            request = self._presets.request(script)
            asker = Client(name=client, key=key, digest=_digest(script, upload) if key else None)
            await self._check_provider(asker)
            job = await self._jobs.submit(
                request,
                asker,
                _attachment(upload),
                job_id=upload.job_id if upload else None,
            )
        except BaseException:
            # Whoever was cut off may have been so after the commit.
            if upload and await self._jobs.get(upload.job_id) is None:
                await self.drop(upload)
            raise
        if job is not None:
            return job
        if upload:
            await self.drop(upload)
        return await self._repeated(asker)

    @property
    def trouble(self) -> Trouble | None:
        """Why the line waits, if it does."""
        return self._circuit.trouble

    async def get(self, client: str, job_id: str) -> Job | None:
        """Read a client's own job."""
        return await self._store.own(client, job_id)

    async def page(self, client: str, *, before: str | None = None, limit: int) -> list[Job]:
        """List a client's jobs, the newest first, from the one after the job `before` on."""
        return await self._store.page(client, before=before, limit=min(limit, MAX_PAGE))

    async def cancel(self, job: Job) -> Job | None:
        """Stop an open job, or give it up where nobody knows; None: it is past stopping."""
        return await self._jobs.cancel(job.id)

    async def retry(self, job: Job) -> Job | None:
        """Order once more what nobody knows of, which may cost twice; None: it is no question."""
        return await self._jobs.retry_undecided(job.id)

    async def artifact(self, job: Job) -> Artifact | None:
        """Return a job's finished video; None: it is kept no more."""
        return await self._artifacts.get(job.id)

    def video(self, job: Job) -> Path:
        """Name the file of a finished video."""
        return self._workspace.video(job.id)

    async def withdraw_shares(self, job: Job) -> None:
        """End all links to the page of a job's video."""
        if await self._artifacts.withdraw_shares(job.id):
            log.info("share.withdrawn id=%s", job.id)

    async def note_fetched(self, job: Job) -> None:
        """Note that the client has its video."""
        await self._artifacts.mark_delivered(job.id, now=self._clock())

    async def wait(self, job: Job, on_change: Callable[[Job], None] | None = None) -> Job:
        """Wait until a job has ended, or only a person can decide; `on_change` gets the rest."""
        changes: asyncio.Queue[Job] = asyncio.Queue()
        leave = self._feed.follow(job.id, changes.put_nowait)
        try:
            # What happened before is in the table.
            now = await self._jobs.get(job.id) or job
            while not (now.state.is_final or now.state is JobState.UNDECIDED):
                if on_change:
                    on_change(now)
                now = await changes.get()
        finally:
            leave()
        return now

    async def _check_provider(self, asker: Client) -> None:
        refusal = await self._circuit.refusal()
        if refusal is None or refusal.reason not in _REFUSALS:
            return
        # What was taken before is no new order.
        if asker.key and await self._jobs.by_requester(asker) is not None:
            return
        raise UserError(
            _REFUSALS[refusal.reason],
            setting=f"{refusal.backend.upper()}_API_KEY",
            address=f"{refusal.backend.upper()}_BASE_URL",
            backend=refusal.backend,
            seconds=math.ceil(refusal.probe_at - self._clock()),
        )

    async def _repeated(self, asker: Client) -> Job:
        job = await self._jobs.by_requester(asker)
        if job is None or job.client is None or job.client.digest != asker.digest:
            raise UserError("api.key_reused")
        return job


def _attachment(upload: AudioUpload | None) -> Attachment | None:
    if upload is None:
        return None
    return Attachment(url=None, filename=upload.filename, size=upload.size)


def _digest(script: str, upload: AudioUpload | None) -> str:
    parts = (script, upload.sha256 if upload else "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
