"""OpenRouter's video API: JSON, no list and no way to stop a job, and signed callbacks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx2

from bot.backends.base import BackendUpdate, Capabilities, Listing, Webhook
from bot.backends.openrouter import models, webhooks
from bot.backends.provider_client import ProviderApi
from bot.backends.responses import error_kinds
from bot.backends.responses.listing import listing_of, looked_up
from bot.backends.transport.base import Request, Timeouts
from bot.backends.transport.plain_http import HttpTransport, bearer
from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.backends.openrouter.models import ModelOffer
    from bot.model import VideoRequest


@dataclass(kw_only=True, eq=False)
class OpenRouter:
    """OpenRouter, or what speaks like it at `base_url`, which ends before `/videos`.

    Ends of jobs are told to `callback_url` (https), signed with one of `webhook_secrets`. Results
    come from the server, from public addresses, or from `result_origins`. ValueError: a webhook
    secret is empty.
    """

    base_url: str
    api_key: str | None = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    callback_url: str | None = None
    name: str = "openrouter"
    result_origins: tuple[str, ...] = ()
    patience: Timeouts = field(default_factory=Timeouts)
    tls: ssl.SSLContext = field(default_factory=httpx2.create_ssl_context, repr=False)
    clock: Callable[[], float] = time.time
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        self.capabilities = Capabilities(webhooks=bool(self.webhook_secrets))
        self._keys = webhooks.signing_keys(self.webhook_secrets)
        self._exchange = ProviderApi(
            name=self.name,
            base_url=self.base_url,
            open_wire=lambda ends: HttpTransport(ends, credentials=bearer(self.api_key)),
            secret=self.api_key,
            result_origins=self.result_origins,
            patience=self.patience,
            tls=self.tls,
            clock=self.clock,
        )

    async def offers(self) -> tuple[ModelOffer, ...]:
        """List the models, what they can make, and for how much; BackendError: there is no list."""
        reply = await self._exchange.ask(Request(method="GET", url="/videos/models"))
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)
        offers = models.offers_in(reply.answer)
        if not offers:
            raise BackendError(ErrorKind.TRANSIENT, "the answer lists no models")
        return offers

    async def check_key(self) -> None:
        """Ask about our key, which costs nothing; BackendError of kind AUTH: it is refused."""
        reply = await self._exchange.ask(Request(method="GET", url="/key"))
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)

    async def submit(
        self,
        request: VideoRequest,
        *,
        create_key: str,  # noqa: ARG002 - there is no header for it
    ) -> BackendUpdate:
        """Ask for the video with exactly one POST; its answer may already be the end."""
        body = {
            "model": request.model,
            "prompt": request.prompt,
            "duration": request.seconds,
            "size": request.size,
            "callback_url": self.callback_url,
        }
        return await self._exchange.submit(
            Request(
                method="POST",
                url="/videos",
                body={name: value for name, value in body.items() if value is not None},
                follow_redirects=False,
            )
        )

    async def poll(self, ref: str) -> BackendUpdate:
        """Tell how the remote job stands, under the ref that we know it by."""
        return await self._exchange.poll(_path(ref), ref)

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> None:
        """Stream the video into `sink`: the content route's bytes, or its signed copy."""
        path = f"{_path(update.ref)}/content?index=0"
        await self._exchange.fetch(path, update.result_url, sink, max_bytes=max_bytes)

    async def find(
        self, request: VideoRequest, *, since: float, hints: tuple[str, ...] = ()
    ) -> Listing:
        """Look up the hints; there is no list, so that absence never counts."""
        jobs = await looked_up({*hints}, lambda ref: self._exchange.retrieve(_path(ref)))
        return listing_of(jobs, request, since=since, complete=False)

    async def cancel(self, ref: str) -> bool:  # noqa: ARG002 - there is no route for it
        """Tell that nothing was stopped."""
        return False

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float
    ) -> Webhook | None:
        """Verify a callback and return which video it is about; None: it is about no video."""
        webhooks.verify(headers, body, keys=self._keys, now=now)
        return webhooks.read(body)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._exchange.close()


def _path(ref: str) -> str:
    return f"/videos/{quote(ref, safe='')}"
