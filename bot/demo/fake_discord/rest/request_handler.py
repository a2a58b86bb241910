"""Handles what all requests have in common: faults, body, rate limits, token, errors, history."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web

from bot.demo.fake_discord.api_errors import TOO_LARGE, UNAUTHORIZED, Refusal, RefusedError
from bot.demo.fake_discord.rest.faults import ConnectionCutError
from bot.demo.fake_discord.state.history import Recorded
from bot.demo.fake_discord.uploads import RequestBody
from bot.demo.fake_discord.wire import API

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler, Middleware

    from bot.demo.fake_discord.rest.faults import Fault, Faults
    from bot.demo.fake_discord.rest.rate_limits import RateLimits
    from bot.demo.fake_discord.state.history import History
    from bot.demo.fake_discord.uploads import Uploads

log = logging.getLogger(__name__)

BODY = web.RequestKey("body", RequestBody)
NO_BODY = RequestBody()
# The tokens in these paths authorise the requests, so the bot's own token is not required.
_WITHOUT_BOT_TOKEN = ("/webhooks/", "/interactions/", "/gateway")


class RequestHandler:
    """A middleware that wraps the handlers of the REST API."""

    def __init__(
        self,
        *,
        token: str,
        faults: Faults,
        rate_limits: RateLimits,
        history: History,
        uploads: Uploads,
        clock: Callable[[], float],
    ) -> None:
        self._token = token
        self._faults = faults
        self._rate_limits = rate_limits
        self._history = history
        self._uploads = uploads
        self._clock = clock

    def middleware(self) -> Middleware:
        """Return the handler as an aiohttp middleware."""

        @web.middleware
        async def request_handler(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await handler(request)
            return await self._serve(request, handler)

        return request_handler

    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        at, status = self._clock(), 0
        request[BODY] = NO_BODY
        try:
            answer = await self._answer(request, handler)
            status = answer.status
        except (ConnectionCutError, ConnectionError, web.RequestPayloadError):
            return web.Response()  # the connection is closed, so this response is never sent
        finally:
            self._record(request, at, status)
        return answer

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = self._faults.match(request.method, request.path.removeprefix(API))
        try:
            answer = await self._handle(request, handler, fault)
        except RefusedError as error:
            answer = _refusal(error.refusal)
        except web.HTTPException as error:
            answer = _refusal(Refusal(error.status, 0, f"{error.status}: {error.reason}"))
        try:
            await fault.on_answer(request)
        except RefusedError as error:
            answer = _refusal(error.refusal)
        path = request.path.removeprefix(API)
        for name, value in self._rate_limits.headers(
            request.method, path, _template(request)
        ).items():
            answer.headers.setdefault(name, value)
        return answer

    async def _handle(
        self, request: web.Request, handler: Handler, fault: Fault
    ) -> web.StreamResponse:
        await fault.on_arrival(request)
        request[BODY] = await self._uploads.read(request)
        await fault.on_handling(request)
        if request.path.startswith(API):
            self._rate_limits.acquire(request.method, request.path.removeprefix(API))
        if request[BODY].too_large:
            raise RefusedError(TOO_LARGE)
        if request.path.startswith(API):
            self._check_token(request)
        return await handler(request)

    def _check_token(self, request: web.Request) -> None:
        unknown = request.match_info.http_exception is not None
        if unknown or request.path.removeprefix(API).startswith(_WITHOUT_BOT_TOKEN):
            return
        if request.headers.get("Authorization") != f"Bot {self._token}":
            raise RefusedError(UNAUTHORIZED)

    def _record(self, request: web.Request, at: float, status: int) -> None:
        if not request.path.startswith(API):
            self._history.record_download(request.path)
            return
        headers = {k: v for k, v in request.headers.items() if k.lower() != "authorization"}
        body = request[BODY]
        recorded = Recorded(
            at=at,
            method=request.method,
            path=request.path.removeprefix(API),
            template=_template(request),
            query=dict(request.query),
            headers=headers,
            json=body.json,
            multipart=body.multipart,
            files=body.files,
            arrived=body is not NO_BODY,
            status=status,
        )
        log.info("sandbox.answered operation=%r status=%d", recorded.operation, status)
        self._history.record_request(recorded)


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    path = request.path if resource is None else resource.canonical
    return path.removeprefix(API)


def _refusal(refusal: Refusal) -> web.Response:
    answer = web.json_response(refusal.body(), status=refusal.status)
    # discord.py compares the whole header, so it must not contain a charset.
    answer.headers["Content-Type"] = "application/json"
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
        answer.headers["X-RateLimit-Reset-After"] = str(refusal.retry_after)
        answer.headers["X-RateLimit-Remaining"] = "0"
        answer.headers["X-RateLimit-Scope"] = "global" if refusal.is_global else "user"
        if refusal.is_global:
            answer.headers["X-RateLimit-Global"] = "true"
        # Without this header, discord.py takes the response for a ban by Cloudflare.
        answer.headers["Via"] = "1.1 sandbox"
    return answer
