"""Checks that an MP4 contains all of the media that its index lists."""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.tracks import written_by_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.media.mp4.boxes import Box, Boxes
    from bot.media.mp4.duration import Track
    from bot.media.mp4.sample_table import SampleTable

_TOLERANCE = 0.5  # seconds by which the fragments may be shorter than the stated duration
_MAX_REFERENCES = 65_535
_CUT = "the clip is cut off"


def check_places(
    boxes: Boxes, top: Sequence[Box], tracks: Iterable[tuple[Track, SampleTable]]
) -> None:
    """Raise MediaError if a sample in the index is not inside the media."""
    media = sorted((box.start, box.end) for box in top if box.kind == b"mdat")
    starts = [start for start, _ in media]
    for track, table in tracks:
        for first, last in _extents(track, table):
            if last > boxes.whole.end:
                raise MediaError(_CUT)
            number = bisect_right(starts, first) - 1
            if number < 0 or last > media[number][1]:
                raise MediaError("the clip's index points to other things than its media")


def _extents(track: Track, table: SampleTable) -> Iterator[tuple[int, int]]:
    for chunk in table.chunks:
        if chunk.size:
            yield chunk.offset, chunk.offset + chunk.size
    for fragment in track.fragments:
        if fragment.last_byte > fragment.first_byte:
            yield fragment.first_byte, fragment.last_byte


def check_fragments(boxes: Boxes, top: Sequence[Box], moov: Box, seconds: float) -> None:
    """Raise MediaError if a fragment is missing.

    `seconds`: the total duration of the fragments that were found.
    """
    declared = _declared_seconds(boxes, moov)
    missing = declared is not None and seconds < declared - _TOLERANCE
    short = any(_end_of_index(boxes, box) > boxes.whole.end for box in top if box.kind == b"sidx")
    if missing or short or _lacks_closing_index(boxes, top, moov):
        raise MediaError(_CUT)


def _declared_seconds(boxes: Boxes, moov: Box) -> float | None:
    mehd = boxes.find(moov, b"mvex", b"mehd")
    if mehd is None:
        return None
    mvhd, content = boxes.head(moov, b"mvhd"), boxes.head(mehd)
    (scale,) = struct.unpack_from(">I", mvhd, 20 if mvhd[:1] == b"\1" else 12)
    (units,) = struct.unpack_from(">Q" if content[:1] == b"\1" else ">I", content, 4)
    return units / scale if scale else None


def _end_of_index(boxes: Boxes, sidx: Box) -> int:
    """Return the file offset at which the last segment ends, according to a `sidx` box."""
    content = boxes.head(sidx, max_bytes=32 + 12 * _MAX_REFERENCES)
    layout, at = (">8xQ", 12) if content[:1] == b"\1" else (">4xI", 12)
    (first,) = struct.unpack_from(layout, content, at)
    at += struct.calcsize(layout)
    (count,) = struct.unpack_from(">H", content, at + 2)
    entries = content[at + 4 : at + 4 + 12 * count]
    # The first bit of each size tells whether the reference leads to another index.
    sizes = (each & 0x7FFFFFFF for each, _, _ in struct.iter_unpack(">III", entries))
    return sidx.end + first + sum(sizes)


def _lacks_closing_index(boxes: Boxes, top: Sequence[Box], moov: Box) -> bool:
    # ffmpeg writes a second index (`mfra`) at the end of a fragmented file, unless the fragments
    # are segments (`styp`).
    kinds = {box.kind for box in top}
    return not kinds & {b"mfra", b"styp"} and written_by_ffmpeg(boxes, moov)
