"""Unpacks a downloaded file: the clip itself, or JSON that contains the clip or a link to it."""

from __future__ import annotations

import base64
import binascii
import mmap
import re
from itertools import islice
from typing import TYPE_CHECKING

from bot.backends.responses import clip_links, inline_clip, remote_job
from bot.errors import MediaError
from bot.media.files.atomic import TooLargeError, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_JSON_WITH_LINK = 256 * 1024
_BASE64 = re.compile(rb'"(?:b64_json|data)"\s*:\s*"')
_HEAD = 64
_MAX_CLIPS = 64
_STEP = 1024 * 1024


def unpack(path: Path, *, max_bytes: int) -> str | None:
    """Replace a JSON file by the clip that it contains as base64, or return the link in the file.

    A file that contains neither is left unchanged. The function blocks the event loop.

    Raises MediaError if the base64 is malformed, and TooLargeError if the clip is larger than
    `max_bytes`.
    """
    if not _is_object(path):
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        start = inline_clip.start_of_clip(text)
        if start is None and len(text) <= _MAX_JSON_WITH_LINK:
            link = clip_links.find_link(remote_job.parse(text[:]))
            if link and link != clip_links.INLINE:
                return link
        start = _start_of_clip(text) if start is None else start
        if start is None:
            return None
        clip = part_of(path)
        _write(_decoded(text, start), clip, max_bytes)
    clip.replace(path)
    return None


def _is_object(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).lstrip()[:1] == b"{"


def _start_of_clip(text: mmap.mmap) -> int | None:
    """Return the offset of the first base64 string that contains a video.

    If no string contains a video, return the offset of the first base64 string, which `check_clip`
    will refuse.
    """
    starts = [match.end() for match in islice(_BASE64.finditer(text), _MAX_CLIPS)]
    clips = (start for start in starts if inline_clip.is_clip(text[start : start + _HEAD]))
    return next(clips, starts[0] if starts else None)


def _decoded(text: mmap.mmap, start: int) -> Iterator[bytes]:
    end = text.find(b'"', start)
    rest = b""
    try:
        for position in range(start, end, _STEP):
            # JSON may contain "\/" instead of "/".
            rest += text[position : min(position + _STEP, end)].replace(b"\\", b"")
            whole = len(rest) // 4 * 4
            yield base64.b64decode(rest[:whole], validate=True)
            rest = rest[whole:]
        base64.b64decode(rest, validate=True)
    except binascii.Error as error:
        raise MediaError("the video's base64 is broken") from error


def _write(pieces: Iterator[bytes], path: Path, max_bytes: int) -> None:
    try:
        with path.open("wb") as file:
            for piece in _at_most(max_bytes, pieces):
                file.write(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _at_most(max_bytes: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    left = max_bytes
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise TooLargeError(f"the video is larger than {max_bytes} bytes")
        yield piece
