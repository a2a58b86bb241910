"""Serves `/owner`, the page that shows the bot's spending to the holder of `OWNER_TOKEN`.

The page needs no script.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from aiohttp import hdrs, web

from bot.errors import MediaError
from bot.jobs.costs.spending import is_month
from bot.web.api.json_body import read_body
from bot.web.api.page_sessions import SESSION_SECONDS
from bot.web.http.error_response import ApiError, language
from bot.web.pages.assets import fill, load
from bot.web.pages.owner_tables import months, tables

if TYPE_CHECKING:
    from bot.delivery.spending.picture import SpendingPicture
    from bot.jobs.costs.spending import Names
    from bot.texts import Texts
    from bot.web.api.access import Access
    from bot.web.api.authentication import Authentication

_MAX_BODY_BYTES = 4096
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # Under the default policy, browsers send a form without its origin.
    "Referrer-Policy": "same-origin",
    hdrs.CACHE_CONTROL: "no-store",
    hdrs.VARY: f"{hdrs.ACCEPT_LANGUAGE}, {hdrs.COOKIE}",
}


class OwnerPage:
    """Shows the tables and the picture after sign-in, in the browser's language.

    `authentication` knows only the owner's token, and has a cookie and sessions of its own.
    """

    def __init__(
        self,
        authentication: Authentication,
        access: Access,
        picture: SpendingPicture,
        names: Names,
        texts: Texts,
    ) -> None:
        self._authentication = authentication
        self._access = access
        self._picture = picture
        self._names = names
        self._texts = texts
        self._page, self._sign_in_page = (
            load("owner_page.html").text,
            load("owner_sign_in.html").text,
        )
        self._style, self._icon = load("owner_page.css"), load("icon.svg")

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes of the page, its files and its forms."""
        return [
            web.get("/owner", self._access.public(self._show)),
            web.post("/owner/session", self._access.unchecked(self._sign_in)),
            web.post("/owner/sign-out", self._access.public(self._sign_out)),
            web.get("/owner/chart.png", self._access.authenticated(self._send_chart)),
            web.get("/owner/page.css", self._send_style),
            web.get("/owner/icon.svg", self._send_icon),
        ]

    async def _send_style(self, request: web.Request) -> web.Response:
        return self._style.response_to(request, {})

    async def _send_icon(self, request: web.Request) -> web.Response:
        return self._icon.response_to(request, {})

    async def _show(self, request: web.Request) -> web.Response:
        locale = language(request)
        if self._authentication.by_request(request) is None:
            return self._ask(locale)
        spending = await self._picture.read(_month(request), self._names, locale)
        values = {
            "language": self._texts.nearest(locale),
            "title": spending.figures.title,
            "summary": spending.figures.summary,
            "chart": f"owner/chart.png?month={spending.month}",
        }
        page = fill(
            self._page, lambda name: values[name] if name in values else self._texts(name, locale)
        )
        listed = sorted({spending.month, *spending.months}, reverse=True)
        links = months(self._texts("spending.months", locale), listed, spending.month)
        page = page.replace("[[months]]", links)
        return _html(page.replace("[[tables]]", tables(spending.figures)))

    async def _send_chart(self, request: web.Request, _: str) -> web.Response:
        spending = await self._picture.read(_month(request), self._names, language(request))
        try:
            picture = await self._picture.draw(spending)
        except MediaError as error:
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "api.unavailable") from error
        return web.Response(body=picture, content_type="image/png")

    async def _sign_in(self, request: web.Request) -> web.Response:
        try:
            owner = await self._recognise(request)
        except ApiError as error:
            return self._ask(language(request), error)
        response = _to_the_page()
        response.set_cookie(
            self._authentication.cookie,
            self._authentication.sessions.open(owner),
            max_age=SESSION_SECONDS,
            path="/",
            httponly=True,
            secure=self._authentication.secure,
            samesite="Strict",
        )
        return response

    async def _recognise(self, request: web.Request) -> str:
        """Return the name of the session's holder. Raises ApiError if the sign-in is refused."""
        # Otherwise, a page on another site could make visitors' browsers send guessed tokens.
        if not self._authentication.is_own_page(request):
            self._access.count_failure(request)
            raise ApiError(HTTPStatus.FORBIDDEN, "api.other_site")
        owner = self._authentication.by_token(await _token(request))
        if owner is None:
            self._access.reject(request)
        self._access.count_request(owner)
        return owner

    async def _sign_out(self, request: web.Request) -> web.Response:
        response = _to_the_page()
        session = self._authentication.session_of(request)
        if session is not None and self._authentication.by_request(request) is not None:
            await self._authentication.sessions.sign_out(session)
            response.del_cookie(
                self._authentication.cookie,
                path="/",
                httponly=True,
                secure=self._authentication.secure,
                samesite="Strict",
            )
        return response

    def _ask(self, locale: str, error: ApiError | None = None) -> web.Response:
        """Return the sign-in form.

        `error`: the error to show if the form was sent and refused.
        """
        values = {
            "language": self._texts.nearest(locale),
            "base": "../" if error else "./",
            "error": self._sentence(error, locale) if error else "",
        }
        page = fill(
            self._sign_in_page,
            lambda name: values[name] if name in values else self._texts(name, locale),
        )
        return _html(page, error.status if error else HTTPStatus.OK)

    def _sentence(self, error: ApiError, locale: str) -> str:
        if error.key == "api.unauthorized":
            return self._texts("spending.wrong_token", locale)
        return self._texts(error.key, locale, **error.fields)


def _month(request: web.Request) -> str | None:
    month = request.query.get("month")
    return month if month and is_month(month) else None


async def _token(request: web.Request) -> str:
    body = await read_body(request, max_bytes=_MAX_BODY_BYTES)
    try:
        fields = parse_qs(body.decode(errors="replace"), max_num_fields=4)
    except ValueError:  # more fields than the form has
        return ""
    return fields.get("token", [""])[0].strip()


def _html(page: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(
        text=page, status=status, content_type="text/html", charset="utf-8", headers=_HEADERS
    )


def _to_the_page() -> web.Response:
    # The location is relative, so that it works under any base address.
    headers = {hdrs.LOCATION: "../owner", "Referrer-Policy": "same-origin"}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)
