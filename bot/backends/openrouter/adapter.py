"""The adapter for OpenRouter's video API.

The API signs its callbacks, but has no list of jobs and can't cancel a job.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.backends.base import BackendUpdate, Listing, Webhook
from bot.backends.capabilities import OPENROUTER, Capabilities
from bot.backends.openrouter import models, webhooks
from bot.backends.provider_api import ProviderApi
from bot.backends.responses import error_kinds
from bot.backends.responses.listing import with_hints
from bot.backends.transport.base import Request, Timeouts
from bot.backends.transport.plain_http import HttpTransport, bearer
from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.backends.base import AnsweredJob, StatusPage, VoiceSound
    from bot.backends.openrouter.models import ModelOffer
    from bot.media.mp4.reader import VideoInfo
    from bot.model import VideoRequest


@dataclass(kw_only=True, eq=False)
class OpenRouter:
    """The adapter for OpenRouter's video API.

    `base_url`: the server's address without `/videos`.
    `callback_url`: the https URL that receives a callback when a job has ended.
    `webhook_secrets`: the secrets with which callbacks are verified.
    `result_origins`: the origins from which videos may be downloaded, besides the server and public
    addresses.

    Raises ValueError if a webhook secret is empty.
    """

    base_url: str
    api_key: str | None = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    callback_url: str | None = None
    name: str = "openrouter"
    result_origins: tuple[str, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    clock: Callable[[], float] = time.time
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        self.capabilities = replace(OPENROUTER, webhooks=bool(self.webhook_secrets))
        self._keys = webhooks.signing_keys(self.webhook_secrets)
        self._api = ProviderApi(
            name=self.name,
            base_url=self.base_url,
            open_transport=lambda endpoint: HttpTransport(
                endpoint, credentials=bearer(self.api_key)
            ),
            secret=self.api_key,
            result_origins=self.result_origins,
            timeouts=self.timeouts,
            clock=self.clock,
            has_exact_lengths=lambda: self.capabilities.has_exact_lengths,
        )

    async def offers(self) -> tuple[ModelOffer, ...]:
        """Return the models with their formats and prices.

        Raises BackendError if the server returns no list of models.
        """
        reply = await self._api.ask(Request(method="GET", url="/videos/models"))
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)
        offers = models.offers_in(reply.answer)
        if not offers:
            raise BackendError(ErrorKind.TRANSIENT, "the answer lists no models")
        return offers

    async def check_key(self) -> None:
        """Check the API key with a request that costs nothing.

        Raises BackendError of kind AUTH if the key is refused.
        """
        reply = await self._api.ask(Request(method="GET", url="/key"))
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)

    async def submit(
        self,
        request: VideoRequest,
        *,
        create_key: str,  # noqa: ARG002 - the API has no idempotency key
        voice: VoiceSound | None = None,
    ) -> BackendUpdate:
        """Order the video with exactly one POST.

        The response may report that the video is already finished.
        """
        body = {
            "model": request.model,
            "prompt": request.prompt,
            "duration": request.seconds,
            "size": request.size,
            "callback_url": self.callback_url,
            "input_references": voice and [{"type": "audio_url", "audio_url": {"url": voice.url}}],
        }
        return await self._api.submit(
            Request(
                method="POST",
                url="/videos",
                body={name: value for name, value in body.items() if value is not None},
                follow_redirects=False,
            ),
            voice=voice,
        )

    async def poll(self, ref: str) -> BackendUpdate:
        """Return the state of a remote job."""
        return await self._api.poll(_path(ref), ref)

    async def list_statuses(
        self,
        after: str | None,  # noqa: ARG002 - there is no list
    ) -> StatusPage | None:
        """Return None, because the API has no list of jobs."""
        return None

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> VideoInfo | None:
        """Download the video to `sink` from the content route, or from the job's signed URL."""
        path = f"{_path(update.ref)}/content?index=0"
        return await self._api.fetch(
            path, update.result_url, sink, max_bytes=max_bytes, job_path=_path(update.ref)
        )

    async def find(
        self,
        request: VideoRequest | None,
        *,
        hints: tuple[str, ...] = (),
        answered: tuple[AnsweredJob, ...] = (),  # noqa: ARG002 - there is no list to show them
    ) -> Listing:
        """Return the jobs in `hints` that match the request.

        The result is never complete, because the API has no list of jobs.
        """
        none = Listing(refs=(), complete=False)
        return await with_hints(none, request, hints, lambda ref: self._api.retrieve(_path(ref)))

    async def cancel(self, ref: str) -> bool:  # noqa: ARG002 - there is no route for it
        """Return False, because the API can't cancel a job."""
        return False

    def check_webhook(self, headers: Mapping[str, str], *, now: float) -> None:
        """Check that a callback has a signature and a recent time."""
        webhooks.check(headers, now=self._api.provider_time(now))

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float, sent: bytes | None = None
    ) -> Webhook | None:
        """Verify a callback and return it, or return None if it is not about a video."""
        now = self._api.provider_time(now)
        webhooks.verify(headers, body, sent=sent, keys=self._keys, now=now)
        return webhooks.read(body)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


def _path(ref: str) -> str:
    return f"/videos/{quote(ref, safe='')}"
