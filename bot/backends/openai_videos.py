"""The Videos API, at whatever address: one POST per job, and every answer read with tolerance."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, Omit

from bot.backends import answers, refusals, replies, signatures
from bot.backends.base import BackendUpdate, Capabilities, Listing, RemoteState, Webhook
from bot.backends.connections import NEVER_SENT, connect
from bot.backends.contents import ContentFetcher
from bot.backends.listings import is_older, jobs_since
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError, WebhookError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from bot.backends.answers import Page, RemoteJob
    from bot.backends.replies import Reply
    from bot.model import VideoRequest

log = logging.getLogger(__name__)

_NO_ANSWER = (openai.OpenAIError, httpx2.HTTPError, ssl.SSLError, TimeoutError)
_NO_LISTING = frozenset({400, 404, 405, 501})
_NOT_FOUND = 404
_MAX_STRANGE_WORDS = 32


@dataclass(kw_only=True, eq=False)
class OpenAIVideos:
    """A server that speaks OpenAI's Videos API; `base_url` ends before `/videos`.

    Without `api_key` no Authorization header is sent. Time-outs are in seconds; `content_pauses`
    are the waits before the content of a job that was just completed is asked for again. Results
    come from the server, from public addresses, or from `result_origins` ("http://10.0.0.2:9000").
    ValueError: a webhook secret is empty.
    """

    base_url: str
    api_key: str | None = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    name: str = "openai"
    idempotency_header: str | None = None
    result_origins: tuple[str, ...] = ()
    clock: Callable[[], float] = time.time
    connect_timeout: float = 5.0
    submit_timeout: float = 120.0
    answer_timeout: float = 30.0
    fetch_timeout: float = 900.0
    content_pauses: tuple[float, ...] = (1.0, 2.0, 4.0)
    page_size: int = 50
    max_pages: int = 20
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        self.capabilities = Capabilities(webhooks=bool(self.webhook_secrets))
        self._origin = httpx2.URL(self.base_url).origin
        trusted = (self.base_url, *self.result_origins)
        self._trusted = frozenset(httpx2.URL(url).origin for url in trusted)
        self._keys = signatures.signing_keys(self.webhook_secrets)
        self._tls = httpx2.create_ssl_context()
        self._client = self._open(self.answer_timeout)
        self._strange_words: set[str] = set()

    async def submit(self, request: VideoRequest, *, create_key: str) -> BackendUpdate:
        """Ask for the video with exactly one POST; its answer may already be the end."""
        reply = await self._create(request, create_key)
        if (job := reply.job) and job.ref:
            return self._update(job, job.ref)
        if reply.ok:
            raise UnconfirmedSubmitError("the answer to the create holds no readable id")
        raise refusals.of_create(reply.status, reply.answer, retry_after=reply.retry_after)

    async def poll(self, ref: str) -> BackendUpdate:
        """Tell how the remote job stands, under the ref that we know it by."""
        return self._update(await self._retrieve(ref), ref)

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> None:
        """Stream the video into `sink`: the content route's bytes, or what it points to."""
        # Connections of its own: after a body of false length, one can't be used again.
        client = self._open(self.answer_timeout, downloads_from=self._trusted)
        fetcher = ContentFetcher(
            ask=lambda url: self._stream(client, url),
            sink=sink,
            max_bytes=max_bytes,
            pauses=self.content_pauses,
        )
        try:
            async with asyncio.timeout(self.fetch_timeout):
                await fetcher.fetch(f"{_path(update.ref)}/content", update.result_url)
        except TimeoutError as error:
            raise BackendError(ErrorKind.TRANSIENT, "the download takes too long") from error
        finally:
            await client.close()

    async def find(
        self, request: VideoRequest, *, since: float, hints: tuple[str, ...] = ()
    ) -> Listing:
        """List the jobs that may be this request's; complete when all back to `since` were read."""
        jobs, complete = await jobs_since(since, self._page_after, max_pages=self.max_pages)
        listed = {job.ref for job in jobs if job.ref}
        jobs += [job for hint in sorted({*hints} - listed) if (job := await self._hinted(hint))]
        found = [job for job in jobs if not is_older(job, since) and not job.contradicts(request)]
        return Listing(
            refs=tuple(job.ref for job in found if job.ref),
            complete=complete,
            certain=all(job.prompt is not None for job in found),
        )

    async def cancel(self, ref: str) -> bool:
        """Delete the remote job; True only if the server confirms that it is gone."""
        options = self._options(follow_redirects=False)
        try:
            reply = await self._ask(
                self._client.delete(_path(ref), cast_to=httpx2.Response, options=options)
            )
        except BackendError as error:
            log.info("backend.cancel_failed backend=%s kind=%s", self.name, error.kind)
            return False
        return reply.status == _NOT_FOUND or (reply.ok and answers.is_deleted(reply.answer))

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float
    ) -> Webhook | None:
        """Verify a webhook and return which video it is about; None: it is about something else."""
        webhook_id = signatures.verify(headers, body, keys=self._keys, now=now)
        event = answers.event_in(body)
        if event is None:
            raise WebhookError("the signed body is no event", status=400)
        kind, ref = event
        if not kind.startswith("video."):
            return None
        if ref is None:
            raise WebhookError("the event names no video", status=400)
        return Webhook(id=webhook_id, ref=ref)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def _create(self, request: VideoRequest, create_key: str) -> Reply:
        headers = {"Content-Type": "multipart/form-data"}
        if self.idempotency_header:
            headers[self.idempotency_header] = create_key
        options = self._options(headers, follow_redirects=False)
        # A connection of its own: a kept one may be dead already, which would leave a doubt.
        client = self._open(self.submit_timeout)
        try:
            async with asyncio.timeout(self.submit_timeout):
                response = await _of_any_status(
                    client.post(
                        "/videos", cast_to=httpx2.Response, body=_form(request), options=options
                    )
                )
        except _NO_ANSWER as error:
            reason = _reason(error)
            if isinstance(error.__cause__, NEVER_SENT):
                raise BackendError(ErrorKind.TRANSIENT, f"can't connect: {reason}") from error
            raise UnconfirmedSubmitError(f"no answer to the create: {reason}") from error
        finally:
            await client.close()
        return self._read(response)

    async def _retrieve(self, ref: str) -> RemoteJob:
        reply = await self._get(_path(ref))
        if reply.job:
            return reply.job
        if reply.ok:
            raise BackendError(ErrorKind.TRANSIENT, "the answer describes no job")
        raise refusals.of_job(reply.status, reply.answer, retry_after=reply.retry_after)

    async def _hinted(self, ref: str) -> RemoteJob | None:
        try:
            return replace(await self._retrieve(ref), ref=ref)
        except BackendError as error:
            if error.kind is ErrorKind.GONE:
                return None
            raise

    async def _page_after(self, ref: str | None) -> Page | None:
        query = {"limit": str(self.page_size), "order": "desc"}
        reply = await self._get("/videos", query | ({"after": ref} if ref else {}))
        if reply.status in _NO_LISTING:
            return None
        if not reply.ok:
            raise refusals.of_job(reply.status, reply.answer, retry_after=reply.retry_after)
        return answers.page_in(reply.answer)

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> Reply:
        options = self._options()
        options["params"] = query or {}
        return await self._ask(self._client.get(path, cast_to=httpx2.Response, options=options))

    async def _ask(self, request: Awaitable[httpx2.Response]) -> Reply:
        try:
            async with asyncio.timeout(self.answer_timeout):
                return self._read(await _of_any_status(request))
        except _NO_ANSWER as error:
            raise BackendError(ErrorKind.TRANSIENT, f"no answer: {_reason(error)}") from error

    async def _stream(self, client: AsyncOpenAI, url: str) -> httpx2.Response:
        address = httpx2.URL(url)
        ours = address.is_relative_url or address.origin == self._origin
        # The SDK hands a raw response over before it looks at the class of the stream.
        request = client.get(
            url,
            cast_to=httpx2.Response,
            options=self._options(with_key=ours),
            stream=True,
            stream_cls=AsyncStream[object],
        )
        try:
            return await _of_any_status(cast("Awaitable[httpx2.Response]", request))
        except _NO_ANSWER as error:
            raise BackendError(ErrorKind.TRANSIENT, f"no download: {_reason(error)}") from error

    def _open(
        self, read_timeout: float, *, downloads_from: frozenset[httpx2.Origin] | None = None
    ) -> AsyncOpenAI:
        timeout = httpx2.Timeout(read_timeout, connect=self.connect_timeout)
        url, tls = self.base_url, self._tls
        return AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.api_key or "",  # None would mean: look into the environment
            max_retries=0,
            timeout=timeout,
            http_client=connect(url, tls=tls, timeout=timeout, downloads_from=downloads_from),
            _enforce_credentials=False,
        )

    def _options(
        self,
        headers: Mapping[str, str] | None = None,
        *,
        with_key: bool = True,
        follow_redirects: bool = True,
    ) -> openai.RequestOptions:
        # The SDK would take these from the environment.
        left_out = ["OpenAI-Organization", "OpenAI-Project"]
        if not (with_key and self.api_key):
            left_out.append("Authorization")
        return {
            "headers": {**(headers or {}), **{name: Omit() for name in left_out}},
            "security": {"bearer_auth": True},
            "follow_redirects": follow_redirects,
        }

    def _read(self, response: httpx2.Response) -> Reply:
        return replies.read(response, secret=self.api_key, now=self.clock())

    def _update(self, job: RemoteJob, ref: str) -> BackendUpdate:
        if job.word and job.state is None:
            self._note_strange(job.word)
        state = job.state or RemoteState.RUNNING
        return BackendUpdate(
            ref=ref,
            state=state,
            progress=job.progress,
            error=refusals.of_failure(job) if state is RemoteState.FAILED else None,
            cost=job.cost,
            expires_at=job.expires_at,
            result_url=job.result_url,
        )

    def _note_strange(self, word: str) -> None:
        if word in self._strange_words or len(self._strange_words) >= _MAX_STRANGE_WORDS:
            return
        self._strange_words.add(word)
        log.warning("backend.status_unknown backend=%s word=%r", self.name, word)


async def _of_any_status(request: Awaitable[httpx2.Response]) -> httpx2.Response:
    try:
        return await request
    except openai.APIStatusError as error:
        return error.response


def _reason(error: BaseException) -> str:
    wrapped = error.__cause__ if isinstance(error, openai.OpenAIError) else None
    return type(wrapped or error).__name__


def _form(request: VideoRequest) -> dict[str, str]:
    form = {"prompt": request.prompt, "seconds": str(request.seconds), "size": request.size}
    return form | ({"model": request.model} if request.model else {})


def _path(ref: str) -> str:
    return f"/videos/{quote(ref, safe='')}"
