"""The request to a provider, its response, and the protocol of the transports between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from bot.backends.transport.origins import ServerOrigin

_SUCCESS = range(200, 300)


class NoAnswerError(Exception):
    """No response has arrived, or only a part of one. The message is the name of the cause."""


class NeverSentError(NoAnswerError):
    """No byte of the request has reached the provider."""


class CutOffError(NoAnswerError):
    """The body ended before its announced length, or no more of it arrived in time."""


NO_ANSWER = (NoAnswerError, TimeoutError)
"""The errors of a request without a response: the transport's, and a caller's time-out."""


def reason_of(error: BaseException) -> str:
    """Return the name of an error's cause, without addresses and secrets."""
    return str(error) if isinstance(error, NoAnswerError) else type(error).__name__


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

    `body` is sent as JSON, unless `headers` sets another Content-Type. `stream`: whether the body
    of a successful response is left for the caller to read. Only the redirects of a GET are
    followed.
    """

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, object] | None = None
    with_key: bool = True
    follow_redirects: bool = True
    stream: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A provider's response. The names of its `headers` are case-insensitive.

    `content` is the body, unless the body was left for the caller. It then arrives in `chunks`,
    which raise NoAnswerError (CutOffError after the last bytes that arrived), and `close` ends the
    reading.
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
    """Sends requests to one provider. Adds the API key, and sends no create request twice."""

    async def send(self, request: Request) -> Answer:
        """Return the response, even with an error status; NoAnswerError: there is none."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The provider that a transport connects to, with the limits of its connections.

    `downloads_from`: for downloads, the origins that are allowed in addition to public addresses;
    None for all other requests. Successful downloads are not limited in size. `drop_inline_clips`:
    whether base64 clips are removed from other responses before their size is checked. Timeouts are
    in seconds.
    """

    base_url: str
    read_timeout: float
    connect_timeout: float
    downloads_from: frozenset[ServerOrigin] | None = None
    drop_inline_clips: bool = False
