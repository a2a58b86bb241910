"""`/api/session`: a browser signs in with an API token, and out again."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.web.api.authentication import COOKIE, SESSION_SECONDS
from bot.web.api.json_body import read_object
from bot.web.http.error_response import ApiError

if TYPE_CHECKING:
    from bot.web.api.access import Access
    from bot.web.api.authentication import Authentication


_MOST_BYTES = 4096


class SessionRoutes:
    """Exchanges a token for a cookie that no script can read and no other site sends."""

    def __init__(self, authentication: Authentication, access: Access) -> None:
        self._authentication = authentication
        self._access = access

    @property
    def routes(self) -> list[web.RouteDef]:
        """Where to sign in and out."""
        return [
            web.post("/api/session", self._access.edge(self._sign_in)),
            web.get("/api/session", self._access.closed(self._tell)),
            web.delete("/api/session", self._access.open(self._sign_out)),
        ]

    async def _sign_in(self, request: web.Request) -> web.Response:
        # A form of another site could sign somebody in as somebody else.
        if request.headers.get("Origin") and not self._authentication.is_own_page(request):
            self._access.note_stranger(request)
            raise ApiError(HTTPStatus.FORBIDDEN, "api.other_site")
        try:
            given = _token(await read_object(request, max_bytes=_MOST_BYTES))
        except ApiError:
            self._access.note_stranger(request)
            raise
        client = self._authentication.by_token(given)
        if client is None:
            self._access.turn_away(request)
        self._access.admit(client)
        response = web.json_response({"client": client})
        response.set_cookie(
            COOKIE,
            self._authentication.open_session(client),
            max_age=SESSION_SECONDS,
            path="/",
            httponly=True,
            secure=self._authentication.secure,
            samesite="Strict",
        )
        return response

    async def _tell(self, _: web.Request, client: str) -> web.Response:
        return web.json_response({"client": client})

    async def _sign_out(self, _: web.Request) -> web.Response:
        response = web.Response(status=HTTPStatus.NO_CONTENT)
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return response


def _token(fields: dict[str, Any]) -> str:
    token = fields.get("token")
    if not isinstance(token, str):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.no_token")
    return token
