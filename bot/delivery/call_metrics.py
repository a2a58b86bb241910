"""Counts the requests to Discord, by their pattern: no id or token of anybody's is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION = re.compile(r"^/api/v\d+(?=/)")
# What follows an application's or an interaction's id, and opens its messages to whoever has it.
_TOKEN = re.compile(r"^(/(?:webhooks|interactions)/\d+)/[^/]+")
_ID = re.compile(r"/\d{5,}")


def route_of(path: str) -> str:
    """Return the pattern of a path, such as /channels/{id}/messages/{id}."""
    return _ID.sub("/{id}", _TOKEN.sub(r"\1/{token}", _VERSION.sub("", path)))


def trace_calls(note: Callable[[str, str, str], None]) -> aiohttp.TraceConfig:
    """Return what tells `note` of each request: its method, its route, and how it ended."""

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
