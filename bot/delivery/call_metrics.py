"""Counts requests to Discord by route, and reads the time that Discord's responses contain.

Routes contain neither ids nor tokens.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION = re.compile(r"^/api/v\d+(?=/)")
# The token in the path gives access to the interaction's messages, so it must not be recorded.
_TOKEN = re.compile(r"^(/(?:webhooks|interactions)/\d+)/[^/]+")
_ID = re.compile(r"/\d{5,}")


def route_of(path: str) -> str:
    """Return the route of a path. Its ids are replaced, as in /channels/{id}/messages/{id}."""
    return _ID.sub("/{id}", _TOKEN.sub(r"\1/{token}", _VERSION.sub("", path)))


class DeskIsLostError(aiohttp.ClientError):
    """Another process may be the desk, so this process sends nothing to Discord."""


def trace_calls(
    count_call: Callable[[str, str, str], None],
    report_time: Callable[[float], None],
    may_send: Callable[[], bool] = lambda: True,
) -> aiohttp.TraceConfig:
    """Return a trace that calls `count_call` with the method, route and outcome of each request.

    The outcome is the response's status, or the type of the exception that was raised.
    `report_time` receives the time in the response's `Date` header.
    `may_send`: if it returns False, the request fails with DeskIsLostError before it is sent.
    """

    async def started(
        _session: aiohttp.ClientSession, _context: object, _call: aiohttp.TraceRequestStartParams
    ) -> None:
        if not may_send():
            raise DeskIsLostError

    async def ended(
        _session: aiohttp.ClientSession, _context: object, call: aiohttp.TraceRequestEndParams
    ) -> None:
        count_call(call.method, route_of(call.url.path), str(call.response.status))
        if (server_time := date_of(call.response)) is not None:
            report_time(server_time)

    async def failed(
        _session: aiohttp.ClientSession, _context: object, call: aiohttp.TraceRequestExceptionParams
    ) -> None:
        count_call(call.method, route_of(call.url.path), type(call.exception).__name__)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(started)
    trace.on_request_end.append(ended)
    trace.on_request_exception.append(failed)
    return trace


def date_of(response: aiohttp.ClientResponse) -> float | None:
    """Return the response's `Date` header in Unix seconds, or None if it is missing or invalid."""
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
