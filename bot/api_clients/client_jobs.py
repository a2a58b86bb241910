"""ClientJobs: the operations on jobs that API clients and the command line can use."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.api_clients.audio_upload import AudioUpload
from bot.api_clients.upload_slots import UploadSlots
from bot.errors import Trouble, UserError
from bot.media.files.atomic import TooLargeError, save
from bot.media.narration.ingest import detect_format
from bot.model import Client, JobState, new_job_id
from bot.moderation.access.refusals import RefusedOrder
from bot.speech.spoken_words import recall_words

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
    from pathlib import Path

    from bot.artifacts import Artifact
    from bot.events import JobFeed
    from bot.jobs.circuit_breaker import CircuitBreaker
    from bot.jobs.guiding.permissions import VoicePermissions
    from bot.jobs.service import JobService
    from bot.media.files.shared_work import SharedWork
    from bot.media.files.stores.remote_file import RemoteFile
    from bot.media.files.workspace import Workspace
    from bot.model import Job
    from bot.moderation.access.refusals import RefusedOrders
    from bot.presets import Presets
    from storage.artifacts import ArtifactStore
    from storage.jobs.client_jobs import ClientJobStore

log = logging.getLogger(__name__)

MAX_PAGE = 50
# The troubles that last until the operator fixes them. Until then, clients get an error, so that
# their jobs don't wait in the queue.
_REFUSALS = {
    Trouble.AUTH: "api.provider_auth",
    Trouble.BALANCE: "api.provider_balance",
    Trouble.SETUP: "api.provider_setup",
}
_NAME_CHARACTERS = 200


class ClientJobs:
    """Creates and reads jobs for API clients. A client never sees the jobs of another client.

    `min_free_bytes`: the disk space that must stay free during uploads.
    `service`: the name of the video service in sentences for clients. If it is "", the backend's
    name is used.
    """

    def __init__(
        self,
        *,
        jobs: JobService,
        voice_permissions: VoicePermissions,
        store: ClientJobStore,
        artifacts: ArtifactStore,
        workspace: Workspace,
        shared: SharedWork,
        feed: JobFeed,
        presets: Presets,
        circuit: CircuitBreaker,
        refusals: RefusedOrders,
        min_free_bytes: int,
        service: str = "",
        clock: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._permissions = voice_permissions
        self._store = store
        self._artifacts = artifacts
        self._workspace = workspace
        self._shared = shared
        self._feed = feed
        self._presets = presets
        self._circuit = circuit
        self._refusals = refusals
        self._service = service
        self._clock = clock
        self._upload_slots = UploadSlots(
            workspace, max_bytes=presets.max_audio_bytes, min_free_bytes=min_free_bytes
        )

    async def check_upload(self, client: str, *, key: str | None = None) -> None:
        """Raise UserError if a request with audio would be refused now, even with valid audio."""
        await self._check_order(Client(name=client, key=key))
        await self._upload_slots.check(client)

    @asynccontextmanager
    async def upload(self, client: str, *, key: str | None = None) -> AsyncGenerator[None]:
        """Reserve an upload slot for the duration of the `with` block.

        Raises UserError if no upload is possible now.
        """
        await self._check_order(Client(name=client, key=key))
        async with self._upload_slots.take(client):
            yield

    async def receive_audio(self, chunks: AsyncIterable[bytes], *, filename: str) -> AudioUpload:
        """Save a narration for a new job.

        Raises UserError if the file is not audio or is too large.
        """
        job_id = new_job_id()
        folder = await self._workspace.create(job_id)
        digest = hashlib.sha256()

        async def hashed() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                digest.update(chunk)
                yield chunk

        limit = self._presets.max_audio_bytes
        try:
            size = await save(hashed(), folder.attachment, max_bytes=limit)
            await asyncio.to_thread(detect_format, folder.attachment)
        except BaseException as error:
            await self._workspace.delete_folder(job_id)
            if isinstance(error, TooLargeError):
                self._presets.check_audio(limit + 1)
            raise
        return AudioUpload(
            job_id=job_id,
            # Lone surrogates are replaced, because they can't be stored.
            filename=filename[:_NAME_CHARACTERS].encode(errors="replace").decode(),
            size=size,
            sha256=digest.hexdigest(),
        )

    @asynccontextmanager
    async def temporary_file(self) -> AsyncGenerator[Path]:
        """Provide the path of a temporary file, which is deleted after the `with` block."""
        job_id = new_job_id()
        folder = await self._workspace.create(job_id)
        try:
            yield folder.path / "scratch"
        finally:
            await self._workspace.delete_folder(job_id)

    async def delete_upload(self, upload: AudioUpload) -> None:
        """Delete an uploaded narration, because no job was created for it."""
        await self._workspace.delete_folder(upload.job_id)
        await self._shared.withdraw_attachment(upload.job_id)

    async def submit(
        self, client: str, script: str, upload: AudioUpload | None = None, *, key: str | None = None
    ) -> Job:
        """Create a job for a script, and return it.

        If the client has already created a job with the same idempotency `key`, that job is
        returned.
        Raises UserError if the script is invalid, a cap is reached, the key belongs to a different
        request, or the provider refuses every job until the operator acts.
        """
        try:
            request = self._presets.request(script)
            digest = _digest(script, upload) if key else None
            requester = Client(name=client, key=key, digest=digest)
            await self._check_provider(requester)
            if upload:
                await recall_words(self._workspace, client, upload.sha256, job_id=upload.job_id)
                await self._shared.offer_attachment(upload.job_id)
            attachment = upload.attachment if upload else None
            job = await self._jobs.submit(
                request,
                requester,
                attachment,
                job_id=upload.job_id if upload else None,
                voice=self._permissions.of_client(attachment, agrees=upload and upload.sends_voice),
            )
        except BaseException as error:
            if isinstance(error, UserError):
                self._refusals.publish(RefusedOrder(reason=error.key, client=client))
            # If the client has aborted the request, the job may have been committed nevertheless.
            if upload and not await self._store.was_inserted(upload.job_id):
                await self.delete_upload(upload)
            raise
        if job is not None:
            return job
        if upload:
            await self.delete_upload(upload)
        return await self._first_job(requester)

    @property
    def circuit(self) -> CircuitBreaker:
        """The circuit, which knows whether the queue is paused, and why."""
        return self._circuit

    async def get(self, client: str, job_id: str) -> Job | None:
        """Return the client's job with this id, or None if the client has no such job."""
        return await self._store.own(client, job_id)

    async def page(self, client: str, *, before: str | None = None, limit: int) -> list[Job]:
        """List a client's jobs, newest first. With a job id as `before`, list only older jobs."""
        return await self._store.page(client, before=before, limit=min(limit, MAX_PAGE))

    async def cancel(self, job: Job) -> Job | None:
        """Cancel an open or undecided job, or return None if it can no longer be cancelled."""
        return await self._jobs.cancel(job.id)

    async def retry(self, job: Job) -> Job | None:
        """Queue an undecided job again, or return None if it is not undecided.

        The provider may charge for both create requests.
        """
        return await self._jobs.retry_undecided(job.id)

    async def artifact(self, job: Job) -> Artifact | None:
        """Return a job's finished video, or None if there is none or it was deleted."""
        return await self._artifacts.get(job.id)

    async def find_video(self, job: Job) -> Path | RemoteFile:
        """Return the local path of a finished video, or a reader of the store that has the video.

        Raises FileNotFoundError in the same case as `Workspace.find_video`.
        """
        return await self._workspace.find_video(job.id)

    async def fetch_video(self, job: Job) -> Path:
        """Return the path of a finished video.

        Raises FileNotFoundError if the video is no longer kept.
        """
        return await self._workspace.fetch_video(job.id)

    async def fetch_captions(self, job: Job) -> Path:
        """Return the path of a video's captions. Raises FileNotFoundError if they are not kept."""
        return await self._workspace.fetch_captions(job.id)

    async def withdraw_shares(self, job: Job) -> None:
        """Invalidate all share links of a job's video."""
        if await self._artifacts.withdraw_shares(job.id):
            log.info("share.withdrawn id=%s", job.id)

    async def mark_downloaded(self, job: Job) -> None:
        """Record that the client has downloaded the job's video."""
        await self._artifacts.mark_delivered(job.id, now=self._clock())

    async def wait(self, job: Job, on_change: Callable[[Job], None] | None = None) -> Job:
        """Wait until a job has ended or is undecided, and return it.

        `on_change`: called at once with the current job, and then after each change except the one
        that ends the wait.
        """
        changes: asyncio.Queue[Job] = asyncio.Queue()
        unfollow = self._feed.follow(job.id, changes.put_nowait)
        try:
            # Follow the job's changes before reading the job, so that no change is missed.
            current = await self._jobs.get(job.id) or job
            while not (current.state.is_final or current.state is JobState.UNDECIDED):
                if on_change:
                    on_change(current)
                current = await changes.get()
        finally:
            unfollow()
        return current

    async def _check_order(self, requester: Client) -> None:
        await self._check_provider(requester)
        if not await self._is_repeated(requester):
            await self._jobs.check_caps(requester)

    async def _check_provider(self, requester: Client) -> None:
        circuit = await self._circuit.paused_circuit()
        if circuit is None or circuit.reason not in _REFUSALS:
            return
        if await self._is_repeated(requester):
            return
        raise UserError(
            _REFUSALS[circuit.reason],
            setting=f"{circuit.backend.upper()}_API_KEY",
            address=f"{circuit.backend.upper()}_BASE_URL",
            backend=self._service or circuit.backend,
            seconds=math.ceil(circuit.probe_at - self._clock()),
        )

    async def _is_repeated(self, requester: Client) -> bool:
        """Return whether a request repeats an earlier one, so that no new job is created."""
        return bool(requester.key) and await self._jobs.by_requester(requester) is not None

    async def _first_job(self, requester: Client) -> Job:
        job = await self._jobs.by_requester(requester)
        if job is None or job.client is None or job.client.digest != requester.digest:
            raise UserError("api.key_reused")
        return job


def _digest(script: str, upload: AudioUpload | None) -> str:
    parts = [script, upload.sha256 if upload else ""]
    parts += ["heard"] if upload and upload.sends_voice else []
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
