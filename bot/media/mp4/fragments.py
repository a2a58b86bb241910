"""Reads the samples of a fragmented track, which its fragments list instead of the index."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.media.mp4.boxes import Box, Boxes

_MAX_SAMPLE_BYTES = 1024 * 1024  # per run; the entries for an hour of frames take less
_TFHD_OFFSET, _TFHD_DESCRIPTION, _TFHD_DURATION = 0x01, 0x02, 0x08
_TRUN_OFFSET, _TRUN_FIRST_FLAGS, _TRUN_DURATION, _TRUN_SHOWN = 0x01, 0x04, 0x100, 0x800
_TRUN_PER_SAMPLE = (_TRUN_DURATION, 0x200, 0x400, _TRUN_SHOWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fragment:
    """A run of a track's samples; all times are in media units.

    `start` and `end` are decoding times. `shown` is the first sample's display time, and
    `reorder_delay` the longest delay between a sample's decoding and its display.
    """

    start: int
    end: int
    shown: int
    reorder_delay: int


def read_fragments(
    boxes: Boxes, moov: Box, moofs: Sequence[Box], track: int, *, start: int
) -> Iterator[Fragment]:
    """Yield the runs of `track` in `moofs`; `start` is the end of the samples in `moov`."""
    default_duration = _default_duration(boxes, moov, track)
    for moof in moofs:
        for traf in boxes.inside(moof, b"traf"):
            for fragment in _read_traf(boxes, traf, track, default_duration, start):
                yield fragment
                start = fragment.end


def _default_duration(boxes: Boxes, moov: Box, track: int) -> int:
    mvex = boxes.find(moov, b"mvex")
    for trex in boxes.inside(mvex, b"trex") if mvex else ():
        _, number, _, duration = struct.unpack_from(">4I", boxes.head(trex))
        if number == track:
            return duration
    return 0


def _read_traf(
    boxes: Boxes, traf: Box, track: int, default_duration: int, time: int
) -> Iterator[Fragment]:
    header = boxes.head(traf, b"tfhd")
    flags, number = _flags(header), struct.unpack_from(">I", header, 4)[0]
    if number != track:
        return
    if flags & _TFHD_DURATION:
        start = 8 + 8 * bool(flags & _TFHD_OFFSET) + 4 * bool(flags & _TFHD_DESCRIPTION)
        (default_duration,) = struct.unpack_from(">I", header, start)
    if tfdt := boxes.find(traf, b"tfdt"):
        content = boxes.head(tfdt)
        (time,) = struct.unpack_from(">Q" if content[:1] == b"\1" else ">I", content, 4)
    for trun in boxes.inside(traf, b"trun"):
        fragment = _read_run(boxes, trun, default_duration, time)
        time = fragment.end
        yield fragment


def _read_run(boxes: Boxes, trun: Box, default_duration: int, time: int) -> Fragment:
    header = boxes.head(trun)
    flags, count = _flags(header), struct.unpack_from(">I", header, 4)[0]
    start = 8 + 4 * bool(flags & _TRUN_OFFSET) + 4 * bool(flags & _TRUN_FIRST_FLAGS)
    stride = 4 * sum(1 for field in _TRUN_PER_SAMPLE if flags & field)
    length = start + count * stride
    if length > min(trun.end - trun.start, _MAX_SAMPLE_BYTES):
        raise MediaError("the clip's fragments are damaged")
    samples = boxes.head(trun, max_bytes=length)[start:]
    durations, offsets = count * default_duration, [0]
    # Each sample's first field is its duration, and the last is its display offset.
    if flags & _TRUN_DURATION:
        durations = sum(each for (each,) in struct.iter_unpack(f">I{stride - 4}x", samples))
    if count and flags & _TRUN_SHOWN:
        offsets = [each for (each,) in struct.iter_unpack(f">{stride - 4}xi", samples)]
    return Fragment(
        start=time, end=time + durations, shown=time + offsets[0], reorder_delay=max(offsets)
    )


def _flags(header: bytes) -> int:
    return int.from_bytes(header[1:4], "big")
