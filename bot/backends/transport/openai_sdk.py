"""A transport that uses OpenAI's SDK, without its retries and additional headers.

The SDK forms the requests, and `HttpTransport` sends them. Over the connections of httpx, which the
SDK would use, each request would need twice as much CPU time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import openai
from openai import AsyncOpenAI, Omit

from bot.backends.transport import base
from bot.backends.transport.base import Answer, NoAnswerError
from bot.backends.transport.plain_http import HttpTransport, bearer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Container, Mapping

    from bot.backends.transport.base import Endpoint, Request, Transport

_MAX_REDIRECTS = 5
# `HttpTransport` sets these by itself.
_NOT_SENT = frozenset({"host", "connection", "content-length"})
# The first ones describe a body before it was decoded. httpx would send cookies back.
_NOT_READ = frozenset({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})


class OpenAITransports:
    """Opens transports. Downloads don't use the SDK, because it would parse no part of them."""

    def __init__(self, *, api_key: str | None) -> None:
        self._api_key = api_key

    def __call__(self, endpoint: Endpoint) -> Transport:
        """Open a transport to an endpoint."""
        if endpoint.downloads_from is not None:
            return HttpTransport(endpoint, credentials=bearer(self._api_key))
        return OpenAITransport(endpoint, api_key=self._api_key)


class OpenAITransport:
    """Sends requests through the SDK.

    If `api_key` is None, no Authorization header is sent.
    """

    def __init__(self, endpoint: Endpoint, *, api_key: str | None) -> None:
        self._has_key = bool(api_key)
        self._sdk = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=api_key or "",  # with None, the SDK would read the key from the environment
            max_retries=0,
            timeout=endpoint.read_timeout,
            http_client=httpx2.AsyncClient(
                transport=_Connections(HttpTransport(endpoint, credentials={})),
                trust_env=False,  # `HttpTransport` reads the proxies
                headers={"Accept-Encoding": "identity"},
                max_redirects=_MAX_REDIRECTS,
            ),
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
            raise NoAnswerError(type(error.__cause__ or error).__name__) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise NoAnswerError(type(error).__name__) from error

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


class _Connections(httpx2.AsyncBaseTransport):
    """Sends the SDK's requests through `HttpTransport`."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and return the complete response."""
        answer = await self._http.send(
            base.Request(
                method=request.method,
                url=str(request.url),
                headers=_without(_NOT_SENT, request.headers),
                content=await request.aread() or None,
                follow_redirects=False,
            )
        )
        return httpx2.Response(
            answer.status,
            headers=_encoded(_without(_NOT_READ, answer.headers)),
            content=answer.content,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close()


def _without(names: Container[str], headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as bytes, because httpx refuses strings that are not ASCII."""
    return [
        (name.encode(), value.encode(errors="surrogateescape")) for name, value in headers.items()
    ]


def _answer(response: httpx2.Response) -> Answer:
    return Answer(
        status=response.status_code,
        headers=response.headers,
        content=response.content,
        chunks=response.aiter_bytes(),
        close=response.aclose,
    )
