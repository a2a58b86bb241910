"""Opens the connections of OpenAI's SDK, with time-outs, proxies and a limit on memory use."""

from __future__ import annotations

import ssl
from functools import partial
from typing import TYPE_CHECKING

import httpx2

from bot.backends.transport.answer_limits import MAX_ANSWER, limited
from bot.backends.transport.base import (
    LateConnectionError,
    NeverSentError,
    NoAnswerError,
)
from bot.backends.transport.clip_filter import without_clips
from bot.backends.transport.origins import is_loopback, origin_of
from bot.pacing import PostFence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.backends.transport.base import Endpoint

NO_ANSWER = (
    NoAnswerError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    ssl.SSLError,
    TimeoutError,
)
"""The errors that httpx raises if there is no complete response."""

_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
_MAX_COMPRESSED_ANSWER = MAX_ANSWER // 64  # gzip can expand to a thousand times its size
_MAX_REDIRECTS = 5


def connect(endpoint: Endpoint, *, tls: ssl.SSLContext) -> httpx2.AsyncClient:
    """Open a connection pool that limits the size of responses.

    The proxy in the environment is used, except for loopback addresses.
    """
    limit = partial(_limit, drop_inline_clips=endpoint.drop_inline_clips)
    return httpx2.AsyncClient(
        verify=tls,
        timeout=timeouts_of(endpoint),
        follow_redirects=True,
        max_redirects=_MAX_REDIRECTS,
        trust_env=not is_loopback(origin_of(endpoint.base_url).host),
        headers={"Accept-Encoding": "identity"},
        event_hooks={"request": [_add_fence], "response": [limit]},
    )


def timeouts_of(endpoint: Endpoint) -> httpx2.Timeout:
    """Return the time-outs that apply to each request."""
    return httpx2.Timeout(endpoint.read_timeout, connect=endpoint.connect_timeout)


def as_no_answer(error: BaseException) -> NoAnswerError:
    """Convert an error of one of the types in `NO_ANSWER` to a NoAnswerError."""
    if isinstance(error, NoAnswerError):
        return error
    reason = type(error).__name__
    return NeverSentError(reason) if isinstance(error, _NEVER_SENT) else NoAnswerError(reason)


async def _add_fence(request: httpx2.Request) -> None:
    if request.method == "POST":
        request.extensions = {**request.extensions, "trace": _Fence()}


class _Fence:
    """A trace hook that aborts a request if the process was paused while the connection was made.

    Raises LateConnectionError before the first byte is sent.
    """

    def __init__(self) -> None:
        self._fence = PostFence()
        self._since = self._fence.now()

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:  # noqa: ARG002 - as declared
        if event.endswith(".send_request_headers.started") and self._fence.is_too_late(self._since):
            raise LateConnectionError


async def _limit(response: httpx2.Response, *, drop_inline_clips: bool) -> None:
    """Limit the size of a response."""
    body = response.stream
    if not isinstance(body, httpx2.AsyncByteStream):
        return
    if "content-encoding" in response.headers:
        chunks = limited(aiter(body), _MAX_COMPRESSED_ANSWER)
    else:
        chunks = limited(without_clips(aiter(body)) if drop_inline_clips else aiter(body))
    response.stream = _ReplacedBody(body, chunks)


class _ReplacedBody(httpx2.AsyncByteStream):
    """The body of a response, with its content replaced by `chunks`."""

    def __init__(self, body: httpx2.AsyncByteStream, chunks: AsyncIterator[bytes]) -> None:
        self._body = body
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def aclose(self) -> None:
        await self._body.aclose()
