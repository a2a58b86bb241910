"""Connections to a provider: timeouts, proxies, and a limit on what is kept in memory."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import httpx2

from bot.backends.transport.address_guard import AddressGuard
from bot.backends.transport.clip_filter import ClipFilter

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
"""The errors that prove that no byte of the request has reached the provider."""

_MAX_ANSWER = 4 * 1024 * 1024
_MAX_COMPRESSED_ANSWER = _MAX_ANSWER // 64  # gzip can expand to a thousand times its size
_MAX_REDIRECTS = 5
_FIRST_NON_SUCCESS = 300


def connect(
    base_url: str,
    *,
    tls: ssl.SSLContext,
    timeout: httpx2.Timeout,
    downloads_from: frozenset[httpx2.Origin] | None = None,
    drop_inline_clips: bool = False,
) -> httpx2.AsyncClient:
    """Open a connection pool that limits the size of responses.

    With `downloads_from`, the pool is for downloads: it limits only the size of errors and
    redirects, and connects only to these origins and to public addresses. `drop_inline_clips`:
    base64 clips are removed from a response before its size is checked. The environment's proxy is
    used, except for loopback.
    """
    return httpx2.AsyncClient(
        verify=tls,
        timeout=timeout,
        follow_redirects=True,
        max_redirects=_MAX_REDIRECTS,
        trust_env=not _is_loopback(base_url),
        headers={"Accept-Encoding": "identity"},
        event_hooks=(
            {"response": [_limit_without_clips if drop_inline_clips else _limit]}
            if downloads_from is None
            else {"request": [AddressGuard(downloads_from)], "response": [_limit_errors]}
        ),
    )


async def _limit_errors(response: httpx2.Response) -> None:
    if response.status_code >= _FIRST_NON_SUCCESS:
        await _limit(response)


async def _limit_without_clips(response: httpx2.Response) -> None:
    compressed = "content-encoding" in response.headers
    if not compressed and isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = ClipFilter(response.stream)
    await _limit(response)


async def _limit(response: httpx2.Response) -> None:
    compressed = "content-encoding" in response.headers
    limit = _MAX_COMPRESSED_ANSWER if compressed else _MAX_ANSWER
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _LimitedBody(response.stream, limit)


class _LimitedBody(httpx2.AsyncByteStream):
    """A body that raises ReadError once it is larger than `limit` bytes."""

    def __init__(self, body: httpx2.AsyncByteStream, limit: int) -> None:
        self._body = body
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        async for chunk in self._body:
            left -= len(chunk)
            if left < 0:
                raise httpx2.ReadError(f"the answer is larger than {self._limit} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


def _is_loopback(url: str) -> bool:
    host = httpx2.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
