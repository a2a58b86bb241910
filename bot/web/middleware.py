"""The edge of the HTTP side: every error becomes an answer, and a bug becomes one log entry."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; media-src 'self'; sandbox",
}


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer 503 when the database can't, and 500 to a bug; the sender may try again."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(_HEADERS)
        raise
    except sqlite3.Error:
        log.exception("web.database_failed route=%s", _route(request))
        response = web.Response(status=503, text="try again later\n")
    except Exception:  # the edge
        log.exception("web.failed route=%s", _route(request))
        response = web.Response(status=500, text="internal error\n")
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


def _route(request: web.Request) -> str:
    # The pattern, not the path: a path may hold a signed link.
    resource = request.match_info.route.resource
    return resource.canonical if resource else "-"
