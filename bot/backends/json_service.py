"""Sends requests to small JSON services, with limits on the time and size of responses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.backends.provider_api import ProviderApi
from bot.backends.responses import error_kinds
from bot.backends.transport.base import Request, Timeouts
from bot.backends.transport.plain_http import HttpTransport, bearer
from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping


class JsonService:
    """Sends requests to the service at `base_url`, and never repeats them.

    `api_key`: sent in the Authorization header, or None to send no such header.
    `seconds`: the time limit for each response.

    Redirects are not followed. Raises BackendError if the service refuses the request or gives no
    usable response.
    """

    def __init__(self, *, name: str, base_url: str, api_key: str | None, seconds: float) -> None:
        self._api = ProviderApi(
            name=name,
            base_url=base_url,
            open_transport=lambda endpoint: HttpTransport(endpoint, credentials=bearer(api_key)),
            secret=api_key,
            result_origins=(),
            timeouts=Timeouts(answer=seconds),
            clock=time.time,
            drop_inline_clips=False,
        )

    async def get(self, path: str) -> object:
        """Send a GET request, and return the parsed JSON of the response."""
        return await self._ask(Request(method="GET", url=path, follow_redirects=False))

    async def post(self, path: str, body: Mapping[str, object]) -> object:
        """Send a POST request with a JSON body, and return the parsed JSON of the response."""
        return await self._ask(Request(method="POST", url=path, body=body, follow_redirects=False))

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def _ask(self, request: Request) -> object:
        reply = await self._api.ask(request)
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)
        if reply.answer is None:
            raise BackendError(ErrorKind.TRANSIENT, "the answer is not JSON")
        return reply.answer
