"""Opens a form, and limits the number of lines between its parts' contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aiohttp import MultipartReader

if TYPE_CHECKING:
    from aiohttp import StreamReader, web

# A browser's form with three fields has 16 lines.
_MAX_LINES = 64


def open_form(request: web.Request) -> MultipartReader:
    """Return the parts of a form; ValueError: it is malformed, or has too many lines.

    aiohttp skips any number of lines before the first part, and nothing else can run meanwhile.
    """
    return MultipartReader(request.headers, cast("StreamReader", _FewLines(request.content)))


class _FewLines:
    """The part of a StreamReader that reading a form needs, with a limit on the lines."""

    def __init__(self, content: StreamReader) -> None:
        self._content = content
        self._lines = 0
        self.read = content.read
        self.at_eof = content.at_eof
        self.unread_data = content.unread_data

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        self._lines += 1
        if self._lines > _MAX_LINES:
            raise ValueError("the form has too many lines")
        return await self._content.readline(max_line_length=max_line_length)
