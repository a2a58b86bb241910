"""A transport that uses OpenAI's SDK, without its retries and additional headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, Omit

from bot.backends.transport.base import Answer
from bot.backends.transport.sdk_connections import NO_ANSWER, as_no_answer, connect, timeouts_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from ssl import SSLContext

    from bot.backends.transport.base import Endpoint, NoAnswerError, Request


class OpenAITransports:
    """Opens transports that share one TLS context, because creating a context takes 20 ms."""

    def __init__(self, *, api_key: str | None, tls: SSLContext | None = None) -> None:
        self._api_key = api_key
        self._tls = tls or httpx2.create_ssl_context()

    def __call__(self, endpoint: Endpoint) -> OpenAITransport:
        """Open a transport to an endpoint."""
        return OpenAITransport(endpoint, api_key=self._api_key, tls=self._tls)


class OpenAITransport:
    """Sends requests through the SDK.

    If `api_key` is None, no Authorization header is sent.
    """

    def __init__(self, endpoint: Endpoint, *, api_key: str | None, tls: SSLContext) -> None:
        self._has_key = bool(api_key)
        self._sdk = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=api_key or "",  # with None, the SDK would read the key from the environment
            max_retries=0,
            timeout=timeouts_of(endpoint),
            http_client=connect(endpoint, tls=tls),
            _enforce_credentials=False,
        )

    async def send(self, request: Request) -> Answer:
        """Send a request, and return the response, even if its status is an error.

        Raises NoAnswerError if there is no response.
        """
        try:
            return _answer(await self._sent(request))
        except openai.APIStatusError as error:
            return _answer(error.response)
        except openai.OpenAIError as error:
            raise _cause(error) from error
        except NO_ANSWER as error:
            raise as_no_answer(error) from error

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
                # With `cast_to=Response`, the SDK returns the response and ignores `stream_cls`.
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
        # The SDK would read these two headers from the environment.
        omitted = ["OpenAI-Organization", "OpenAI-Project"]
        if not (request.with_key and self._has_key):
            omitted.append("Authorization")
        return {
            "headers": {**request.headers, **{name: Omit() for name in omitted}},
            "params": request.query,
            "security": {"bearer_auth": True},
            "follow_redirects": request.follow_redirects,
        }


def _cause(error: openai.OpenAIError) -> NoAnswerError:
    cause = error.__cause__
    return as_no_answer(cause if isinstance(cause, NO_ANSWER) else error)


def _answer(response: httpx2.Response) -> Answer:
    return Answer(
        status=response.status_code,
        headers=response.headers,
        content=response.content if response.is_stream_consumed or response.is_closed else b"",
        chunks=_chunks(response),
        close=response.aclose,
    )


async def _chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except NO_ANSWER as error:
        raise as_no_answer(error, in_body=True) from error
