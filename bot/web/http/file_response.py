"""Sends files over HTTP, with ranges, an ETag and a readable file name.

aiohttp's FileResponse is not used. It opens the file after the handler has returned, which is too
late for a JSON error response. It also doesn't report whether the whole file was sent.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import ETag, hdrs, web

from bot.errors import FileStoreError
from bot.media.files.stores.remote_file import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path
    from typing import BinaryIO

_NAME_CHARACTERS = 60
_NOT_IN_NAMES = re.compile(r"[^\w-]+")
_RANGE = re.compile(r"(?P<first>\d{0,19})-(?P<last>\d{0,19})", re.ASCII)
_STORED_PART_BYTES = 1024 * 1024
_CONNECTION_LOST = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Version:
    """The ETag, size and time of a file, with which the headers of requests are compared."""

    tag: ETag
    size: int
    modified_at: float


async def open_file(path: Path) -> BinaryIO:
    """Open a file for `send_file`.

    Raises OSError if the file can't be opened.
    """
    return await asyncio.to_thread(path.open, "rb")


async def send_file(
    request: web.Request,
    file: BinaryIO,
    headers: Mapping[str, str],
    *,
    on_sent: Callable[[], Awaitable[None]] | None = None,
) -> web.StreamResponse:
    """Respond with a file, or with the range of it that the caller requested.

    `on_sent` is called after a response that contained the whole file.

    Raises web.HTTPException if a precondition of the request fails or the range doesn't exist.
    Raises OSError or EOFError if reading the file fails before its end.
    """
    stat = os.fstat(file.fileno())
    version = _Version(
        tag=ETag(value=f"{stat.st_mtime_ns:x}-{stat.st_size:x}"),
        size=stat.st_size,
        modified_at=stat.st_mtime,
    )
    return await _send(
        request, version, headers, lambda _, part: _send_part(request, file, part), on_sent
    )


async def send_stored(
    request: web.Request,
    stored: RemoteFile,
    headers: Mapping[str, str],
    *,
    on_sent: Callable[[], Awaitable[None]] | None = None,
) -> web.StreamResponse:
    """Respond like `send_file`, but read the file from its store while sending it.

    Only one part of the file is in memory at a time. Raises FileStoreError if the store can't be
    used.
    """
    version = _Version(
        tag=ETag(value=f"{int(stored.modified_at):x}-{stored.size:x}"),
        size=stored.size,
        modified_at=stored.modified_at,
    )

    async def send_part(response: web.StreamResponse, part: range) -> None:
        for start in range(part.start, part.stop, _STORED_PART_BYTES):
            stop = min(start + _STORED_PART_BYTES, part.stop)
            try:
                content = await stored.read(range(start, stop))
            except FileNotFoundError:
                raise FileStoreError("the file was deleted while it was sent") from None
            if len(content) != stop - start:
                raise FileStoreError("the file was replaced while it was sent")
            await response.write(content)

    return await _send(request, version, headers, send_part, on_sent)


async def _send(
    request: web.Request,
    version: _Version,
    headers: Mapping[str, str],
    send_part: Callable[[web.StreamResponse, range], Awaitable[None]],
    on_sent: Callable[[], Awaitable[None]] | None,
) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    response.etag = version.tag
    response.last_modified = version.modified_at
    response.headers[hdrs.ACCEPT_RANGES] = "bytes"
    if _is_not_modified(request, version):
        response.set_status(web.HTTPNotModified.status_code)
        return response
    part = _requested_range(request, version)
    if part is None:
        part = range(version.size)
    else:
        response.set_status(web.HTTPPartialContent.status_code)
        content_range = f"bytes {part.start}-{part.stop - 1}/{version.size}"
        response.headers[hdrs.CONTENT_RANGE] = content_range
    response.content_length = len(part)
    if request.method == hdrs.METH_HEAD:
        return response
    await response.prepare(request)
    await send_part(response, part)
    await response.write_eof()
    # A file only counts as delivered after one response with the whole file. A caller that requests
    # the last range may never have received the first one. A video that was only sent in ranges is
    # kept until it expires.
    if on_sent and len(part) == version.size:
        await on_sent()
    return response


def video_headers(prompt: str, *, inline: bool = False) -> dict[str, str]:
    """Return the response headers for a video. The file name is made from the prompt.

    `inline`: whether browsers should play the video instead of saving it.
    """
    return {
        hdrs.CONTENT_TYPE: "video/mp4",
        hdrs.CONTENT_DISPOSITION: _disposition(prompt, "inline" if inline else "attachment"),
        hdrs.CACHE_CONTROL: "private",
    }


def captions_headers() -> dict[str, str]:
    """Return the response headers for the captions of a video."""
    return {
        hdrs.CONTENT_TYPE: "text/vtt; charset=utf-8",
        hdrs.CACHE_CONTROL: "private, no-cache",
    }


async def is_intact(file: Path | RemoteFile, size: int) -> bool:
    """Tell whether a file can be opened and has the expected size."""
    if isinstance(file, RemoteFile):
        return file.size == size
    return await asyncio.to_thread(_has_size, file, size)


def _has_size(path: Path, size: int) -> bool:
    try:
        with path.open("rb") as file:
            return file.seek(0, 2) == size
    except OSError:
        return False


def _is_not_modified(request: web.Request, version: _Version) -> bool:
    """Tell whether the caller already has this version of the file.

    Raises HTTPException if a precondition of the request fails.
    """
    if request.if_match is not None:
        if not _matches(version.tag, request.if_match):
            raise web.HTTPPreconditionFailed
    elif (until := request.if_unmodified_since) and version.modified_at > until.timestamp():
        raise web.HTTPPreconditionFailed
    if request.if_none_match is not None:
        return _matches(version.tag, request.if_none_match, weakly=True)
    since = request.if_modified_since
    return since is not None and version.modified_at <= since.timestamp()


def _matches(tag: ETag, given: tuple[ETag, ...], *, weakly: bool = False) -> bool:
    if [each.value for each in given] == ["*"]:
        return True
    return any(each.value == tag.value for each in given if weakly or not each.is_weak)


def _requested_range(request: web.Request, version: _Version) -> range | None:
    """Return the byte range that the caller requested, or None for the whole file."""
    # HTTP defines ranges only for GET.
    if request.method != hdrs.METH_GET or not _allows_range(request, version):
        return None
    parts = _parse_ranges(request.headers.get(hdrs.RANGE, ""), version.size)
    if not parts:
        return None
    if not any(parts):
        headers = {hdrs.CONTENT_RANGE: f"bytes */{version.size}"}
        raise web.HTTPRequestRangeNotSatisfiable(headers=headers)
    # if several ranges are requested, the whole file is sent
    return parts[0] if len(parts) == 1 else None


def _parse_ranges(header: str, size: int) -> list[range]:
    """Return the requested ranges.

    Returns an empty list if the unit is unknown or a range is invalid.
    """
    unit, _, listed = header.partition("=")
    items = [item.strip(" \t") for item in listed.split(",")]
    found = [_RANGE.fullmatch(item) for item in items if item]
    if unit.strip().lower() != "bytes":
        return []
    parts: list[range] = []
    for match in found:
        if match is None or not (match["first"] or match["last"]):
            return []
        first, last = (int(digits) if digits else None for digits in match.group("first", "last"))
        if first is None:
            parts.append(range(max(0, size - (last or 0)), size))
        elif last is None or first <= last:
            parts.append(range(size)[first : None if last is None else last + 1])
        else:
            return []
    return parts


def _allows_range(request: web.Request, version: _Version) -> bool:
    """Tell whether the If-Range header permits sending only a range.

    The range may be sent if the header is missing, or if the caller has this version of the file.
    """
    given = request.headers.get(hdrs.IF_RANGE)
    if given is None or given == f'"{version.tag.value}"':
        return True
    at = request.if_range
    return at is not None and version.modified_at <= at.timestamp()


async def _send_part(request: web.Request, file: BinaryIO, part: range) -> None:
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError
    if not part:
        return
    loop = asyncio.get_running_loop()
    try:
        sent = await loop.sendfile(transport, file, part.start, len(part))
    except OSError as error:
        if isinstance(error, ConnectionError) or error.errno in _CONNECTION_LOST:
            transport.abort()
            raise ConnectionResetError from error
        raise
    if sent < len(part):
        raise EOFError("the file became shorter while it was sent")


def _disposition(prompt: str, kind: str) -> str:
    name = _NOT_IN_NAMES.sub("-", prompt)[:_NAME_CHARACTERS].strip("-") or "video"
    plain = re.sub(r"[^\x21-\x7e]+", "-", name).strip("-") or "video"
    return f"{kind}; filename=\"{plain}.mp4\"; filename*=UTF-8''{quote(name)}.mp4"
