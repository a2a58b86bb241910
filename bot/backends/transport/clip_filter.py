"""Removes inline base64 clips from JSON responses as they arrive, to limit memory use.

`ijson` is not used, because it yields values, while the rest of a response must stay JSON text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Quotes inside a JSON string are escaped, so this matches only a key or the start of a string.
_START = re.compile(
    rb'"(?:data|b64_json|b64|base64|video_base64|video_b64)"\s{0,16}:\s{0,16}"'
    rb'|(?<!\\)"data:[\w/+.-]{0,60}(?:;[\w=+.-]{0,30}){0,2};base64,'
)
_MAX_START = 200


class ClipFilter(httpx2.AsyncByteStream):
    """A JSON body without its base64.

    The value of a key such as `"data"` becomes an empty string. A data URI ends after its comma.
    """

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body
        self._held = b""
        self._inside = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            if kept := self._kept(chunk):
                yield kept
        yield self._held

    async def aclose(self) -> None:
        """Close the body."""
        await self._body.aclose()

    def _kept(self, chunk: bytes) -> bytes:
        text, self._held = self._held + chunk, b""
        kept: list[bytes] = []
        while text:
            if self._inside:
                _, quote, text = text.partition(b'"')
                self._inside = not quote
                kept.append(quote)
            elif match := _START.search(text):
                kept.append(text[: match.end()])
                text = text[match.end() :]
                self._inside = True
            else:
                edge = max(len(text) - _MAX_START, 0)
                kept.append(text[:edge])
                text, self._held = b"", text[edge:]
        return b"".join(kept)
