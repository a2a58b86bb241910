"""Counts the requests to Discord by route, without the ids and tokens in the path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION = re.compile(r"^/api/v\d+(?=/)")
# The token after an application's or an interaction's id gives access to its messages.
_TOKEN = re.compile(r"^(/(?:webhooks|interactions)/\d+)/[^/]+")
_ID = re.compile(r"/\d{5,}")


def route_of(path: str) -> str:
    """Return the route of a path, such as /channels/{id}/messages/{id}."""
    return _ID.sub("/{id}", _TOKEN.sub(r"\1/{token}", _VERSION.sub("", path)))


def trace_calls(note: Callable[[str, str, str], None]) -> aiohttp.TraceConfig:
    """Return a trace that calls `note` after each request with its method, route and outcome.

    The outcome is the status, or the type of the exception.
    """

    async def ended(
        _session: aiohttp.ClientSession, _context: object, call: aiohttp.TraceRequestEndParams
    ) -> None:
        note(call.method, route_of(call.url.path), str(call.response.status))

    async def failed(
        _session: aiohttp.ClientSession, _context: object, call: aiohttp.TraceRequestExceptionParams
    ) -> None:
        note(call.method, route_of(call.url.path), type(call.exception).__name__)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(ended)
    trace.on_request_exception.append(failed)
    return trace
