"""The transport that uses aiohttp. OpenAI's SDK sends its requests through it too."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp

from bot.backends.transport.answer_limits import limited
from bot.backends.transport.base import Answer, CutOffError, NeverSentError, NoAnswerError
from bot.backends.transport.clip_filter import without_clips
from bot.backends.transport.guarded_resolver import GuardedResolver
from bot.backends.transport.origins import is_loopback, joined, origin_of, sendable
from bot.backends.transport.proxies import NO_PROXIES, EnvironmentProxies
from bot.backends.transport.quiet_connector import QuietConnector
from bot.backends.transport.request_body import encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.backends.transport.base import Endpoint, Request

# After these errors, no byte of the request was sent: the connection failed, or a proxy refused to
# make the connection.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)
_NO_ANSWER = (aiohttp.ClientError, OSError, ssl.SSLError, RuntimeError)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_MAX_HEADER = 32 * 1024  # a signed URL in the `Location` header can have several KiB
_KEEP_ALIVE_SECONDS = 4.0  # many servers close an idle connection after 5 s
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "Clapper"}


class HttpTransport:
    """Sends each request once.

    The headers in `credentials` are only sent to the provider's origin.
    """

    def __init__(self, endpoint: Endpoint, *, credentials: Mapping[str, str]) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._origin = origin_of(endpoint.base_url)
        is_local = is_loopback(self._origin.host)
        self._proxies = NO_PROXIES if is_local else EnvironmentProxies.of_environment()
        self._guard: GuardedResolver | None = None
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Answer:
        """Send a request, and return the response, even if its status is an error.

        Raises NoAnswerError if there is no response.
        """
        try:
            response = await self._follow(request)
            try:
                return await self._read(request, response)
            except BaseException:
                response.close()
                raise
        except _NEVER_SENT as error:
            raise NeverSentError(type(error).__name__) from error
        except _NO_ANSWER as error:
            raise NoAnswerError(type(error).__name__) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _read(self, request: Request, response: aiohttp.ClientResponse) -> Answer:
        async def close() -> None:
            response.close()

        chunks = _chunks(response)
        answer = Answer(
            status=response.status,
            headers=response.headers,
            content=b"",
            chunks=chunks,
            close=close,
        )
        if request.stream and answer.ok:
            return answer
        endpoint = self._endpoint
        if endpoint.downloads_from is None or not answer.ok:
            chunks = limited(without_clips(chunks) if endpoint.drop_inline_clips else chunks)
        return replace(answer, content=b"".join([chunk async for chunk in chunks]))

    async def _follow(self, request: Request) -> aiohttp.ClientResponse:
        url = self._url_of(request)
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._request(request, url)
            location = response.headers.get("Location")
            can_follow = request.method == "GET" and request.follow_redirects
            if not can_follow or response.status not in _REDIRECTS or not location:
                return response
            response.close()
            url = joined(url, location)
        raise NoAnswerError("TooManyRedirects")

    async def _request(self, request: Request, url: str) -> aiohttp.ClientResponse:
        session, target, origin = self._opened(), sendable(url), origin_of(url)
        proxy = self._proxies.url_for(origin)
        if self._guard is not None:
            self._guard.check(origin)
            if proxy is not None:
                self._guard.trust(origin_of(proxy))
        sent = {**_HEADERS, **request.headers}
        if request.with_key and origin == self._origin:
            sent |= self._credentials
        headers = {name.title(): value for name, value in sent.items()}
        if target.user is not None:
            headers.pop("Authorization", None)  # a password in the URL replaces the API key
        data = request.content
        if request.body is not None:
            data, headers["Content-Type"] = encode(request.body, headers.get("Content-Type"))
        return await session.request(
            request.method, target, headers=headers, data=data, proxy=proxy, allow_redirects=False
        )

    def _url_of(self, request: Request) -> str:
        if not request.url.startswith("/"):
            return request.url
        query = urlencode(request.query)
        return f"{self._endpoint.base_url}{request.url}{query and f'?{query}'}"

    def _opened(self) -> aiohttp.ClientSession:
        """Return the HTTP session.

        The session is opened at the first request, because aiohttp needs a running loop.
        """
        if self._session is None:
            endpoint = self._endpoint
            if endpoint.downloads_from is not None:
                self._guard = GuardedResolver(endpoint.downloads_from)
            session = aiohttp.ClientSession(
                connector=QuietConnector(
                    resolver=self._guard,
                    use_dns_cache=self._guard is None,
                    keepalive_timeout=_KEEP_ALIVE_SECONDS if endpoint.reuses_connections else None,
                    force_close=not endpoint.reuses_connections,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    connect=endpoint.connect_timeout, sock_read=endpoint.read_timeout
                ),
                max_line_size=_MAX_HEADER,
                max_field_size=_MAX_HEADER,
            )
            # aiohttp would repeat a failed GET or DELETE by itself, even over a new connection.
            session._retry_connection = False  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            self._session = session
        return self._session


def bearer(api_key: str | None) -> dict[str, str]:
    """Return the Authorization header for an API key, or no headers if `api_key` is None."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the chunks of a body as they arrive.

    If the body is cut off, all bytes that arrived before the cut are still yielded.
    """
    stream = response.content
    try:
        async for chunk in stream.iter_any():
            yield chunk
    except (aiohttp.ClientPayloadError, aiohttp.SocketTimeoutError) as error:
        # After an error, the stream's public methods would discard the bytes that arrived before
        # it.
        if rest := stream._read_nowait(-1):  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            yield rest
        raise CutOffError(type(error).__name__) from error
    except _NO_ANSWER as error:
        raise NoAnswerError(type(error).__name__) from error
