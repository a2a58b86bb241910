"""Sends the requests that all adapters have in common: create, poll and download."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.backends.base import BackendUpdate, RemoteState, StatusPage
from bot.backends.responses import error_kinds, remote_job, replies, voice_words
from bot.backends.responses.clip_links import INLINE
from bot.backends.responses.content import ContentFetcher
from bot.backends.transport.base import (
    NO_ANSWER,
    Endpoint,
    NeverSentError,
    Request,
    Timeouts,
    reason_of,
)
from bot.backends.transport.origins import joined, origin_of
from bot.errors import BackendError, ErrorKind, RefusedVoiceError, UnconfirmedSubmitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.backends.base import VoiceSound
    from bot.backends.responses.remote_job import ListingPage, RemoteJob
    from bot.backends.responses.replies import Reply
    from bot.backends.transport.base import Answer, Transport
    from bot.backends.transport.origins import ServerOrigin
    from bot.media.mp4.reader import VideoInfo

log = logging.getLogger(__name__)

_MAX_UNKNOWN_STATUSES = 32


@dataclass(kw_only=True, eq=False)
class ProviderApi:
    """Sends requests to the provider at `base_url`.

    `open_transport`: opens the transport that sends the requests.
    `secret`: the API key, which is removed from every response.
    `result_origins`: the origins from which videos may be downloaded, besides the provider and
    public addresses. An example is "http://10.0.0.2:9000".
    `translate`: converts the provider's own JSON to the fields of OpenAI's Videos API.
    `has_exact_lengths`: tells whether the provider makes each clip exactly as long as it was
    ordered.
    `drop_inline_clips`: whether base64 clips are removed from all responses except downloads.
    """

    name: str
    base_url: str
    open_transport: Callable[[Endpoint], Transport]
    secret: str | None = field(repr=False)
    result_origins: tuple[str, ...]
    timeouts: Timeouts
    clock: Callable[[], float]
    translate: Callable[[object], object] | None = None
    drop_inline_clips: bool = True
    has_exact_lengths: Callable[[], bool] = bool

    def __post_init__(self) -> None:
        self._origin = origin_of(self.base_url)
        trusted = (self.base_url, *self.result_origins)
        self._trusted = frozenset(map(origin_of, trusted))
        self._transport = self._open(self.timeouts.answer)
        # If a reused connection turned out to be dead, it would be unclear whether a POST was
        # received. After a body whose length was wrong, a connection can't be reused either.
        self._posts = self._open(self.timeouts.submit, reuses_connections=False)
        self._downloads = self._open(
            self.timeouts.answer, downloads_from=self._trusted, reuses_connections=False
        )
        self._unknown_statuses: set[str] = set()
        self._ahead = 0.0

    def provider_time(self, now: float) -> float:
        """Convert a time by this machine's clock to the time by the provider's clock.

        The difference is known from the `Date` header of the provider's last response.
        """
        return now + self._ahead

    async def submit(self, request: Request, *, voice: VoiceSound | None = None) -> BackendUpdate:
        """Send the create request exactly once, and return the job in the response.

        `voice`: the sound in the request, if there is one.
        The job may have ended already.

        Raises UnconfirmedSubmitError if the provider may have accepted the job. After any other
        BackendError, the provider has not accepted it.
        """
        reply = await self._create(request)
        if (job := reply.job) and job.ref:
            return self._update(job, job.ref)
        prompt = _prompt_in(request)
        if reply.ok:
            raise error_kinds.of_success_without_job(reply.answer, prompt=prompt)
        error = error_kinds.of_create(
            reply.status, reply.answer, retry_after=reply.retry_after, prompt=prompt
        )
        if voice and voice_words.blames_sound(error, reply.status, reply.answer, prompt=prompt):
            raise RefusedVoiceError(error.kind, error.message)
        raise error

    async def poll(self, path: str, ref: str) -> BackendUpdate:
        """Return the state of the job at `path`.

        The result's id is `ref`, even if the response contains a different id.
        """
        return self._update(await self.retrieve(path), ref)

    async def retrieve(self, path: str) -> RemoteJob:
        """Request the job at `path`, and return it."""
        reply = await self.ask(Request(method="GET", url=path))
        if reply.job:
            return self._exact(reply.job)
        if reply.ok:
            raise BackendError(ErrorKind.TRANSIENT, "the answer describes no job")
        raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)

    def status_page(self, reply: Reply) -> StatusPage | None:
        """Return the jobs in the response to a request for a list.

        Returns None if the response is not a list.
        """
        page = remote_job.page_in(reply.answer)
        if page is None:
            return None
        jobs = (replace(job, answered_at=reply.answered_at) for job in page.jobs)
        return StatusPage(
            updates=tuple(self._update(job, job.ref) for job in jobs if job.ref),
            after=None if page.has_more is False or not page.jobs else page.last,
        )

    def listing_page(self, reply: Reply) -> ListingPage | None:
        """Return the page of jobs in a response, or None if the response is not a list."""
        page = remote_job.page_in(reply.answer)
        return page and replace(page, jobs=tuple(map(self._exact, page.jobs)))

    async def ask(self, request: Request) -> Reply:
        """Send a request, and return the response, even if its status is an error.

        Raises BackendError if no response arrives in time.
        """
        seconds = self.timeouts.answer
        try:
            async with asyncio.timeout(seconds):
                transport = self._posts if request.method == "POST" else self._transport
                return self._read(await transport.send(request))
        except NO_ANSWER as error:
            raise BackendError(ErrorKind.TRANSIENT, f"no answer: {reason_of(error)}") from error

    async def fetch(
        self,
        path: str | None,
        result_url: str | None,
        sink: Path,
        *,
        max_bytes: int,
        job_path: str | None = None,
    ) -> VideoInfo | None:
        """Download the video to `sink` from the content route at `path`, or from `result_url`.

        If `path` is None, only `result_url` is used. If the response about the job contains the
        video itself, that response is downloaded from `job_path`.
        Returns the properties of an MP4, and None for another format.
        """
        if result_url == INLINE:
            result_url = job_path
        elif path and result_url:
            result_url = self._address_of(result_url)
            result_url = None if self._is_at(path, result_url) else result_url
        fetcher = ContentFetcher(
            ask=self._stream,
            address_of=self._address_of,
            sink=sink,
            max_bytes=max_bytes,
            pauses=self.timeouts.content_pauses,
        )
        try:
            async with asyncio.timeout(self.timeouts.fetch):
                return await fetcher.fetch(path, result_url)
        except TimeoutError as error:
            raise BackendError(ErrorKind.TRANSIENT, "the download takes too long") from error

    async def close(self) -> None:
        """Close the connections."""
        for transport in (self._transport, self._posts, self._downloads):
            await transport.close()

    def _address_of(self, link: str) -> str:
        """Return the URL of a link, which may be only a path at the provider ("/files/1.mp4")."""
        return joined(self.base_url, link) if link.startswith("/") else link

    def _is_at(self, path: str, url: str) -> bool:
        """Tell whether a link leads to the content route itself."""
        address = f"{self.base_url}{path}"
        return url in {address, address.partition("?")[0]}

    async def _create(self, request: Request) -> Reply:
        try:
            async with asyncio.timeout(self.timeouts.submit):
                answer = await self._posts.send(request)
        except NeverSentError as error:
            raise BackendError(ErrorKind.TRANSIENT, f"can't connect: {reason_of(error)}") from error
        except NO_ANSWER as error:
            reason = reason_of(error)
            raise UnconfirmedSubmitError(f"no answer to the create: {reason}") from error
        return self._read(answer)

    async def _stream(self, url: str) -> Answer:
        try:
            ours = url.startswith("/") or origin_of(url) == self._origin
            request = Request(method="GET", url=url, with_key=ours, stream=True)
            return await self._downloads.send(request)
        except NO_ANSWER as error:
            raise BackendError(ErrorKind.TRANSIENT, f"no download: {reason_of(error)}") from error

    def _open(
        self,
        read_timeout: float,
        *,
        downloads_from: frozenset[ServerOrigin] | None = None,
        reuses_connections: bool = True,
    ) -> Transport:
        return self.open_transport(
            Endpoint(
                base_url=self.base_url,
                read_timeout=read_timeout,
                connect_timeout=self.timeouts.connect,
                downloads_from=downloads_from,
                drop_inline_clips=self.drop_inline_clips,
                reuses_connections=reuses_connections,
            )
        )

    def _read(self, answer: Answer) -> Reply:
        now = self.clock()
        reply = replies.read(answer, secret=self.secret, now=now)
        if reply.answered_at is not None:
            self._ahead = reply.answered_at - now
        if self.translate is None:
            return reply
        return replace(reply, answer=self.translate(reply.answer))

    def _exact(self, job: RemoteJob) -> RemoteJob:
        return replace(job, has_exact_length=self.has_exact_lengths())

    def _update(self, job: RemoteJob, ref: str) -> BackendUpdate:
        if job.status and (job.state is None or job.inferred):
            self._log_unknown_status(job.status)
        state = job.state or RemoteState.RUNNING
        return BackendUpdate(
            ref=ref,
            state=state,
            progress=job.progress,
            error=error_kinds.of_failure(job) if state is RemoteState.FAILED else None,
            cost=job.cost,
            expires_at=job.expires_at,
            result_url=job.result_url,
            echo=self._exact(job).echo,
            inferred=job.inferred,
        )

    def _log_unknown_status(self, status: str) -> None:
        known = self._unknown_statuses
        if status in known or len(known) >= _MAX_UNKNOWN_STATUSES:
            return
        known.add(status)
        log.warning("backend.status_unknown backend=%s word=%r", self.name, status)


def _prompt_in(request: Request) -> str:
    body = request.body or {}
    return str(body.get("prompt") or body.get("input") or "")
