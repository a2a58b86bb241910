"""A transport through OpenAI's SDK, without its retries and without its extra headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, Omit

from bot.backends.transport.base import NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.backends.transport.base import Endpoint, Request


class OpenAITransport:
    """Sends requests through the SDK; without a key, no Authorization header is sent."""

    def __init__(self, endpoint: Endpoint, *, api_key: str | None) -> None:
        self._has_key = bool(api_key)
        self._sdk = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=api_key or "",  # None would make the SDK read the environment
            max_retries=0,
            timeout=endpoint.timeout,
            http_client=endpoint.connect(),
            _enforce_credentials=False,
        )

    async def send(self, request: Request) -> httpx2.Response:
        """Return the response, even with an error status; raise one of NO_ANSWER without one."""
        try:
            return await self._sent(request)
        except openai.APIStatusError as error:
            return error.response
        except openai.OpenAIError as error:
            raise _cause(error) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._sdk.close()

    def _sent(self, request: Request) -> Awaitable[httpx2.Response]:
        options = self._options(request)
        match request.method:
            case "POST":
                body = dict(request.body or {})
                return self._sdk.post(
                    request.url, cast_to=httpx2.Response, body=body, options=options
                )
            case "DELETE":
                return self._sdk.delete(request.url, cast_to=httpx2.Response, options=options)
            case _ if request.stream:
                # With `cast_to=Response` the SDK returns the response and ignores `stream_cls`.
                streamed = self._sdk.get(
                    request.url,
                    cast_to=httpx2.Response,
                    options=options,
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
                return cast("Awaitable[httpx2.Response]", streamed)
            case _:
                return self._sdk.get(request.url, cast_to=httpx2.Response, options=options)

    def _options(self, request: Request) -> openai.RequestOptions:
        # The SDK would set these two from the environment.
        omitted = ["OpenAI-Organization", "OpenAI-Project"]
        if not (request.with_key and self._has_key):
            omitted.append("Authorization")
        return {
            "headers": {**request.headers, **{name: Omit() for name in omitted}},
            "params": request.query,
            "security": {"bearer_auth": True},
            "follow_redirects": request.follow_redirects,
        }


def _cause(error: openai.OpenAIError) -> BaseException:
    cause = error.__cause__
    return cause if isinstance(cause, NO_ANSWER) else httpx2.RequestError(type(error).__name__)
