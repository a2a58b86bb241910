"""Handles `POST /api/webhook/video-events`: verifies and stores the provider's webhooks."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import WebhookError
from bot.web.http.compressed_body import CompressedBodyError, content_encoding, inflate
from bot.web.http.server import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import VideoBackend, Webhook
    from bot.jobs.changes.webhook_receiver import WebhookReceiver

log = logging.getLogger(__name__)

WEBHOOK_PATH = "/api/webhook/video-events"
_READ_SECONDS = 10.0


class Webhooks:
    """Receives the provider's webhooks.

    A webhook is only a hint that makes the worker poll the job. Its content never changes a job.

    `count` is called with the outcome for each webhook: new, repeated, refused, or other.
    """

    def __init__(
        self,
        receiver: WebhookReceiver,
        backend: VideoBackend,
        *,
        count: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._receiver = receiver
        self._backend = backend
        self._count = count
        self._clock = clock

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route of the provider's webhooks."""
        return [web.post(WEBHOOK_PATH, self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            webhook = await self._read(request)
        except WebhookError as error:
            self._count("refused")
            log.warning("webhook.refused reason=%r", str(error))
            return web.Response(status=error.status, text=f"{error}\n")
        if webhook is None:
            self._count("other")
            return web.Response(text="not about a video\n")
        new = await self._receiver.receive(
            backend=self._backend.name, webhook_id=webhook.id, remote_id=webhook.ref
        )
        self._count("new" if new else "repeated")
        log.info("webhook.received ref=%s new=%s", webhook.ref, new)
        return web.Response(text="ok\n")

    async def _read(self, request: web.Request) -> Webhook | None:
        """Return the verified webhook, or None if its event is not about a video.

        The body is only read and decompressed if the headers show a recent signature.
        """
        now, encoding = self._clock(), content_encoding(request)
        self._backend.check_webhook(request.headers, now=now)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        if not encoding:
            return self._backend.parse_webhook(request.headers, body, now=now)
        try:
            inflated = inflate(body, encoding, max_bytes=MAX_BODY_BYTES)
        except CompressedBodyError as error:
            raise WebhookError(str(error), status=error.status) from error
        return self._backend.parse_webhook(request.headers, inflated, now=now, sent=body)
