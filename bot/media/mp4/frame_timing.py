"""Computes when a track's frames are shown, from the tables of their times in the index."""

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

_MAX_FRAMES = 300_000  # more than an hour; for longer clips, frame times are estimated
_MAX_TABLE_BYTES = 8 + 8 * _MAX_FRAMES
_MAX_FRAME_SECONDS = 1.0  # if a frame is shown for longer, the picture counts as still

_Runs = list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameTiming:
    """The times of a track's frames, except frames in fragments.

    In the track's time units:
    `units`: the total duration. `first`: the time at which the first frame is shown.
    `reorder_delay`: the longest time between decoding a frame and showing it.
    In seconds:
    `moving`: the total duration, but with each frame counted for at most one second.
    `usual`, `longest`: the median and the maximum duration of the frames, except the last.
    `last`: the duration of the last frame, which may be held.
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
        """True if the last frame is shown for much longer than a typical frame."""
        return self.last > 2 * self.usual


def read_timing(boxes: Boxes, trak: Box, scale: int) -> FrameTiming:
    """Read the frame times of a track that has `scale` time units per second."""
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
    """Estimate the times of frames as if all frames had the same duration.

    The total duration is 0 if the table is too long to be read completely.
    """
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
