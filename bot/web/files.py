"""Sends a finished video over HTTP: in ranges, with an ETag, under a name that can be read."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from aiohttp.abc import AbstractStreamWriter

_NAME_CHARACTERS = 60
_WHOLE = re.compile(r"bytes 0-(?P<last>\d+)/(?P<size>\d+)")
_NOT_IN_NAMES = re.compile(r"[^\w-]+")


class VideoResponse(web.FileResponse):
    """The answer that sends a video; it may be shown `inline`, or saved under its prompt's name.

    `on_sent` is called when all of it has gone out, in one answer.
    """

    def __init__(
        self,
        path: Path,
        *,
        prompt: str,
        inline: bool = False,
        on_sent: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        headers = {
            hdrs.CONTENT_TYPE: "video/mp4",
            hdrs.CONTENT_DISPOSITION: _disposition(prompt, "inline" if inline else "attachment"),
            hdrs.CACHE_CONTROL: "private",
        }
        super().__init__(path, headers=headers)
        self._on_sent = on_sent

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it."""
        writer = await super().prepare(request)
        if self._on_sent and request.method == hdrs.METH_GET and self._is_all_of_it():
            await self._on_sent()
        return writer

    def _is_all_of_it(self) -> bool:
        if self.status == HTTPStatus.OK:
            return True
        # Who asks for the end may never have had the start: a part counts for nothing, and what
        # came in parts alone is kept for its days.
        span = _WHOLE.fullmatch(self.headers.get(hdrs.CONTENT_RANGE, ""))
        return span is not None and int(span["last"]) + 1 == int(span["size"])


async def is_whole(path: Path, size: int) -> bool:
    """Tell whether a file can be read, and has its size."""
    return await asyncio.to_thread(_has_size, path, size)


def _has_size(path: Path, size: int) -> bool:
    try:
        with path.open("rb") as file:
            return file.seek(0, 2) == size
    except OSError:
        return False


def _disposition(prompt: str, kind: str) -> str:
    name = _NOT_IN_NAMES.sub("-", prompt)[:_NAME_CHARACTERS].strip("-") or "video"
    plain = re.sub(r"[^\x21-\x7e]+", "-", name).strip("-") or "video"
    return f"{kind}; filename=\"{plain}.mp4\"; filename*=UTF-8''{quote(name)}.mp4"
