"""The adapter for OpenAI's Videos API, and for servers that imitate it."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from bot.backends import standard_webhooks
from bot.backends.base import BackendUpdate, Listing, StatusPage, Webhook
from bot.backends.capabilities import OPENAI, Capabilities
from bot.backends.provider_api import ProviderApi
from bot.backends.responses import error_kinds, remote_job
from bot.backends.responses.listing import list_jobs, matching_listing, with_hints
from bot.backends.transport.base import Request, Timeouts
from bot.backends.transport.plain_http import HttpTransport, bearer
from bot.errors import BackendError, ErrorKind, WebhookError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.backends.base import AnsweredJob, VoiceSound
    from bot.backends.responses.remote_job import ListingPage
    from bot.backends.responses.replies import Reply
    from bot.backends.transport.base import Endpoint, Transport
    from bot.media.mp4.reader import VideoInfo
    from bot.model import VideoRequest

log = logging.getLogger(__name__)

_TYPES = {"multipart": "multipart/form-data", "json": "application/json"}
_NO_LISTING_STATUSES = frozenset({400, 404, 405, 501})
# A server responds with these statuses if the requested page is too large, or if it would begin
# after a job that has been deleted.
_REFUSED_PAGE_STATUSES = frozenset({400, 404, 422})
_STATUS_PAGES = (100, 50)
_NOT_FOUND = 404


@dataclass(kw_only=True, eq=False)
class OpenAIVideos:
    """The adapter for a server with OpenAI's Videos API.

    `base_url`: the server's address without `/videos`.
    `api_key`: sent in the Authorization header, or None to send no such header.
    `body`: the encoding of create requests. `extra`: additional fields of create requests.
    `result_origins`: the origins from which videos may be downloaded, besides the server and public
    addresses. An example is "http:

    10.0.0.2:9000".
    `open_transport`: opens the transport for requests, or is None to use aiohttp.
    `features`: the optional features of the server.

    Raises ValueError if a webhook secret is empty.
    """

    base_url: str
    api_key: str | None = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    name: str = "openai"
    idempotency_header: str | None = None
    body: Literal["multipart", "json"] = "multipart"
    extra: Mapping[str, object] = field(default_factory=dict[str, object])
    result_origins: tuple[str, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    open_transport: Callable[[Endpoint], Transport] | None = None
    clock: Callable[[], float] = time.time
    page_size: int = 50
    max_pages: int = 20
    features: Capabilities = OPENAI
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        self.capabilities = replace(self.features, webhooks=bool(self.webhook_secrets))
        self._status_page, self._smaller_status_page = _STATUS_PAGES
        self._keys = standard_webhooks.signing_keys(self.webhook_secrets)
        self._api = ProviderApi(
            name=self.name,
            base_url=self.base_url,
            open_transport=self.open_transport or self._open_light_transport,
            secret=self.api_key,
            result_origins=self.result_origins,
            timeouts=self.timeouts,
            clock=self.clock,
            has_exact_lengths=lambda: self.capabilities.has_exact_lengths,
        )

    async def models(self) -> frozenset[str] | None:
        """Return the names of the server's models, or None if the server doesn't list its models.

        Raises BackendError of kind AUTH if the server refuses the API key.
        """
        reply = await self._api.ask(Request(method="GET", url="/models"))
        if reply.ok:
            # A list of models has the same fields as a list of videos.
            page = remote_job.page_in(reply.answer)
            return frozenset(entry.ref for entry in page.jobs if entry.ref) if page else None
        error = error_kinds.of_job(reply.status, reply.answer)
        if error.kind is ErrorKind.AUTH:
            raise error
        return None

    async def submit(
        self, request: VideoRequest, *, create_key: str, voice: VoiceSound | None = None
    ) -> BackendUpdate:
        """Order the video with exactly one POST.

        The sound is sent in the field that vLLM-Omni defines for sounds.
        The response may report that the video is already finished.
        """
        fields = {**self.extra, **_fields(request)}
        if voice is not None:
            fields["audio_reference"] = {"audio_url": voice.url}
        headers = {"Content-Type": _TYPES[self.body]}
        if self.idempotency_header:
            headers[self.idempotency_header] = create_key
        return await self._api.submit(
            Request(
                method="POST",
                url="/videos",
                headers=headers,
                body=_form(fields) if self.body == "multipart" else fields,
                follow_redirects=False,
            ),
            voice=voice,
        )

    async def poll(self, ref: str) -> BackendUpdate:
        """Return the state of a remote job."""
        return await self._api.poll(_path(ref), ref)

    async def list_statuses(self, after: str | None) -> StatusPage | None:
        """Request 100 jobs at once, or 50 if the server refuses a page of 100."""
        reply = await self._list(after, self._status_page)
        if after is None and reply.status in _REFUSED_PAGE_STATUSES:
            reply = await self._list(None, self._smaller_status_page)
            if reply.ok:
                self._status_page = self._smaller_status_page
        if reply.ok:
            return self._api.status_page(reply)
        if after is not None and reply.status in _REFUSED_PAGE_STATUSES:
            return StatusPage(updates=())
        error = error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)
        if reply.status in _NO_LISTING_STATUSES and error.kind is not ErrorKind.AUTH:
            return None
        raise error

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> VideoInfo | None:
        """Download the video to `sink` from the content route, or from the job's link."""
        path = f"{_path(update.ref)}/content"
        return await self._api.fetch(
            path, update.result_url, sink, max_bytes=max_bytes, job_path=_path(update.ref)
        )

    async def find(
        self,
        request: VideoRequest | None,
        *,
        hints: tuple[str, ...] = (),
        answered: tuple[AnsweredJob, ...] = (),
    ) -> Listing:
        """Return the jobs in the server's list and in `hints` that match the request."""
        jobs, complete = await list_jobs(
            self._page_after, max_pages=self.max_pages, answered=answered
        )
        listing = matching_listing(jobs, request, complete=complete, answered=answered)
        unlisted = {*hints} - {job.ref for job in jobs}
        return await with_hints(
            listing, request, unlisted, lambda ref: self._api.retrieve(_path(ref))
        )

    async def cancel(self, ref: str) -> bool:
        """Delete the remote job.

        Returns True only if the server confirms the deletion.
        """
        try:
            reply = await self._api.ask(
                Request(method="DELETE", url=_path(ref), follow_redirects=False)
            )
        except BackendError as error:
            log.info("backend.cancel_failed backend=%s kind=%s", self.name, error.kind)
            return False
        if reply.status == _NOT_FOUND:
            return await self._is_gone(ref)
        return reply.ok and remote_job.is_deleted(reply.answer)

    def check_webhook(self, headers: Mapping[str, str], *, now: float) -> None:
        """Check that a webhook has a signature and a recent time."""
        standard_webhooks.check(headers, now=self._api.provider_time(now))

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float, sent: bytes | None = None
    ) -> Webhook | None:
        """Verify a webhook and return it, or return None if it is not about a video."""
        webhook_id = standard_webhooks.verify(
            headers, body, sent=sent, keys=self._keys, now=self._api.provider_time(now)
        )
        event = remote_job.event_in(body)
        if event is None:
            raise WebhookError("the signed body is not an event", status=400)
        kind, ref = event
        if not kind.startswith("video."):
            return None
        if ref is None:
            raise WebhookError("the event names no video", status=400)
        return Webhook(id=webhook_id, ref=ref)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    def _open_light_transport(self, endpoint: Endpoint) -> HttpTransport:
        return HttpTransport(endpoint, credentials=bearer(self.api_key))

    async def _is_gone(self, ref: str) -> bool:
        # If several servers share the address, one may respond with 404 when asked about a job that
        # another one runs.
        try:
            await self._api.retrieve(_path(ref))
        except BackendError as error:
            return error.kind is ErrorKind.GONE
        return False

    async def _page_after(self, ref: str | None) -> ListingPage | None:
        reply = await self._list(ref, self.page_size)
        if reply.status in _NO_LISTING_STATUSES:
            return None
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)
        return self._api.listing_page(reply)

    async def _list(self, after: str | None, limit: int) -> Reply:
        query = {"limit": str(limit), "order": "desc"} | ({"after": after} if after else {})
        return await self._api.ask(Request(method="GET", url="/videos", query=query))


def _fields(request: VideoRequest) -> dict[str, object]:
    # In JSON, `seconds` is a number, because Dynamo requires a number and accepts only JSON.
    fields = {"prompt": request.prompt, "seconds": request.seconds, "size": request.size}
    return {**fields, **({"model": request.model} if request.model else {})}


def _form(fields: Mapping[str, object]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in fields.items()
    }


def _path(ref: str) -> str:
    return f"/videos/{quote(ref, safe='')}"
