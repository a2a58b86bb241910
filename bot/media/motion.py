"""Tells for how long a clip's picture moves: a frame that is held takes no room."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.boxes import Boxes

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.boxes import Box

_MOST_BYTES = 4 * 1024 * 1024
_LONGEST_FRAME = 1.0  # seconds: what is shown for longer is a still


def moving_seconds(path: Path) -> float | None:
    """Add up the frames of the MP4 at `path`, a held one as 1 s; None: its index has none.

    Blocking. MediaError: the index is damaged.
    """
    with path.open("rb") as file:
        boxes = Boxes(file, path.stat().st_size)
        video = _video(boxes)
        clock = boxes.head(video, b"mdia", b"mdhd")
        times = boxes.head(video, b"mdia", b"minf", b"stbl", b"stts", most=_MOST_BYTES)
    try:
        (scale,) = struct.unpack_from(">I", clock, 20 if clock[:1] == b"\1" else 12)
        (runs,) = struct.unpack_from(">I", times, 4)
        durations = struct.iter_unpack(">II", times[8 : 8 + 8 * runs])
        moving = sum(count * min(_LONGEST_FRAME, each / scale) for count, each in durations)
    except (struct.error, ZeroDivisionError) as error:
        raise MediaError("the clip's index is damaged") from error
    return moving or None


def _video(boxes: Boxes) -> Box:
    moov = boxes.find(boxes.whole, b"moov")
    for trak in boxes.inside(moov, b"trak") if moov else ():
        if boxes.head(trak, b"mdia", b"hdlr")[8:12] == b"vide":
            return trak
    raise MediaError("the clip has no picture")
