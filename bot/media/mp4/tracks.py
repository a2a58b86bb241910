"""Reads the fields of an MP4 track that decide whether players support its format."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.boxes import Box

if TYPE_CHECKING:
    from bot.media.mp4.boxes import Boxes

SAMPLE_TABLE = (b"mdia", b"minf", b"stbl")
"""The path from a track's box to its sample table."""

_MAX_ENTRY_BYTES = 4096
_MAX_DESCRIPTIONS = 100
_COLR_BYTES = 8
_MAX_TITLE = 200  # characters
_UPRIGHT = (1 << 16, 0, 0, 1 << 16)
_ES, _DECODER = 0x03, 0x04


def sample_entry(boxes: Boxes, trak: Box, number: int) -> bytes:
    """Return the content of the sample description with this number, starting at 1."""
    stsd = boxes.find(trak, *SAMPLE_TABLE, b"stsd")
    if stsd is None:
        raise MediaError("the clip's index lacks stsd")
    entries = Box(kind=stsd.kind, begin=stsd.begin, start=stsd.start + 8, end=stsd.end)
    found = None
    for count, box in enumerate(boxes.inside(entries), start=1):
        if count in {1, number}:
            found = box
        if count >= min(number, _MAX_DESCRIPTIONS):
            break
    if found is None:
        raise MediaError("the clip's index lacks a sample description")
    return boxes.at(found.begin, min(found.end - found.begin, _MAX_ENTRY_BYTES))


def colours_in(entry: bytes) -> tuple[int, int] | None:
    """Return the primaries and the transfer function, or None if there is no `colr` box.

    `entry`: the sample description that contains the box.
    """
    content = entry.partition(b"colr")[2]
    if content[:4] not in (b"nclx", b"nclc") or len(content) < _COLR_BYTES:
        return None
    return struct.unpack_from(">HH", content, 4)


def sound_object(entry: bytes) -> int | None:
    """Return the MPEG-4 object type in a sample description, or None if there is none.

    0x40 means AAC, and 0x69 and 0x6B mean MP3.
    """
    content = entry.partition(b"esds")[2][4:]
    with suppress(IndexError):
        kind, content = _descriptor(content)
        # The stream ID and the flags are skipped. MP4 files don't use the optional fields after
        # them.
        kind, content = _descriptor(content[3:]) if kind == _ES else (kind, content)
        if kind == _DECODER:
            return content[0]
    return None


def is_rotated(matrix: bytes) -> bool:
    """Return whether a track's 3x3 matrix rotates, mirrors or scales the picture."""
    a, b, _u, c, d = struct.unpack_from(">5i", matrix)
    return (a, b, c, d) != _UPRIGHT


def read_title(boxes: Boxes, moov: Box) -> str | None:
    """Return the title in the clip's metadata as one short line, or None if there is none."""
    text = " ".join(_metadata(boxes, moov, b"\xa9nam").split())
    return "".join(letter for letter in text if letter.isprintable())[:_MAX_TITLE] or None


def written_by_ffmpeg(boxes: Boxes, moov: Box) -> bool:
    """Return whether the clip was written by ffmpeg, according to its metadata."""
    return _metadata(boxes, moov, b"\xa9too").startswith("Lavf")


def _metadata(boxes: Boxes, moov: Box, kind: bytes) -> str:
    with suppress(MediaError, struct.error):
        meta = boxes.find(moov, b"udta", b"meta")
        if meta is not None:
            # Four bytes of version and flags precede the boxes.
            inner = Box(kind=meta.kind, begin=meta.begin, start=meta.start + 4, end=meta.end)
            data = boxes.head(inner, b"ilst", kind, b"data", max_bytes=8 + 4 * _MAX_TITLE)
            return data[8:].decode("utf-8", errors="ignore")
    return ""


def _descriptor(content: bytes) -> tuple[int, bytes]:
    start = 1
    while content[start] & 0x80:
        start += 1
    return content[0], content[start + 1 :]
