"""Requests in the hands of OpenAI's own package, without what it adds and repeats by itself."""

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
    """A wire through the SDK; without a key no Authorization header is sent."""

    def __init__(self, ends: Endpoint, *, api_key: str | None) -> None:
        self._has_key = bool(api_key)
        self._client = AsyncOpenAI(
            base_url=ends.base_url,
            api_key=api_key or "",  # None would mean: look into the environment
            max_retries=0,
            timeout=ends.timeout,
            http_client=ends.connect(),
            _enforce_credentials=False,
        )

    async def send(self, request: Request) -> httpx2.Response:
        """Return the answer of whatever status; one of NO_ANSWER: there was none."""
        try:
            return await self._sent(request)
        except openai.APIStatusError as error:
            return error.response
        except openai.OpenAIError as error:
            raise _cause(error) from error

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    def _sent(self, request: Request) -> Awaitable[httpx2.Response]:
        options = self._options(request)
        match request.method:
            case "POST":
                body = dict(request.body or {})
                return self._client.post(
                    request.url, cast_to=httpx2.Response, body=body, options=options
                )
            case "DELETE":
                return self._client.delete(request.url, cast_to=httpx2.Response, options=options)
            case _ if request.stream:
                # The SDK hands a raw response over before it looks at the class of the stream.
                streamed = self._client.get(
                    request.url,
                    cast_to=httpx2.Response,
                    options=options,
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
                return cast("Awaitable[httpx2.Response]", streamed)
            case _:
                return self._client.get(request.url, cast_to=httpx2.Response, options=options)

    def _options(self, request: Request) -> openai.RequestOptions:
        # The SDK would take these from the environment.
        left_out = ["OpenAI-Organization", "OpenAI-Project"]
        if not (request.with_key and self._has_key):
            left_out.append("Authorization")
        return {
            "headers": {**request.headers, **{name: Omit() for name in left_out}},
            "params": request.query,
            "security": {"bearer_auth": True},
            "follow_redirects": request.follow_redirects,
        }


def _cause(error: openai.OpenAIError) -> BaseException:
    cause = error.__cause__
    return cause if isinstance(cause, NO_ANSWER) else httpx2.RequestError(type(error).__name__)
