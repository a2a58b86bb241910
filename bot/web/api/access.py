"""Authenticates and rate-limits requests below `/api`, and turns errors into responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, NoReturn

from aiohttp import hdrs, web

from bot.web.http.error_response import ApiError
from bot.web.http.middleware import abort_response
from bot.web.http.rate_limit import Rate, RateLimiter

if TYPE_CHECKING:
    from bot.web.api.authentication import Authentication
    from bot.web.http.caller_address import Proxies
    from bot.web.http.error_response import ErrorResponses

_ADDRESS_RATE = Rate(burst=120, per_second=20)
_CLIENT_RATE = Rate(burst=60, per_second=10)
# These bursts are twice as large as a client needs to open all its sockets and to follow every job
# on each of them.
_SOCKET_RATE = Rate(burst=40, per_second=1)
_MESSAGE_RATE = Rate(burst=2000, per_second=50)
# This limit applies to failed authentications. A valid token is always accepted: otherwise,
# failures from one address would lock out another user of that address. So the limit does not stop
# guesses of a token, and only the length of a token protects it.
_FAILURE_RATE = Rate(burst=20, per_second=0.2)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ClientHandler = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class Access:
    """Wraps request handlers with authentication and rate limits.

    Requests with a valid token are counted per client, and all others per address.
    """

    def __init__(
        self,
        authentication: Authentication,
        errors: ErrorResponses,
        *,
        proxies: Proxies,
        clock: Callable[[], float],
    ) -> None:
        self._authentication = authentication
        self._errors = errors
        self._proxies = proxies
        self._addresses = RateLimiter(_ADDRESS_RATE, clock=clock)
        self._clients = RateLimiter(_CLIENT_RATE, clock=clock)
        self._sockets = RateLimiter(_SOCKET_RATE, clock=clock)
        self._messages = RateLimiter(_MESSAGE_RATE, clock=clock)
        self._failures = RateLimiter(_FAILURE_RATE, clock=clock)

    def unchecked(self, handler: Handler) -> Handler:
        """Wrap a handler that authenticates and counts requests itself.

        The wrapper only turns errors into responses.
        """

        async def wrapper(request: web.Request) -> web.StreamResponse:
            try:
                response = await handler(request)
            except Exception as error:  # noqa: BLE001 - every error is answered here
                answer = self._errors.response_to(error, request)
                response = abort_response(request) or answer
            if not response.prepared:
                response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
            return response

        return wrapper

    def public(self, handler: Handler) -> Handler:
        """Wrap a handler, so that requests are rate-limited but need no token."""

        async def wrapper(request: web.Request) -> web.StreamResponse:
            client = self._authentication.by_request(request)
            if client is None:
                self._count_address(request)
            else:
                self.count_request(client)
            return await handler(request)

        return self.unchecked(wrapper)

    def authenticated(self, handler: ClientHandler) -> Handler:
        """Wrap a handler, so that requests are rate-limited and need a token.

        The handler gets the name of the client.
        """

        async def wrapper(request: web.Request) -> web.StreamResponse:
            client = self._authentication.by_request(request)
            if client is None:
                self.reject(request)
            self.count_request(client)
            return await handler(request, client)

        return self.unchecked(wrapper)

    def count_request(self, client: str) -> None:
        """Count a request of a client.

        Raises ApiError if the client has sent too many.
        """
        _check(self._clients.take(client))

    def count_socket(self, client: str) -> None:
        """Count a new WebSocket of a client.

        Raises ApiError if the client has opened too many.
        """
        _check(self._sockets.take(client))

    def count_message(self, client: str) -> None:
        """Count a client's message on a WebSocket.

        Raises ApiError if the client has sent too many.
        """
        _check(self._messages.take(client))

    def reject(self, request: web.Request) -> NoReturn:
        """Count a failed authentication, and raise ApiError."""
        self.count_failure(request)
        raise ApiError(HTTPStatus.UNAUTHORIZED, "api.unauthorized")

    def count_failure(self, request: web.Request) -> None:
        """Count a failed authentication.

        Raises ApiError if there were too many from the same address.
        """
        self._count_address(request)
        _check(self._failures.take(self._proxies.address_of(request)))

    def _count_address(self, request: web.Request) -> None:
        _check(self._addresses.take(self._proxies.address_of(request)))


def _check(seconds: float) -> None:
    if seconds:
        raise ApiError(HTTPStatus.TOO_MANY_REQUESTS, "api.too_often", seconds=ceil(seconds))
