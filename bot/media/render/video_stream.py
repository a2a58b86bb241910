"""The picture's side of a result: copied wherever that can be, and held or looped without harm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.mp4.playable import is_steady, steady_rate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.media.mp4.reader import VideoInfo

_HUGE = 5_000_000  # pixels: decoding as many takes the memory that encoding could use
_MOST_LINES = 1080  # of a picture in two halves
_LEAST_SIDE = 16


CLOCK: Mapping[str, str | float] = {"fps_mode": "vfr", "enc_time_base": "1:120000"}
"""Options for an encoder: each frame at its time, in units that all the usual rates divide.

With another unit, ffmpeg 5 mistakes it for its own in the filters of packets.
"""


class Filling(Enum):
    """How a clip's picture fills a result that is longer: it needs not, is held, or is looped."""

    NONE = auto()
    HELD = auto()
    LOOPED = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How to encode a picture within 400 MB: no side over `longest`, and the threads of each part.

    The encoder looks ahead by `lookahead` frames.
    """

    longest: int
    threads: int
    lookahead: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """The picture of a result, `seconds` long; `encoded`: made anew, otherwise copied."""

    info: VideoInfo
    seconds: float
    filling: Filling
    encoded: bool

    def stream(self, clip: graph.Stream) -> graph.Stream:
        """Take the picture from a clip that `open_clip` opened."""
        picture = clip["v:0"]
        return self._filtered(picture) if self.encoded else picture

    def options(self) -> dict[str, str | float]:
        """Return the options of the output that the picture needs."""
        is_held = self.filling is Filling.HELD
        if not self.encoded:
            return {"vcodec": "copy", **(lasting(self.seconds) if is_held else {})}
        effort = effort_for(self.info)
        # Filters lose how long the last frame is.
        is_held = is_held or self.info.timing.is_held
        return {
            "vcodec": "libx264",
            **CLOCK,
            "preset": "veryfast",
            "crf": 18,
            "rc-lookahead": effort.lookahead,
            "threads:v": effort.threads,
            **(lasting(self.seconds) if is_held else {}),
        }

    def _filtered(self, picture: graph.Stream) -> graph.Stream:
        picture = whole(picture, self.info)
        if not is_steady(self.info.timing):
            picture = picture.filter("fps", f"{steady_rate(self.info.timing):.4f}")
        longest = effort_for(self.info).longest
        width, height = fitting(self.info.width, self.info.height, longest=longest)
        if (width, height) != (self.info.width, self.info.height):
            picture = picture.filter("scale", width, height)
        return picture.filter("format", "yuv420p")


def lasting(seconds: float) -> dict[str, str | float]:
    """Return the options of an output whose last picture stays until `seconds` are over."""
    # Every frame is said to last to the end; only the last one's word counts in an MP4.
    # Without its own `pts` and `dts`, setts puts the frames in the order of their decoding.
    lasts = f"{exact(seconds)}/TB-(PTS-STARTPTS)"
    return {"bsf:v": f"setts=pts='PTS':dts='DTS':duration='{lasts}'"}


def effort_for(info: VideoInfo) -> Effort:
    """Return how to encode a clip's picture."""
    if info.width * info.height > _HUGE:
        return Effort(longest=1600, threads=1, lookahead=4)
    return Effort(longest=1920, threads=2, lookahead=10)


def open_clip(
    clip: Path, info: VideoInfo, *, ahead: float = 0.0, loops_until: float | None = None
) -> graph.Stream:
    """Open a provider's clip, which is not trusted, as an input of ffmpeg.

    All of it comes `ahead` seconds earlier than it says; `loops_until`: over and over, to there.
    """
    options: dict[str, str | float] = {}
    if ahead:
        options["itsoffset"] = exact(-ahead)
    if loops_until is not None:
        # The options that filter copied packets, as `bsf`, end at the first loop in ffmpeg 5.
        options |= {"stream_loop": -1, "t": exact(loops_until)}
    return graph.input(
        f"file:{clip.absolute()}",
        **options,
        format="mov",
        threads=effort_for(info).threads,
        protocol_whitelist="file",
        format_whitelist="mov",
    )


def whole(picture: graph.Stream, info: VideoInfo) -> graph.Stream:
    """Join the halves of a picture that was taken in two; any other stays as it is."""
    # The filter refuses a picture that is smaller than what it looks at.
    if info.height > _MOST_LINES or min(info.width, info.height) < _LEAST_SIDE:
        return picture
    return picture.filter("bwdif", mode="send_frame", deint="interlaced")


def exact(seconds: float) -> str:
    """Write a time for ffmpeg, in microseconds."""
    return f"{seconds:.6f}"


def fitting(width: int, height: int, *, longest: int) -> tuple[int, int]:
    """Return the size to encode a picture in: no side over `longest`, and in even numbers."""
    scale = min(1.0, longest / max(width, height))
    return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    return max(2, round(side / 2) * 2)
