"""Reads the few fields of an MP4 track that decide whether a player supports its codec."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.boxes import Box

if TYPE_CHECKING:
    from bot.media.mp4.boxes import Boxes

SAMPLE_TABLE = (b"mdia", b"minf", b"stbl")
"""The path from a track to its sample tables."""

_MAX_ENTRY_BYTES = 4096
_MAX_TITLE = 200  # characters
_UPRIGHT = (1 << 16, 0, 0, 1 << 16)
_ES, _DECODER = 0x03, 0x04


def h264_profile(boxes: Boxes, trak: Box) -> int | None:
    """Return a track's H.264 profile (66, 77 and 100 are 8-bit 4:2:0); None: it isn't H.264."""
    found = _after(boxes, trak, b"avcC")
    return found[1] if len(found) > 1 else None


def sound_object(boxes: Boxes, trak: Box) -> int | None:
    """Return a track's MPEG-4 object type, or None (0x40 is AAC, 0x69 and 0x6B are MP3)."""
    content = _after(boxes, trak, b"esds")[4:]
    with suppress(IndexError):
        kind, content = _descriptor(content)
        # Skips the stream ID and the flags; MP4 files don't use the optional fields.
        kind, content = _descriptor(content[3:]) if kind == _ES else (kind, content)
        if kind == _DECODER:
            return content[0]
    return None


def is_rotated(matrix: bytes) -> bool:
    """Tell whether a track's 3x3 matrix rotates, mirrors or scales the picture."""
    a, b, _u, c, d = struct.unpack_from(">5i", matrix)
    return (a, b, c, d) != _UPRIGHT


def read_title(boxes: Boxes, moov: Box) -> str | None:
    """Return the title in the clip's metadata as one short line, or None."""
    with suppress(MediaError, struct.error):
        meta = boxes.find(moov, b"udta", b"meta")
        if meta is not None:
            # Four bytes of version and flags precede the boxes.
            inner = Box(kind=meta.kind, start=meta.start + 4, end=meta.end)
            data = boxes.head(inner, b"ilst", b"\xa9nam", b"data", max_bytes=8 + 4 * _MAX_TITLE)
            text = " ".join(data[8:].decode("utf-8", errors="ignore").split())
            return "".join(letter for letter in text if letter.isprintable())[:_MAX_TITLE] or None
    return None


def _after(boxes: Boxes, trak: Box, kind: bytes) -> bytes:
    """Return the bytes after the box type `kind` in a track's sample description."""
    entry = boxes.head(trak, *SAMPLE_TABLE, b"stsd", max_bytes=_MAX_ENTRY_BYTES)
    return entry.partition(kind)[2]


def _descriptor(content: bytes) -> tuple[int, bytes]:
    start = 1
    while content[start] & 0x80:
        start += 1
    return content[0], content[start + 1 :]
