"""Sends a webhook for each finished clip, and retries until the receiver responds with 2xx.

The webhooks are signed according to the Standard Webhooks specification.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storyboard.clip_store import Clip, ClipStore, WebhookNotice

log = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=10)


def sign(secret: str, *, event_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature` for a body.

    Raises StartupError if the secret does not consist of `whsec_` and base64.
    """
    signed = b"%s.%d.%s" % (event_id.encode(), timestamp, body)
    digest = hmac.digest(_key(secret), signed, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise StartupError("A webhook secret is whsec_ followed by base64.")
    return key


class WebhookSender:
    """Sends a webhook for each finished clip, and retries until it is accepted or the clip expires.

    `delays`: the seconds to wait after each failed attempt. The last delay is repeated.
    """

    def __init__(
        self,
        store: ClipStore,
        *,
        url: str,
        secret: str,
        clock: Callable[[], float],
        delays: tuple[float, ...],
    ) -> None:
        _key(secret)  # refuses an invalid secret at the start
        self._store = store
        self._url = url
        self._secret = secret
        self._clock = clock
        self._delays = delays
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Tell the sender that a clip was finished."""
        self._wake.set()

    async def run(self) -> None:
        """Send each webhook when it is due. Runs until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            while True:
                self._wake.clear()
                clip, notice = self._next()
                if clip is None or notice is None:
                    await self._wake.wait()
                elif (delay := notice.due_at - self._clock()) > 0:
                    await self._wait_for_wake(delay)
                else:
                    await self._send_due(session, clip, notice)

    async def _wait_for_wake(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _next(self) -> tuple[Clip, WebhookNotice] | tuple[None, None]:
        waiting = [(clip, clip.notice) for clip in self._store.all() if clip.notice]
        return min(waiting, key=lambda each: each[1].due_at, default=(None, None))

    async def _send_due(
        self, session: aiohttp.ClientSession, clip: Clip, notice: WebhookNotice
    ) -> None:
        try:
            await self._send(session, clip, notice)
        except OSError:
            log.exception("storyboard.webhook_unstored id=%s", clip.id)
            await asyncio.sleep(self._delays[-1])

    async def _send(
        self, session: aiohttp.ClientSession, clip: Clip, notice: WebhookNotice
    ) -> None:
        if await self._post(session, clip, notice):
            log.info("storyboard.webhook_sent id=%s tries=%d", clip.id, notice.attempts + 1)
            await self._store.update(replace(clip, notice=None))
            return
        delay = self._delays[min(notice.attempts, len(self._delays) - 1)]
        again = replace(notice, attempts=notice.attempts + 1, due_at=self._clock() + delay)
        await self._store.update(replace(clip, notice=again))

    async def _post(
        self, session: aiohttp.ClientSession, clip: Clip, notice: WebhookNotice
    ) -> bool:
        body = _body(clip, notice)
        timestamp = int(self._clock())
        headers = {
            "content-type": "application/json",
            "webhook-id": notice.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(
                self._secret, event_id=notice.event_id, timestamp=timestamp, body=body
            ),
        }
        try:
            async with session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
                    return True
                reason = f"HTTP {response.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = type(error).__name__
        log.warning("storyboard.webhook_failed id=%s reason=%s", clip.id, reason)
        return False


def _body(clip: Clip, notice: WebhookNotice) -> bytes:
    event = {
        "id": notice.event_id,
        "object": "event",
        "created_at": int(clip.completed_at or 0),
        "type": f"video.{clip.status}",
        "data": {"id": clip.id},
    }
    return json.dumps(event).encode()
