"""Reads a multipart form. The number of lines is limited, except in the contents of the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aiohttp import MultipartReader

if TYPE_CHECKING:
    from aiohttp import StreamReader, web

# A form with three fields takes 16 lines as a browser sends it.
_MAX_LINES = 64


def open_form(request: web.Request) -> MultipartReader:
    """Return a reader for the parts of a form.

    While aiohttp skips lines before the first part, no other task can run, so the lines are
    limited. Raises ValueError if the form is malformed or has too many lines.
    """
    return MultipartReader(request.headers, cast("StreamReader", _FewLines(request.content)))


class _FewLines:
    """Wraps a StreamReader, and limits the number of lines that are read.

    Has only the methods that MultipartReader needs.
    """

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
