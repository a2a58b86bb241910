"""Defines a request to a provider, its response, and the protocol of the transports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from bot.backends.transport.origins import ServerOrigin

_SUCCESS = range(200, 300)


class NoAnswerError(Exception):
    """No complete response has arrived.

    The message is the name of the cause.
    """


class NeverSentError(NoAnswerError):
    """No byte of the request has reached the provider."""


class LateConnectionError(NeverSentError):
    """The process was paused while a connection was made, so the request is too late."""

    def __init__(self) -> None:
        super().__init__("LateConnection")


class CutOffError(NoAnswerError):
    """The body of a response ended too early, or the rest of the body did not arrive in time."""


NO_ANSWER = (NoAnswerError, TimeoutError)
"""The errors that mean that there is no complete response, including a caller's time-out."""


def reason_of(error: BaseException) -> str:
    """Return the name of an error's cause. The name contains no addresses and no secrets."""
    return str(error) if isinstance(error, NoAnswerError) else type(error).__name__


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """The time limits for a provider, in seconds.

    `content_pauses`: the pauses between attempts to download a video. Right after a job has
    completed, its video may still be missing.
    """

    connect: float = 5.0
    submit: float = 120.0
    answer: float = 30.0
    fetch: float = 900.0
    content_pauses: tuple[float, ...] = (1.0, 2.0, 4.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request to a provider.

    `url`: a path below the provider's base URL, or an absolute URL.
    `body`: sent as JSON, unless `headers` sets another Content-Type.
    `content`: the bytes of a body that is already encoded. If it is set, `body` must be None.
    `follow_redirects`: whether the redirects of a GET request are followed. Redirects of other
    requests are never followed.
    `stream`: whether the caller reads the body of a successful response itself.
    """

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, object] | None = None
    content: bytes | None = None
    with_key: bool = True
    follow_redirects: bool = True
    stream: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A provider's response. The names of its `headers` are case-insensitive.

    `content` is the whole body, unless the request asked for a stream. The caller then reads
    `chunks`, and calls `close` afterwards. Reading `chunks` can raise NoAnswerError, or CutOffError
    after the last bytes that arrived.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]

    @property
    def ok(self) -> bool:
        """Whether the status is a success."""
        return self.status in _SUCCESS


class Transport(Protocol):
    """Sends requests to one provider.

    It adds the API key, and never sends a create request twice.
    """

    async def send(self, request: Request) -> Answer:
        """Send a request, and return the response, even if its status is an error.

        Raises NoAnswerError if there is no response.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The provider that a transport connects to, and the limits of the connections.

    `downloads_from`: the origins from which downloads are allowed, besides public addresses. It is
    None for a transport that is not for downloads.
    `drop_inline_clips`: whether base64 clips are removed from a response before its size is
    checked. Successful downloads are not limited in size.
    `reuses_connections`: whether a connection serves several requests, one after the other.

    `read_timeout` and `connect_timeout` are in seconds.
    """

    base_url: str
    read_timeout: float
    connect_timeout: float
    downloads_from: frozenset[ServerOrigin] | None = None
    drop_inline_clips: bool = False
    reuses_connections: bool = True
