"""The request to a provider, and the protocol of the transports that send it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import httpx2

from bot.backends.transport.connections import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ANSWER = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ssl.SSLError, TimeoutError)
"""The errors that a transport raises if there is no response."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """The longest waits for a provider, in seconds.

    `content_pauses` are the waits between attempts to download a video: right after a job has
    completed, its content may still be missing.
    """

    connect: float = 5.0
    submit: float = 120.0
    answer: float = 30.0
    fetch: float = 900.0
    content_pauses: tuple[float, ...] = (1.0, 2.0, 4.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request to a provider; `url` is a path below the provider's base URL, or an absolute URL.

    `body` is sent as JSON, unless `headers` sets another Content-Type. `stream`: the body of a
    successful response is left for the caller to read.
    """

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, object] | None = None
    with_key: bool = True
    follow_redirects: bool = True
    stream: bool = False


class Transport(Protocol):
    """A connection pool for one provider, which adds the API key and retries nothing."""

    async def send(self, request: Request) -> httpx2.Response:
        """Return the response, even with an error status; raise one of NO_ANSWER without one."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The provider that a transport connects to, with the limits of its connections.

    `downloads_from` is set only for downloads: the origins allowed in addition to public addresses.
    `drop_inline_clips`: base64 clips are removed from responses. Timeouts are in seconds.
    """

    base_url: str
    tls: ssl.SSLContext
    read_timeout: float
    connect_timeout: float
    downloads_from: frozenset[httpx2.Origin] | None = None
    drop_inline_clips: bool = False

    @property
    def timeout(self) -> httpx2.Timeout:
        """The timeouts of each request."""
        return httpx2.Timeout(self.read_timeout, connect=self.connect_timeout)

    def connect(self) -> httpx2.AsyncClient:
        """Open a connection pool."""
        return connect(
            self.base_url,
            tls=self.tls,
            timeout=self.timeout,
            downloads_from=self.downloads_from,
            drop_inline_clips=self.drop_inline_clips,
        )
