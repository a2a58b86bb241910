"""A transport that uses OpenAI's SDK, without its retries and additional headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import openai
from openai import AsyncOpenAI, Omit

from bot.backends.transport.base import Answer
from bot.backends.transport.plain_http import HttpTransport, bearer
from bot.backends.transport.sdk_connections import NO_ANSWER, as_no_answer, connect, timeouts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from ssl import SSLContext

    from bot.backends.transport.base import Endpoint, NoAnswerError, Request, Transport


class OpenAITransports:
    """Opens transports that share one TLS context, because creating a context takes 20 ms.

    Downloads use aiohttp. The SDK parses no part of them, but needs 60 % more CPU time.
    """

    def __init__(self, *, api_key: str | None, tls: SSLContext | None = None) -> None:
        self._api_key = api_key
        self._tls = tls or httpx2.create_ssl_context()

    def __call__(self, endpoint: Endpoint) -> Transport:
        """Open a transport to an endpoint."""
        if endpoint.downloads_from is not None:
            return HttpTransport(endpoint, credentials=bearer(self._api_key))
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
        content=response.content,
        chunks=response.aiter_bytes(),
        close=response.aclose,
    )
