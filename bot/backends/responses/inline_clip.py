"""Finds a base64 video in a JSON file of any size, without parsing the whole file."""

from __future__ import annotations

import base64
import binascii
import re
from itertools import islice
from typing import TYPE_CHECKING

from bot.backends.responses import clip_links, remote_job
from bot.media.clip_format import HEAD, demuxer_of

if TYPE_CHECKING:
    import mmap

_STRING = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_LONG = 2048
_DATA_URI = re.compile(rb"data:[\w/+.;=-]{0,100},")
_MARKER = "data:;base64,#"
_MAX_STRINGS = 20_000
_MAX_OUTLINE = 512 * 1024
_HEAD = -(-HEAD // 3) * 4


def start_of_clip(text: mmap.mmap) -> int | None:
    """Return the offset at which a base64 video begins, or None if there is no such video.

    Only fields that are meant for videos are considered.
    """
    starts: list[int] = []
    outline = _outline(text, starts)
    if outline is None:
        return None
    for _, value in clip_links.texts_of_clips(remote_job.parse(outline)):
        number = value.removeprefix(_MARKER)
        if value.startswith(_MARKER) and number.isdigit() and int(number) < len(starts):
            start = starts[int(number)]
            if is_clip(text[start : start + 2 * _HEAD]):
                return start
    return None


def is_clip(text: bytes) -> bool:
    """Tell whether a base64 text decodes to the beginning of a video."""
    try:
        head = base64.b64decode(text.replace(b"\\", b"")[:_HEAD], validate=True)
    except binascii.Error:
        return False
    return demuxer_of(head) is not None


def _outline(text: mmap.mmap, starts: list[int]) -> bytes | None:
    """Replace each long string in the JSON with a marker, and add its offset to `starts`.

    Returns None if the file has too many strings or remains too large.
    """
    pieces: list[bytes] = []
    position = size = 0
    for count, match in enumerate(islice(_STRING.finditer(text), _MAX_STRINGS + 1)):
        start, end = match.span(1)
        uri = _DATA_URI.match(text, start, min(end, start + 128))
        if end - start < _LONG and uri is None:
            continue
        pieces += (text[position:start], f"{_MARKER}{len(starts)}".encode())
        size += start - position
        if count == _MAX_STRINGS or size > _MAX_OUTLINE:
            return None
        starts.append(uri.end() if uri else start)
        position = end
    if len(text) - position > _MAX_OUTLINE:
        return None
    return b"".join([*pieces, text[position:]])
