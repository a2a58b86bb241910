"""`POST /api/webhook/video-events`: verifies and stores webhooks for the workers."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import WebhookError
from bot.web.http.log_throttle import LogThrottle

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import VideoBackend
    from bot.jobs.changes.webhook_receiver import WebhookReceiver

log = logging.getLogger(__name__)

WEBHOOK_PATH = "/api/webhook/video-events"
_READ_SECONDS = 10.0
_LOG_SECONDS = 10.0


class Webhooks:
    """Receives the provider's webhooks, which are only hints: a job's state is always polled.

    `count` is called with each webhook's outcome: new, repeated, refused, or other.
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
        self._refusals = LogThrottle(interval=_LOG_SECONDS, clock=clock)

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route for webhooks."""
        return [web.post(WEBHOOK_PATH, self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        try:
            webhook = self._backend.parse_webhook(request.headers, body, now=self._clock())
        except WebhookError as error:
            self._count("refused")
            self._log_refusal(error)
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

    def _log_refusal(self, refusal: WebhookError) -> None:
        suppressed = self._refusals.admit()
        if suppressed is not None:
            log.warning("webhook.refused reason=%r suppressed=%d", str(refusal), suppressed)
