"""One request to a provider, and the wire that carries it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import httpx2

from bot.backends.transport.connections import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ANSWER = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ssl.SSLError, TimeoutError)
"""What a wire raises instead of an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long a provider is waited for, in seconds.

    `content_pauses` are the waits before the content of a job that was just completed is asked for
    again.
    """

    connect: float = 5.0
    submit: float = 120.0
    answer: float = 30.0
    fetch: float = 900.0
    content_pauses: tuple[float, ...] = (1.0, 2.0, 4.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request; `url` is a path below the provider's base, or a whole address.

    `body` is sent as JSON, if no Content-Type says otherwise. `stream`: of an answer that is a
    success, the body is left to the caller.
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
    """A pool of connections to one provider that adds its key and repeats nothing."""

    async def send(self, request: Request) -> httpx2.Response:
        """Return the answer of whatever status; one of NO_ANSWER: there was none."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where a wire leads: `base_url`, and, for downloads, which origins beside public addresses.

    `clips_inside`: answers may hold clips, which are left out. `read_timeout` and
    `connect_timeout` are in seconds.
    """

    base_url: str
    tls: ssl.SSLContext
    read_timeout: float
    connect_timeout: float
    downloads_from: frozenset[httpx2.Origin] | None = None
    clips_inside: bool = False

    @property
    def timeout(self) -> httpx2.Timeout:
        """The time-outs of each request."""
        return httpx2.Timeout(self.read_timeout, connect=self.connect_timeout)

    def connect(self) -> httpx2.AsyncClient:
        """Open a pool of connections."""
        return connect(
            self.base_url,
            tls=self.tls,
            timeout=self.timeout,
            downloads_from=self.downloads_from,
            clips_inside=self.clips_inside,
        )
