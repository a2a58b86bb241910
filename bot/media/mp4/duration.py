"""Computes when an MP4's track starts and how long it plays, from its samples and edit list.

The duration in the headers is not used, because in a fragmented clip it covers only the first
fragment.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.fragments import read_fragments
from bot.media.mp4.frame_timing import read_timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.media.mp4.boxes import Box, Boxes
    from bot.media.mp4.fragments import Fragment
    from bot.media.mp4.frame_timing import FrameTiming

_MAX_EDITS = 20
_EDIT_TOLERANCE = 1.0  # seconds by which an edit list may be longer than the samples
_MAX_SECONDS = 86_400  # a day; longer durations are encoder errors


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """A track of an MP4.

    `moov`: the box of the file's index. `trak`: the track's box inside it.
    `scale`: the number of time units per second.
    `recorded`: the duration that the header states, in time units.
    `enabled`: whether players may show the track.
    """

    moov: Box
    trak: Box
    scale: int
    recorded: int
    enabled: bool
    timing: FrameTiming
    fragments: tuple[Fragment, ...]

    @property
    def samples(self) -> int:
        """The total number of samples, in the index and in fragments."""
        return self.timing.frames + sum(fragment.count for fragment in self.fragments)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Edits:
    """A track's edit list, which tells which part of the track is played, and when.

    Playback starts after `delay` seconds, and skips the first `skipped` time units of the track.
    `count`: the number of edits that are played. `seconds`: their total duration.
    """

    delay: float = 0.0
    skipped: int = 0
    seconds: float = 0.0
    count: int = 0


def open_track(boxes: Boxes, moov: Box, trak: Box, moofs: Sequence[Box]) -> Track:
    """Read a track's header, frame times and fragments."""
    tkhd = boxes.head(trak, b"tkhd")
    (number,) = struct.unpack_from(">I", tkhd, 20 if tkhd[:1] == b"\1" else 12)
    scale, recorded = _clock(boxes.head(trak, b"mdia", b"mdhd"))
    timing = read_timing(boxes, trak, scale)
    return Track(
        moov=moov,
        trak=trak,
        scale=scale,
        recorded=recorded,
        enabled=bool(tkhd[3] & 1),
        timing=timing,
        fragments=tuple(read_fragments(boxes, moov, moofs, number, start=timing.units)),
    )


def read_start(boxes: Boxes, track: Track) -> float | None:
    """Return the second at which a track's first sample plays, or None if there are no samples."""
    shown = _first_shown(track)
    edits = _edits(boxes, track)
    return None if shown is None else edits.delay + max(0, shown - edits.skipped) / track.scale


def read_blank_seconds(boxes: Boxes, track: Track) -> float:
    """Return the number of seconds that a track is blank before its first sample."""
    return _edits(boxes, track).delay


def read_reorder_delay(track: Track) -> float:
    """Return the longest time, in seconds, between decoding a frame and showing it."""
    delays = (fragment.reorder_delay for fragment in track.fragments)
    return max(0, track.timing.reorder_delay, *delays) / track.scale


def read_seconds(boxes: Boxes, track: Track) -> float:
    """Return a track's duration in seconds. Raises MediaError if the duration is 0."""
    full = _full_seconds(track)
    edits = _edits(boxes, track)
    early = ((_first_shown(track) or 0) - edits.skipped) / track.scale
    whole = full + min(0.0, early)
    shown = edits.seconds - max(0.0, early)
    # In a fragmented clip, the edit list only tells where the fragments begin.
    is_shown = not track.fragments and 0 < shown <= edits.count * full + _EDIT_TOLERANCE
    return shown if is_shown else whole if whole > 0 else full


def _full_seconds(track: Track) -> float:
    """Return the total duration of a track's samples in seconds, ignoring the edit list."""
    end = track.timing.units
    begin = 0 if end else None
    for fragment in track.fragments:
        begin = fragment.start if begin is None else begin
        end = max(end, fragment.end)
    max_units = _MAX_SECONDS * track.scale
    found = next(
        (each for each in (end - (begin or 0), track.recorded) if 0 < each <= max_units), 0
    )
    if not found:
        raise MediaError("the clip has no length")
    return found / track.scale


def _first_shown(track: Track) -> int | None:
    """Return the time of the first sample in time units, ignoring the edit list."""
    if track.timing.units:
        return track.timing.first
    return next((fragment.shown for fragment in track.fragments), None)


def _edits(boxes: Boxes, track: Track) -> _Edits:
    listed = boxes.find(track.trak, b"edts", b"elst")
    if listed is None:
        return _Edits()
    movie_scale, _ = _clock(boxes.head(track.moov, b"mvhd"))
    content = boxes.head(listed)
    layout = ">Qq4x" if content[:1] == b"\1" else ">Ii4x"
    (count,) = struct.unpack_from(">I", content, 4)
    end = 8 + min(count, _MAX_EDITS) * struct.calcsize(layout)
    edits = list(struct.iter_unpack(layout, content[8:end]))
    # A media time of -1 marks an empty edit.
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
    """Return the number of time units per second, and the duration, from a `mvhd` or `mdhd` box."""
    layout, start = (">IQ", 20) if header[:1] == b"\1" else (">II", 12)
    scale, duration = struct.unpack_from(layout, header, start)
    if not scale:
        raise MediaError("the clip's index is damaged")
    return scale, duration
