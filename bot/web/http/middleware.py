"""The edge of the HTTP side: every error becomes an answer, and a bug becomes one log entry."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING
from uuid import uuid4

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_REQUEST_ID = web.RequestKey("request_id", str)
_BEGUN = web.RequestKey("begun", web.StreamResponse)
_API = ("/api/", "/ws")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",  # links find their way to crawlers
    "Content-Security-Policy": "default-src 'none'; media-src 'self'; sandbox",
}


class ErrorMiddleware:
    """Answers 503 when the database can't, and 500 to a bug; the sender may try again.

    What aiohttp itself refuses below the `api` is put into words by `refuse`.
    """

    def __init__(self, refuse: Callable[[Exception, web.Request], web.Response] | None) -> None:
        self._refuse = refuse

    @web.middleware
    async def watch(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let a request through, and answer what it raises."""
        request[_REQUEST_ID] = uuid4().hex
        try:
            return await handler(request)
        except web.HTTPException as error:
            if self._refuse and request.path.startswith(_API):
                return self._refuse(error, request)
            raise
        except sqlite3.Error:
            log.exception("web.database_failed %s", _names(request))
            return cut_off(request) or web.Response(status=503, text="try again later\n")
        except Exception as error:  # the edge: a bug is one answer and one log entry
            begun = cut_off(request)
            if is_client_fault(error, request):
                if begun is None:
                    raise web.HTTPBadRequest from error
            else:
                log.exception("web.failed %s", _names(request))
            return begun or web.Response(status=500, text="internal error\n")


async def seal(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer, just before it goes out, the headers that it has not set itself."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = id_of(request)
    request[_BEGUN] = response
    if request.content.exception() is not None:
        # Else aiohttp reads on in a body that is broken, and logs that as a bug.
        request.content.feed_eof()
        response.force_close()


def cut_off(request: web.Request) -> web.StreamResponse | None:
    """End the answer that has begun already, and return it; None: none has.

    A second answer would be read as the rest of the first.
    """
    begun = request.get(_BEGUN)
    if begun is not None and request.transport is not None:
        request.transport.abort()
    return begun


def id_of(request: web.Request) -> str:
    """Return what a request is called in the log, and in its answer."""
    return request.get(_REQUEST_ID, "-")


def is_client_fault(error: Exception, request: web.Request) -> bool:
    """Tell whether an error is the sender's: the body is broken, or nobody is there any more."""
    if isinstance(error, ConnectionError):
        return request.transport is None or request.transport.is_closing()
    return isinstance(error, HttpProcessingError | web.RequestPayloadError)


def _names(request: web.Request) -> str:
    # The pattern, not the path: a path may hold a signed link.
    resource = request.match_info.route.resource
    return f"route={resource.canonical if resource else '-'} request={id_of(request)}"
