"""Services that are asked one question at a time: JSON for JSON, in bounded time and size."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx2

from bot.backends.provider_client import ProviderApi
from bot.backends.responses import error_kinds
from bot.backends.transport.base import Request, Timeouts
from bot.backends.transport.plain_http import HttpTransport, bearer
from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping


class JsonService:
    """What answers below `base_url` within `seconds`, if at all; nothing is asked twice.

    Without `api_key` no Authorization header is sent, and no redirect is followed with one.
    BackendError: there was no answer, or one that refuses.
    """

    def __init__(self, *, name: str, base_url: str, api_key: str | None, seconds: float) -> None:
        self._exchange = ProviderApi(
            name=name,
            base_url=base_url,
            open_wire=lambda ends: HttpTransport(ends, credentials=bearer(api_key)),
            secret=api_key,
            result_origins=(),
            patience=Timeouts(answer=seconds),
            tls=httpx2.create_ssl_context(),
            clock=time.time,
        )

    async def get(self, path: str) -> object:
        """Return what is at a path."""
        return await self._ask(Request(method="GET", url=path, follow_redirects=False))

    async def post(self, path: str, body: Mapping[str, object]) -> object:
        """Return what a path answers to a question."""
        return await self._ask(Request(method="POST", url=path, body=body, follow_redirects=False))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._exchange.close()

    async def _ask(self, request: Request) -> object:
        reply = await self._exchange.ask(request)
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)
        if reply.answer is None:
            raise BackendError(ErrorKind.TRANSIENT, "the answer is not JSON")
        return reply.answer
