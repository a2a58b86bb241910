"""Reads when the frames of a track are shown: the tables tell of their decoding, and the delay."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise, repeat
from statistics import median_low
from typing import TYPE_CHECKING

from bot.media.mp4.tracks import SAMPLE_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.media.mp4.boxes import Box, Boxes

_MOST_FRAMES = 300_000  # more than an hour of them; of a clip with more, little is looked at
_MOST_BYTES = 8 + 8 * _MOST_FRAMES
_LONGEST_FRAME = 1.0  # second: what is shown for longer is a still

_Runs = list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameTiming:
    """The frames of a track, but for those in fragments: how many, and when they are shown.

    In `units` of the media they last that long all together; the first one is shown at `first`, and
    each is decoded up to `ahead` before it is shown. In seconds, they last for `moving` when none
    counts for more than one second; the `usual` and the `longest` frame are never the `last`
    one, which may be held.
    """

    frames: int
    units: int
    first: int
    ahead: int
    moving: float
    usual: float
    longest: float
    last: float

    @property
    def is_held(self) -> bool:
        """Whether the last frame stays for longer than it had to."""
        return self.last > 2 * self.usual


def read_timing(boxes: Boxes, trak: Box, scale: int) -> FrameTiming:
    """Read a track's frame times, `scale` to the second."""
    lengths = _runs(boxes.head(trak, *SAMPLE_TABLE, b"stts", most=_MOST_BYTES), ">II")
    table = boxes.find(trak, *SAMPLE_TABLE, b"ctts")
    delays = _runs(boxes.head(table, most=_MOST_BYTES), ">Ii") if table else []
    frames = sum(number for number, _ in lengths)
    if not 0 < frames <= _MOST_FRAMES:
        return _rough_timing(frames, lengths, scale)
    lasting = [*_each(lengths)]
    late = chain(_each(delays), repeat(0))
    decoded = accumulate(lasting, initial=0)
    shown = [time + delay for time, delay, _ in zip(decoded, late, lasting, strict=False)]
    end = max(time + length for time, length in zip(shown, lasting, strict=True))
    shown.sort()
    gaps = [after - before for before, after in pairwise(shown) if after > before]
    return FrameTiming(
        frames=frames,
        units=max(sum(lasting), end - shown[0]),
        first=shown[0],
        ahead=max((delay for _, delay in delays), default=0),
        moving=sum(min(_LONGEST_FRAME, gap / scale) for gap in (*gaps, end - shown[-1])),
        usual=median_low(gaps) / scale if gaps else 0,
        longest=max(gaps, default=0) / scale,
        last=(end - shown[-1]) / scale,
    )


def _rough_timing(frames: int, lengths: _Runs, scale: int) -> FrameTiming:
    """Take so many frames for alike, and do without their sum where the table goes on."""
    units = 0 if len(lengths) == _MOST_FRAMES else sum(number * each for number, each in lengths)
    usual = units / frames / scale if frames else 0
    return FrameTiming(
        frames=frames,
        units=units,
        first=0,
        ahead=0,
        moving=units / scale,
        usual=usual,
        longest=usual,
        last=usual,
    )


def _each(runs: _Runs) -> Iterator[int]:
    return chain.from_iterable(repeat(value, number) for number, value in runs)


def _runs(table: bytes, layout: str) -> _Runs:
    (count,) = struct.unpack_from(">I", table, 4)
    return list(struct.iter_unpack(layout, table[8 : 8 + 8 * min(count, _MOST_FRAMES)]))
