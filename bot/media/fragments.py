"""How long a track in fragments is: its index tells nothing, each fragment tells its samples."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bot.errors import MediaError

if TYPE_CHECKING:
    from bot.media.boxes import Box, Boxes

_MOST_SAMPLES_BYTES = 1024 * 1024  # of one run: an hour's frames are less
_TFHD_OFFSET, _TFHD_DESCRIPTION, _TFHD_DURATION = 0x01, 0x02, 0x08
_TRUN_OFFSET, _TRUN_FIRST_FLAGS, _TRUN_DURATION = 0x01, 0x04, 0x100
_TRUN_PER_SAMPLE = (0x100, 0x200, 0x400, 0x800)


def fragments_duration(boxes: Boxes, moov: Box, track: int) -> int:
    """Add up the samples of `track` in all fragments, in units of its media."""
    usual = _usual_duration(boxes, moov, track)
    total = 0
    for moof in boxes.inside(boxes.whole, b"moof"):
        for traf in boxes.inside(moof, b"traf"):
            total += _traf_duration(boxes, traf, track, usual)
    return total


def _usual_duration(boxes: Boxes, moov: Box, track: int) -> int:
    mvex = boxes.find(moov, b"mvex")
    for trex in boxes.inside(mvex, b"trex") if mvex else ():
        _, number, _, duration = struct.unpack_from(">4I", boxes.head(trex))
        if number == track:
            return duration
    return 0


def _traf_duration(boxes: Boxes, traf: Box, track: int, usual: int) -> int:
    header = boxes.head(traf, b"tfhd")
    flags, number = _flags(header), struct.unpack_from(">I", header, 4)[0]
    if number != track:
        return 0
    if flags & _TFHD_DURATION:
        start = 8 + 8 * bool(flags & _TFHD_OFFSET) + 4 * bool(flags & _TFHD_DESCRIPTION)
        (usual,) = struct.unpack_from(">I", header, start)
    return sum(_run_duration(boxes, trun, usual) for trun in boxes.inside(traf, b"trun"))


def _run_duration(boxes: Boxes, trun: Box, usual: int) -> int:
    header = boxes.head(trun)
    flags, count = _flags(header), struct.unpack_from(">I", header, 4)[0]
    if not flags & _TRUN_DURATION:
        return count * usual
    start = 8 + 4 * bool(flags & _TRUN_OFFSET) + 4 * bool(flags & _TRUN_FIRST_FLAGS)
    stride = 4 * sum(1 for field in _TRUN_PER_SAMPLE if flags & field)
    length = start + count * stride
    if length > min(trun.end - trun.start, _MOST_SAMPLES_BYTES):
        raise MediaError("the clip's fragments are damaged")
    samples = boxes.head(trun, most=length)
    # The duration is the first field of each sample.
    return sum(struct.unpack_from(">I", samples, start + stride * n)[0] for n in range(count))


def _flags(header: bytes) -> int:
    return int.from_bytes(header[1:4], "big")
