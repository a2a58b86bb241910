"""Tells from when to when a track of an MP4 is shown, by its samples and its edit list.

What the headers say of its length is not believed: in a clip with fragments it is the first one's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.fragments import read_fragments
from bot.media.mp4.frame_timing import read_timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.media.mp4.boxes import Box, Boxes
    from bot.media.mp4.fragments import Fragment
    from bot.media.mp4.frame_timing import FrameTiming

_MOST_EDITS = 20
_ROUNDING = 1.0  # seconds by which an edit list may go past the samples
_LONGEST = 86_400  # seconds: more than a day is a mistake of whoever wrote it


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """Where a track is told of: its `trak` in `moov`, and by its `number` in the `moofs`.

    Its media has `scale` units a second; `recorded` of them are said to be its length.
    """

    moov: Box
    trak: Box
    moofs: Sequence[Box]
    number: int
    scale: int
    recorded: int
    timing: FrameTiming


@dataclass(frozen=True, kw_only=True, slots=True)
class _Edits:
    """An edit list: it starts `delay` seconds late, with `skipped` units of the media left out.

    `seconds` and `count` are of the parts that are shown.
    """

    delay: float = 0.0
    skipped: int = 0
    seconds: float = 0.0
    count: int = 0


def open_track(boxes: Boxes, moov: Box, trak: Box, moofs: Sequence[Box]) -> Track:
    """Read what the index says of a track."""
    tkhd = boxes.head(trak, b"tkhd")
    (number,) = struct.unpack_from(">I", tkhd, 20 if tkhd[:1] == b"\1" else 12)
    scale, recorded = _clock(boxes.head(trak, b"mdia", b"mdhd"))
    return Track(
        moov=moov,
        trak=trak,
        moofs=moofs,
        number=number,
        scale=scale,
        recorded=recorded,
        timing=read_timing(boxes, trak, scale),
    )


def read_start(boxes: Boxes, track: Track) -> float | None:
    """Return the second in which a track's first sample is shown or heard; None: it has none."""
    shown = _first_shown(boxes, track)
    edits = _edits(boxes, track)
    return None if shown is None else edits.delay + max(0, shown - edits.skipped) / track.scale


def read_ahead(boxes: Boxes, track: Track) -> float:
    """Return by how many seconds a frame is decoded before it is shown, at most."""
    ahead = (fragment.ahead for fragment in _fragments(boxes, track))
    return max(0, track.timing.ahead, *ahead) / track.scale


def read_seconds(boxes: Boxes, track: Track) -> float:
    """Return for how long a track is shown; MediaError: it has no length."""
    full = _full_seconds(boxes, track)
    edits = _edits(boxes, track)
    early = ((_first_shown(boxes, track) or 0) - edits.skipped) / track.scale
    whole = full + min(0.0, early)
    shown = edits.seconds - max(0.0, early)
    # Of fragments, an edit list only tells where they begin.
    is_shown = not track.moofs and 0 < shown <= edits.count * full + _ROUNDING
    return shown if is_shown else whole if whole > 0 else full


def _full_seconds(boxes: Boxes, track: Track) -> float:
    """Return how long all samples of a track are together, before any edit."""
    end = track.timing.units
    begin = 0 if end else None
    for fragment in _fragments(boxes, track):
        begin = fragment.start if begin is None else begin
        end = max(end, fragment.end)
    most = _LONGEST * track.scale
    found = next((each for each in (end - (begin or 0), track.recorded) if 0 < each <= most), 0)
    if not found:
        raise MediaError("the clip has no length")
    return found / track.scale


def _first_shown(boxes: Boxes, track: Track) -> int | None:
    """Return when the first sample is shown, in units of the media, before any edit."""
    if track.timing.units:
        return track.timing.first
    return next((fragment.shown for fragment in _fragments(boxes, track)), None)


def _fragments(boxes: Boxes, track: Track) -> Iterator[Fragment]:
    start = track.timing.units
    return read_fragments(boxes, track.moov, track.moofs, track.number, start=start)


def _edits(boxes: Boxes, track: Track) -> _Edits:
    listed = boxes.find(track.trak, b"edts", b"elst")
    if listed is None:
        return _Edits()
    movie_scale, _ = _clock(boxes.head(track.moov, b"mvhd"))
    content = boxes.head(listed)
    layout = ">Qq4x" if content[:1] == b"\1" else ">Ii4x"
    (count,) = struct.unpack_from(">I", content, 4)
    end = 8 + min(count, _MOST_EDITS) * struct.calcsize(layout)
    edits = list(struct.iter_unpack(layout, content[8:end]))
    # An edit that starts at -1 shows nothing.
    shown = [edit for edit in edits if edit[1] >= 0]
    if not shown:
        return _Edits()
    delay = sum(length for length, _ in edits[: edits.index(shown[0])])
    return _Edits(
        delay=delay / movie_scale,
        skipped=shown[0][1],
        seconds=sum(length for length, _ in shown) / movie_scale,
        count=len(shown),
    )


def _clock(header: bytes) -> tuple[int, int]:
    """Return the units per second of a movie or a media, and its length in them."""
    layout, start = (">IQ", 20) if header[:1] == b"\1" else (">II", 12)
    scale, duration = struct.unpack_from(layout, header, start)
    if not scale:
        raise MediaError("the clip's index is damaged")
    return scale, duration
