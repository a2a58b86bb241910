"""Reads how a track of an MP4 is coded: the few fields that tell whether a player can show it."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.boxes import Box

if TYPE_CHECKING:
    from bot.media.mp4.boxes import Boxes

SAMPLE_TABLE = (b"mdia", b"minf", b"stbl")
"""Where a track's tables are."""

_MOST_ENTRY_BYTES = 4096
_MOST_TITLE = 200  # characters
_UPRIGHT = (1 << 16, 0, 0, 1 << 16)
_ES, _DECODER = 0x03, 0x04


def h264_profile(boxes: Boxes, trak: Box) -> int | None:
    """Return a picture's H.264 profile (66, 77 and 100 are 8-bit 4:2:0); None: it isn't H.264."""
    found = _after(boxes, trak, b"avcC")
    return found[1] if len(found) > 1 else None


def sound_object(boxes: Boxes, trak: Box) -> int | None:
    """Return a sound's MPEG-4 object type (0x40 is AAC, 0x69 and 0x6B are MP3), if it has one."""
    content = _after(boxes, trak, b"esds")[4:]
    with suppress(IndexError):
        kind, content = _descriptor(content)
        # Between the two: an id, and flags that nobody sets in an MP4.
        kind, content = _descriptor(content[3:]) if kind == _ES else (kind, content)
        if kind == _DECODER:
            return content[0]
    return None


def is_turned(matrix: bytes) -> bool:
    """Tell whether a track's matrix, of 9 numbers, changes the picture."""
    a, b, _u, c, d = struct.unpack_from(">5i", matrix)
    return (a, b, c, d) != _UPRIGHT


def read_title(boxes: Boxes, moov: Box) -> str | None:
    """Return the title that the clip gives itself, in one short line."""
    with suppress(MediaError, struct.error):
        meta = boxes.find(moov, b"udta", b"meta")
        if meta is not None:
            # Four bytes of version stand before its boxes.
            inner = Box(kind=meta.kind, start=meta.start + 4, end=meta.end)
            data = boxes.head(inner, b"ilst", b"\xa9nam", b"data", most=8 + 4 * _MOST_TITLE)
            text = " ".join(data[8:].decode("utf-8", errors="ignore").split())
            return "".join(letter for letter in text if letter.isprintable())[:_MOST_TITLE] or None
    return None


def _after(boxes: Boxes, trak: Box, kind: bytes) -> bytes:
    """Return what follows the letters of a box inside a track's first sample entry."""
    entry = boxes.head(trak, *SAMPLE_TABLE, b"stsd", most=_MOST_ENTRY_BYTES)
    return entry.partition(kind)[2]


def _descriptor(content: bytes) -> tuple[int, bytes]:
    start = 1
    while content[start] & 0x80:
        start += 1
    return content[0], content[start + 1 :]
