"""Removes the base64 of clips from JSON responses as the bytes arrive, to save memory.

`ijson` is not used, because it yields values, while the rest of the response has to stay JSON text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Quotation marks in a JSON string are escaped, so this can only match a key or the beginning of a
# string.
_START = re.compile(
    rb'"(?:data|b64_json|b64|base64|video_base64|video_b64)"\s{0,16}:\s{0,16}"'
    rb'|(?<!\\)"data:[\w/+.-]{0,60}(?:;[\w=+.-]{0,30}){0,2};base64,'
)
_MAX_START = 200


async def without_clips(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield a JSON body without the base64 of clips.

    The value of a key such as `"data"` becomes an empty string. A data URI is cut off after its
    comma.
    """
    clips = _ClipFilter()
    async for chunk in chunks:
        if kept := clips.kept(chunk):
            yield kept
    if clips.held:
        yield clips.held


class _ClipFilter:
    """The state of the filter between two chunks. `held` may be the beginning of a clip."""

    def __init__(self) -> None:
        self.held = b""
        self._inside = False

    def kept(self, chunk: bytes) -> bytes:
        """Return the bytes of a chunk that are certainly not part of a clip.

        The end of the previous chunk is included if it was held back.
        """
        text, self.held = self.held + chunk, b""
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
                text, self.held = b"", text[edge:]
        return b"".join(kept)
