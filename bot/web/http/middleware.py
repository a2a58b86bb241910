"""The outermost middleware. It responds to every error, and logs each bug once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.errors import FileStoreError
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_REQUEST_ID = web.RequestKey("request_id", str)
_STARTED = web.RequestKey("started", web.StreamResponse)
_API = ("/api/", "/ws")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",  # crawlers may find shared links
    "Content-Security-Policy": "default-src 'none'; media-src 'self'; sandbox",
}


class ErrorMiddleware:
    """Responds with 503 after an error in the database, and with 500 after a bug.

    `refuse`: a function that creates the response if aiohttp itself refuses a request below `/api/`
    or `/ws`.
    """

    def __init__(self, refuse: Callable[[Exception, web.Request], web.Response] | None) -> None:
        self._refuse = refuse

    @web.middleware
    async def handle(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Call the handler, and turn an exception into a response."""
        request[_REQUEST_ID] = uuid4().hex
        try:
            return await handler(request)
        except web.HTTPException as error:
            if self._refuse and request.path.startswith(_API):
                return self._refuse(error, request)
            raise
        except StorageError:
            log.exception("web.database_failed %s", _log_fields(request))
            return abort_response(request) or web.Response(status=503, text="try again later\n")
        except FileStoreError as error:
            log.warning("web.store_failed %s error=%r", _log_fields(request), str(error))
            return abort_response(request) or web.Response(status=503, text="try again later\n")
        except Exception as error:  # a bug, for which there is one response and one log entry
            started = abort_response(request)
            if is_caller_fault(error, request):
                if started is None:
                    raise web.HTTPBadRequest from error
            else:
                log.exception("web.failed %s", _log_fields(request))
            return started or web.Response(status=500, text="internal error\n")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the default headers to a response before it is sent."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = request_id(request)
    request[_STARTED] = response
    if request.content.exception() is not None:
        # aiohttp would keep reading the broken body, and would log each error as a bug.
        request.content.feed_eof()
        response.force_close()


async def require_tls(_: web.Request, response: web.StreamResponse) -> None:
    """Tell browsers to use only TLS with this host for the next year."""
    response.headers["Strict-Transport-Security"] = "max-age=31536000"


def abort_response(request: web.Request) -> web.StreamResponse | None:
    """Abort a response that has started, and return it.

    Returns None if no response to the request has started.

    A second response on the same connection would look like a part of the first.
    """
    started = request.get(_STARTED)
    if started is not None and request.transport is not None:
        request.transport.abort()
    # aiohttp can't end a WebSocket that was not opened completely, so return a normal response.
    return web.Response() if isinstance(started, web.WebSocketResponse) else started


def request_id(request: web.Request) -> str:
    """Return the id of a request, which is also in the log and in the response."""
    return request.get(_REQUEST_ID, "-")


def is_caller_fault(error: Exception, request: web.Request) -> bool:
    """Tell whether the caller caused an error by sending a broken body or disconnecting."""
    if isinstance(error, ConnectionError):
        return request.transport is None or request.transport.is_closing()
    return isinstance(error, HttpProcessingError | web.RequestPayloadError)


def _log_fields(request: web.Request) -> str:
    # The route's pattern is logged instead of the path, which may contain a signed link.
    resource = request.match_info.route.resource
    return f"route={resource.canonical if resource else '-'} request={request_id(request)}"
