"""Refuses compressed bodies, except on routes that decompress them themselves.

aiohttp would decompress every body before a handler can check the request.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

_IDENTITY = "identity"
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
# Some senders add zlib's header to "deflate" and others don't, so both formats are tried.
_FORMATS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}


class CompressedBodyError(Exception):
    """A body is malformed (400), too large (413), or compressed in an unknown format (415)."""

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__(reason)
        self.status = status


class CompressedBodies:
    """Responds with 415 to requests that have a compressed body.

    `accepting`: the paths on which compressed bodies are allowed.
    """

    def __init__(self, *, accepting: Collection[str] = ()) -> None:
        self._accepting = frozenset(accepting)

    @web.middleware
    async def refuse(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Respond with 415 if the body is compressed. Otherwise, call the handler."""
        if content_encoding(request) and request.path not in self._accepting:
            raise web.HTTPUnsupportedMediaType(headers={hdrs.ACCEPT_ENCODING: _IDENTITY})
        return await handler(request)


def content_encoding(request: web.Request) -> str:
    """Return the content encodings of a body, separated by commas, or "" if there are none."""
    named = ",".join(request.headers.getall(hdrs.CONTENT_ENCODING, ())).lower().split(",")
    encodings = [name.strip() for name in named]
    return ",".join(name for name in encodings if name not in {"", _IDENTITY})


def inflate(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """Decompress a body that has one content encoding.

    Raises CompressedBodyError if the body is malformed, has an unknown encoding, or becomes larger
    than `max_bytes`.
    """
    formats = _FORMATS.get(encoding)
    if formats is None:
        raise CompressedBodyError("the content encoding is not supported", status=415)
    for window in formats:
        inflater = zlib.decompressobj(window)
        try:
            found = inflater.decompress(body, max_bytes + 1)
        except zlib.error:
            continue
        if len(found) > max_bytes:
            raise CompressedBodyError("the inflated body is too large", status=413)
        if inflater.eof and not inflater.unused_data:
            return found
    raise CompressedBodyError("the body does not match its content encoding", status=400)
