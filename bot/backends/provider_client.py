"""What passes between an adapter and its provider: the one POST, questions, downloads."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import httpx2

from bot.backends.base import BackendUpdate, RemoteState
from bot.backends.responses import error_kinds, replies
from bot.backends.responses.content import ContentFetcher
from bot.backends.transport.base import NO_ANSWER, Endpoint, Request, Timeouts
from bot.backends.transport.connections import NEVER_SENT
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from bot.backends.responses.remote_job import RemoteJob
    from bot.backends.responses.replies import Reply
    from bot.backends.transport.base import Transport

log = logging.getLogger(__name__)

_MAX_STRANGE_WORDS = 32


@dataclass(kw_only=True, eq=False)
class ProviderApi:
    """Asks the provider at `base_url` over the wires that `open_wire` makes.

    The key, `secret`, is blotted out of every answer. Results come from the provider, from public
    addresses, or from `result_origins` ("http://10.0.0.2:9000"). `translate` puts what a dialect
    says in its own way into the fields that every answer is read by.
    """

    name: str
    base_url: str
    open_wire: Callable[[Endpoint], Transport]
    secret: str | None = field(repr=False)
    result_origins: tuple[str, ...]
    patience: Timeouts
    tls: ssl.SSLContext = field(repr=False)
    clock: Callable[[], float]
    translate: Callable[[object], object] | None = None

    def __post_init__(self) -> None:
        self._origin = httpx2.URL(self.base_url).origin
        trusted = (self.base_url, *self.result_origins)
        self._trusted = frozenset(httpx2.URL(url).origin for url in trusted)
        self._wire = self._open(self.patience.answer)
        self._strange_words: set[str] = set()

    async def submit(self, request: Request) -> BackendUpdate:
        """Send the one POST, and read the job in its answer, which may already be at its end.

        UnconfirmedSubmitError: it may have been taken. Any other BackendError: it was not.
        """
        reply = await self._create(request)
        if (job := reply.job) and job.ref:
            return self._update(job, job.ref)
        if reply.ok:
            raise UnconfirmedSubmitError("the answer to the create holds no readable id")
        raise error_kinds.of_create(reply.status, reply.answer, retry_after=reply.retry_after)

    async def poll(self, path: str, ref: str) -> BackendUpdate:
        """Tell how the job at `path` stands, under the ref that we know it by."""
        return self._update(await self.retrieve(path), ref)

    async def retrieve(self, path: str) -> RemoteJob:
        """Read the job at `path`."""
        reply = await self.ask(Request(method="GET", url=path))
        if reply.job:
            return reply.job
        if reply.ok:
            raise BackendError(ErrorKind.TRANSIENT, "the answer describes no job")
        raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)

    async def ask(self, request: Request) -> Reply:
        """Return an answer of any status; BackendError: there was none in time."""
        try:
            async with asyncio.timeout(self.patience.answer):
                return self._read(await self._wire.send(request))
        except NO_ANSWER as error:
            raise BackendError(ErrorKind.TRANSIENT, f"no answer: {_reason(error)}") from error

    async def fetch(
        self, path: str | None, result_url: str | None, sink: Path, *, max_bytes: int
    ) -> None:
        """Stream the video into `sink`: the content route's bytes, or what it points to.

        Without a `path` it is what lies at `result_url`.
        """
        # Connections of its own: after a body of false length, one can't be used again.
        wire = self._open(self.patience.answer, downloads_from=self._trusted)
        fetcher = ContentFetcher(
            ask=lambda url: self._stream(wire, url),
            sink=sink,
            max_bytes=max_bytes,
            pauses=self.patience.content_pauses,
        )
        try:
            async with asyncio.timeout(self.patience.fetch):
                await fetcher.fetch(path, result_url)
        except TimeoutError as error:
            raise BackendError(ErrorKind.TRANSIENT, "the download takes too long") from error
        finally:
            await wire.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._wire.close()

    async def _create(self, request: Request) -> Reply:
        # A connection of its own: a kept one may be dead already, which would leave a doubt.
        wire = self._open(self.patience.submit)
        try:
            async with asyncio.timeout(self.patience.submit):
                response = await wire.send(request)
        except NEVER_SENT as error:
            raise BackendError(ErrorKind.TRANSIENT, f"can't connect: {_reason(error)}") from error
        except NO_ANSWER as error:
            reason = _reason(error)
            raise UnconfirmedSubmitError(f"no answer to the create: {reason}") from error
        finally:
            await wire.close()
        return self._read(response)

    async def _stream(self, wire: Transport, url: str) -> httpx2.Response:
        try:
            address = httpx2.URL(url)
            ours = address.is_relative_url or address.origin == self._origin
            return await wire.send(Request(method="GET", url=url, with_key=ours, stream=True))
        except NO_ANSWER as error:
            raise BackendError(ErrorKind.TRANSIENT, f"no download: {_reason(error)}") from error

    def _open(
        self, read_timeout: float, *, downloads_from: frozenset[httpx2.Origin] | None = None
    ) -> Transport:
        return self.open_wire(
            Endpoint(
                base_url=self.base_url,
                tls=self.tls,
                read_timeout=read_timeout,
                connect_timeout=self.patience.connect,
                downloads_from=downloads_from,
            )
        )

    def _read(self, response: httpx2.Response) -> Reply:
        reply = replies.read(response, secret=self.secret, now=self.clock())
        if self.translate is None:
            return reply
        return replace(reply, answer=self.translate(reply.answer))

    def _update(self, job: RemoteJob, ref: str) -> BackendUpdate:
        if job.word and job.state is None:
            self._note_strange(job.word)
        state = job.state or RemoteState.RUNNING
        return BackendUpdate(
            ref=ref,
            state=state,
            progress=job.progress,
            error=error_kinds.of_failure(job) if state is RemoteState.FAILED else None,
            cost=job.cost,
            expires_at=job.expires_at,
            result_url=job.result_url,
        )

    def _note_strange(self, word: str) -> None:
        if word in self._strange_words or len(self._strange_words) >= _MAX_STRANGE_WORDS:
            return
        self._strange_words.add(word)
        log.warning("backend.status_unknown backend=%s word=%r", self.name, word)


def _reason(error: BaseException) -> str:
    return type(error).__name__
