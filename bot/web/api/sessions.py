"""Handles `/api/session`, where a browser signs in with an API token and signs out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.web.api.json_body import read_object
from bot.web.api.page_sessions import SESSION_SECONDS
from bot.web.http.error_response import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.web.api.access import Access
    from bot.web.api.authentication import Authentication


_MAX_BODY_BYTES = 4096


class SessionRoutes:
    """Exchanges a token for a session cookie.

    Scripts can't read the cookie, and other sites can't make a browser send it.

    `on_end` is called when sessions are signed out, with the client and the session's hash. The
    hash is None if all sessions of the client were signed out.
    """

    def __init__(
        self,
        authentication: Authentication,
        access: Access,
        *,
        on_end: Callable[[str, str | None], Awaitable[None]],
    ) -> None:
        self._authentication = authentication
        self._access = access
        self._on_end = on_end

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes of `/api/session` and `/api/sessions`."""
        return [
            web.post("/api/session", self._access.unchecked(self._sign_in)),
            web.get("/api/session", self._access.authenticated(self._show)),
            web.delete("/api/session", self._access.public(self._sign_out)),
            web.delete("/api/sessions", self._access.authenticated(self._sign_out_everywhere)),
        ]

    async def _sign_in(self, request: web.Request) -> web.Response:
        # Refuse requests from other sites. A form on such a site could sign a visitor in as a
        # client of the attacker's choice.
        if request.headers.get("Origin") and not self._authentication.is_own_page(request):
            self._access.count_failure(request)
            raise ApiError(HTTPStatus.FORBIDDEN, "api.other_site")
        try:
            token = _token(await read_object(request, max_bytes=_MAX_BODY_BYTES))
        except ApiError:
            self._access.count_failure(request)
            raise
        client = self._authentication.by_token(token)
        if client is None:
            self._access.reject(request)
        self._access.count_request(client)
        response = web.json_response({"client": client})
        response.set_cookie(
            self._authentication.cookie,
            self._authentication.sessions.open(client),
            max_age=SESSION_SECONDS,
            path="/",
            httponly=True,
            secure=self._authentication.secure,
            samesite="Strict",
        )
        return response

    async def _show(self, _: web.Request, client: str) -> web.Response:
        return web.json_response({"client": client})

    async def _sign_out(self, request: web.Request) -> web.Response:
        session = self._authentication.session_of(request)
        if session is not None:
            await self._authentication.sessions.sign_out(session)
            await self._on_end(session.client, session.hash)
        return self._without_cookie()

    async def _sign_out_everywhere(self, _: web.Request, client: str) -> web.Response:
        await self._authentication.sessions.sign_out_everywhere(client)
        await self._on_end(client, None)
        return self._without_cookie()

    def _without_cookie(self) -> web.Response:
        response = web.Response(status=HTTPStatus.NO_CONTENT)
        response.del_cookie(
            self._authentication.cookie,
            path="/",
            httponly=True,
            secure=self._authentication.secure,
            samesite="Strict",
        )
        return response


def _token(fields: dict[str, Any]) -> str:
    token = fields.get("token")
    if not isinstance(token, str):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.no_token")
    return token
