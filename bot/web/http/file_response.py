"""Sends files over HTTP: in ranges, with an ETag, and a video under a name that can be read."""

from __future__ import annotations

import asyncio
import errno
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import ETag, hdrs, web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path
    from typing import BinaryIO

_NAME_CHARACTERS = 60
_NOT_IN_NAMES = re.compile(r"[^\w-]+")
_LOST = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}


async def open_file(path: Path) -> BinaryIO:
    """Open a file for `send_file`; OSError: it can't be."""
    return await asyncio.to_thread(path.open, "rb")


async def send_file(
    request: web.Request,
    file: BinaryIO,
    headers: Mapping[str, str],
    *,
    on_sent: Callable[[], Awaitable[None]] | None = None,
) -> web.StreamResponse:
    """Answer with a file, or with the part of it that is asked for.

    `on_sent` is called when all of it has gone out, in one answer. web.HTTPException: the request's
    conditions don't hold, or there is no such part; OSError,
    EOFError: it broke in the middle.
    """
    about = os.fstat(file.fileno())
    response = web.StreamResponse(headers=headers)
    tag = ETag(value=f"{about.st_mtime_ns:x}-{about.st_size:x}")
    response.etag = tag
    response.last_modified = about.st_mtime
    response.headers[hdrs.ACCEPT_RANGES] = "bytes"
    if _is_known(request, tag, about.st_mtime):
        response.set_status(web.HTTPNotModified.status_code)
        return response
    part = _part(request, tag, about)
    if part is None:
        part = range(about.st_size)
    else:
        response.set_status(web.HTTPPartialContent.status_code)
        span = f"bytes {part.start}-{part.stop - 1}/{about.st_size}"
        response.headers[hdrs.CONTENT_RANGE] = span
    response.content_length = len(part)
    if request.method == hdrs.METH_HEAD:
        return response
    await response.prepare(request)
    await _stream(request, file, part)
    await response.write_eof()
    # Who asks for the end may never have had the start: a part counts for nothing, and what
    # came in parts alone is kept for its days.
    if on_sent and len(part) == about.st_size:
        await on_sent()
    return response


def video_headers(prompt: str, *, inline: bool = False) -> dict[str, str]:
    """Return the headers of a video; it may be shown `inline`, or saved under its prompt's name."""
    return {
        hdrs.CONTENT_TYPE: "video/mp4",
        hdrs.CONTENT_DISPOSITION: _disposition(prompt, "inline" if inline else "attachment"),
        hdrs.CACHE_CONTROL: "private",
    }


async def is_whole(path: Path, size: int) -> bool:
    """Tell whether a file can be read, and has its size."""
    return await asyncio.to_thread(_has_size, path, size)


def _has_size(path: Path, size: int) -> bool:
    try:
        with path.open("rb") as file:
            return file.seek(0, 2) == size
    except OSError:
        return False


def _is_known(request: web.Request, tag: ETag, modified: float) -> bool:
    """Tell whether the caller has the file already; web.HTTPException: its condition fails."""
    if request.if_match is not None:
        if not _holds(tag, request.if_match):
            raise web.HTTPPreconditionFailed
    elif (until := request.if_unmodified_since) and modified > until.timestamp():
        raise web.HTTPPreconditionFailed
    if request.if_none_match is not None:
        return _holds(tag, request.if_none_match, weakly=True)
    since = request.if_modified_since
    return since is not None and modified <= since.timestamp()


def _holds(tag: ETag, given: tuple[ETag, ...], *, weakly: bool = False) -> bool:
    if [each.value for each in given] == ["*"]:
        return True
    return any(each.value == tag.value for each in given if weakly or not each.is_weak)


def _part(request: web.Request, tag: ETag, about: os.stat_result) -> range | None:
    """Return which bytes are asked for; None: all, without further ado."""
    if hdrs.RANGE not in request.headers or not _is_same(request, tag, about.st_mtime):
        return None
    try:
        asked = request.http_range
    except ValueError:
        asked = slice(about.st_size, None)
    part = range(about.st_size)[asked]
    if not part:
        headers = {hdrs.CONTENT_RANGE: f"bytes */{about.st_size}"}
        raise web.HTTPRequestRangeNotSatisfiable(headers=headers)
    return part


def _is_same(request: web.Request, tag: ETag, modified: float) -> bool:
    """Tell whether a part goes with the parts that the caller has."""
    given = request.headers.get(hdrs.IF_RANGE)
    if given is None or given == f'"{tag.value}"':
        return True
    at = request.if_range
    return at is not None and modified <= at.timestamp()


async def _stream(request: web.Request, file: BinaryIO, part: range) -> None:
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError
    if not part:
        return
    loop = asyncio.get_running_loop()
    try:
        sent = await loop.sendfile(transport, file, part.start, len(part))
    except OSError as error:
        if isinstance(error, ConnectionError) or error.errno in _LOST:
            transport.abort()
            raise ConnectionResetError from error
        raise
    if sent < len(part):
        raise EOFError("the file became shorter while it was sent")


def _disposition(prompt: str, kind: str) -> str:
    name = _NOT_IN_NAMES.sub("-", prompt)[:_NAME_CHARACTERS].strip("-") or "video"
    plain = re.sub(r"[^\x21-\x7e]+", "-", name).strip("-") or "video"
    return f"{kind}; filename=\"{plain}.mp4\"; filename*=UTF-8''{quote(name)}.mp4"
