"""The way in for everything under `/api`: who asks, how often, and how errors are answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, NoReturn

from aiohttp import hdrs, web

from bot.web.http.error_response import ApiError
from bot.web.http.middleware import cut_off
from bot.web.http.rate_limit import Rate, RateLimiter

if TYPE_CHECKING:
    from bot.web.api.authentication import Authentication
    from bot.web.http.client_address import Proxies
    from bot.web.http.error_response import ErrorResponses

_OF_ADDRESS = Rate(burst=120, per_second=20)
_OF_CLIENT = Rate(burst=60, per_second=10)
# Twice what all sockets of a client, each with all the jobs that it may follow, begin with.
_SOCKETS_OF_CLIENT = Rate(burst=40, per_second=1)
_MESSAGES_OF_CLIENT = Rate(burst=2000, per_second=50)
# This is no lock: a right token always gets in, else whoever shares its address could keep it out,
# and so guesses are compared at any pace. What makes them hopeless is a token's length.
_OF_STRANGER = Rate(burst=20, per_second=0.2)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ClientHandler = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class Access:
    """Wraps handlers, so that they only meet those that may come in now.

    Who has a token is counted by it, wherever it comes from; everybody else by address.
    """

    def __init__(
        self,
        authentication: Authentication,
        refusals: ErrorResponses,
        *,
        proxies: Proxies,
        clock: Callable[[], float],
    ) -> None:
        self._authentication = authentication
        self._refusals = refusals
        self._proxies = proxies
        self._addresses = RateLimiter(_OF_ADDRESS, clock=clock)
        self._clients = RateLimiter(_OF_CLIENT, clock=clock)
        self._sockets = RateLimiter(_SOCKETS_OF_CLIENT, clock=clock)
        self._messages = RateLimiter(_MESSAGES_OF_CLIENT, clock=clock)
        self._strangers = RateLimiter(_OF_STRANGER, clock=clock)

    def edge(self, handler: Handler) -> Handler:
        """Let anybody in; the handler is to call `admit` or `turn_away` when it knows who it is."""

        async def enter(request: web.Request) -> web.StreamResponse:
            try:
                response = await handler(request)
            except Exception as error:  # noqa: BLE001 - the edge: a bug is one answer
                refusal = self._refusals.answer(error, request)
                response = cut_off(request) or refusal
            if not response.prepared:
                response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
            return response

        return enter

    def open(self, handler: Handler) -> Handler:
        """Let anybody in, who does not come too often."""

        async def enter(request: web.Request) -> web.StreamResponse:
            client = self._authentication.by_request(request)
            if client is None:
                self._note(request)
            else:
                self.admit(client)
            return await handler(request)

        return self.edge(enter)

    def closed(self, handler: ClientHandler) -> Handler:
        """Let clients in, and tell the handler which."""

        async def enter(request: web.Request) -> web.StreamResponse:
            client = self._authentication.by_request(request)
            if client is None:
                self.turn_away(request)
            self.admit(client)
            return await handler(request, client)

        return self.edge(enter)

    def admit(self, client: str) -> None:
        """Count a request of a client; ApiError: there were too many."""
        _check(self._clients.take(client))

    def admit_socket(self, client: str) -> None:
        """Count a socket of a client; ApiError: there were too many."""
        _check(self._sockets.take(client))

    def admit_message(self, client: str) -> None:
        """Count a message on a socket of a client; ApiError: there were too many."""
        _check(self._messages.take(client))

    def turn_away(self, request: web.Request) -> NoReturn:
        """Refuse somebody unknown; ApiError, always."""
        self.note_stranger(request)
        raise ApiError(HTTPStatus.UNAUTHORIZED, "api.unauthorized")

    def note_stranger(self, request: web.Request) -> None:
        """Count a wrong token; ApiError: there were too many from there."""
        self._note(request)
        _check(self._strangers.take(self._proxies.address_of(request)))

    def _note(self, request: web.Request) -> None:
        _check(self._addresses.take(self._proxies.address_of(request)))


def _check(seconds: float) -> None:
    if seconds:
        raise ApiError(HTTPStatus.TOO_MANY_REQUESTS, "api.too_often", seconds=ceil(seconds))
