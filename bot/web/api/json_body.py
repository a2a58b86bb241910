"""Reads a small JSON object from the body of a request."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from bot.web.http.error_response import ApiError

if TYPE_CHECKING:
    from aiohttp import web

_READ_SECONDS = 10.0


async def read_body(request: web.Request, *, max_bytes: int) -> bytes:
    """Return the body of a request.

    Raises ApiError if the body is too large or arrives too slowly.
    """
    body = b""
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > max_bytes:
                    raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "api.too_large")
    except TimeoutError:
        raise ApiError(HTTPStatus.REQUEST_TIMEOUT, "api.too_slow") from None
    return body


async def read_object(request: web.Request, *, max_bytes: int) -> dict[str, Any]:
    """Return the JSON object in the body of a request.

    Raises ApiError if the body is too large, arrives too slowly, or is not a JSON object.
    """
    try:
        found: object = json.loads(await read_body(request, max_bytes=max_bytes))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.not_json")
    return cast("dict[str, Any]", found)
