"""Computes when a track's frames are shown, from tables of decoding times and display offsets."""

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

_MAX_FRAMES = 300_000  # over an hour of video; the timing of longer clips is only estimated
_MAX_TABLE_BYTES = 8 + 8 * _MAX_FRAMES
_MAX_FRAME_SECONDS = 1.0  # a frame that is shown for longer counts as a still

_Runs = list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameTiming:
    """The number and display times of a track's frames, except those in fragments.

    In media time units: `units` is the total duration, `first` the first frame's display time, and
    `reorder_delay` the longest delay between a frame's decoding and its display.

    In seconds: `moving` is the total duration if each frame counts for one second at most. `usual`
    is the median and `longest` the maximum frame duration, both without the `last` frame, which may
    be held.
    """

    frames: int
    units: int
    first: int
    reorder_delay: int
    moving: float
    usual: float
    longest: float
    last: float

    @property
    def is_held(self) -> bool:
        """Tell whether the last frame is shown for much longer than the usual frame."""
        return self.last > 2 * self.usual


def read_timing(boxes: Boxes, trak: Box, scale: int) -> FrameTiming:
    """Read a track's frame times. Its media has `scale` time units per second."""
    runs = _read_runs(boxes.head(trak, *SAMPLE_TABLE, b"stts", max_bytes=_MAX_TABLE_BYTES), ">II")
    table = boxes.find(trak, *SAMPLE_TABLE, b"ctts")
    delays = _read_runs(boxes.head(table, max_bytes=_MAX_TABLE_BYTES), ">Ii") if table else []
    frames = sum(number for number, _ in runs)
    if not 0 < frames <= _MAX_FRAMES:
        return _estimate_timing(frames, runs, scale)
    durations = [*_expand(runs)]
    offsets = chain(_expand(delays), repeat(0))
    decoded = accumulate(durations, initial=0)
    shown = [time + delay for time, delay, _ in zip(decoded, offsets, durations, strict=False)]
    end = max(time + length for time, length in zip(shown, durations, strict=True))
    shown.sort()
    gaps = [after - before for before, after in pairwise(shown) if after > before]
    return FrameTiming(
        frames=frames,
        units=max(sum(durations), end - shown[0]),
        first=shown[0],
        reorder_delay=max((delay for _, delay in delays), default=0),
        moving=sum(min(_MAX_FRAME_SECONDS, gap / scale) for gap in (*gaps, end - shown[-1])),
        usual=median_low(gaps) / scale if gaps else 0,
        longest=max(gaps, default=0) / scale,
        last=(end - shown[-1]) / scale,
    )


def _estimate_timing(frames: int, runs: _Runs, scale: int) -> FrameTiming:
    """Assume equally long frames. The total duration is 0 if only part of the table was read."""
    units = 0 if len(runs) == _MAX_FRAMES else sum(number * each for number, each in runs)
    usual = units / frames / scale if frames else 0
    return FrameTiming(
        frames=frames,
        units=units,
        first=0,
        reorder_delay=0,
        moving=units / scale,
        usual=usual,
        longest=usual,
        last=usual,
    )


def _expand(runs: _Runs) -> Iterator[int]:
    return chain.from_iterable(repeat(value, number) for number, value in runs)


def _read_runs(table: bytes, layout: str) -> _Runs:
    (count,) = struct.unpack_from(">I", table, 4)
    return list(struct.iter_unpack(layout, table[8 : 8 + 8 * min(count, _MAX_FRAMES)]))
