"""Builds a result's video stream: copied if possible, and held or looped if needed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.mp4.playable import is_steady, steady_rate
from bot.media.render.colours import BT709, as_bt709, as_text, bt709_steps

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.media.mp4.reader import VideoInfo
    from bot.media.render.colours import Colours

_HUGE_PIXELS = 5_000_000  # decoding a larger picture takes memory that the encoder needs
_MAX_INTERLACED_LINES = 1080
_MIN_INTERLACED_SIDE = 16


CLOCK: Mapping[str, str | float] = {"fps_mode": "vfr", "enc_time_base": "1:120000"}
"""Encoder options that keep each frame's time, in a time base that suits all common frame rates.

With another time base, bitstream filters in ffmpeg 5 misread the timestamps.
"""


class Filling(Enum):
    """The ways in which a picture fills a longer result: not at all, held, or looped."""

    NONE = auto()
    HELD = auto()
    LOOPED = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderSettings:
    """Settings with which ffmpeg encodes a picture within 400 MB of memory.

    No side has more than `longest` pixels, decoder and encoder use `threads` threads each, and the
    encoder looks `lookahead` frames ahead.
    """

    longest: int
    threads: int
    lookahead: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A result's picture, with a duration of `seconds`. It is either `encoded` or copied.

    `colours`: the colours to convert to BT.709 while the picture is encoded.
    """

    info: VideoInfo
    seconds: float
    filling: Filling
    encoded: bool
    colours: Colours | None = None

    def stream(self, clip: graph.Stream) -> graph.Stream:
        """Return the picture of `clip` (from `open_clip`), filtered if it is to be encoded."""
        picture = picture_of(clip, self.info)
        return self._filtered(picture) if self.encoded and not self.info.video_joined else picture

    def options(self) -> dict[str, str | float]:
        """Return the output options for the picture."""
        is_held = self.filling is Filling.HELD
        if not self.encoded:
            return {"vcodec": "copy", **(hold_last_frame(self.seconds) if is_held else {})}
        encoder = encoder_settings_for(self.info)
        # Filters drop the last frame's duration.
        is_held = is_held or self.info.timing.is_held
        return {
            "vcodec": "libx264",
            **CLOCK,
            "preset": "veryfast",
            "crf": 18,
            "rc-lookahead": encoder.lookahead,
            "threads:v": encoder.threads,
            **(self._joined_filters() if self.info.video_joined else {}),
            **(BT709 if self.colours else {}),
            **(hold_last_frame(self.seconds) if is_held else {}),
        }

    def _filtered(self, picture: graph.Stream) -> graph.Stream:
        picture = deinterlaced(picture, self.info)
        if not is_steady(self.info.timing):
            picture = picture.filter("fps", f"{steady_rate(self.info.timing):.4f}")
        longest = encoder_settings_for(self.info).longest
        width, height = scaled_size(self.info.width, self.info.height, longest=longest)
        if (width, height) != (self.info.width, self.info.height):
            picture = picture.filter("scale", width, height)
        return as_bt709(picture, self.colours).filter("format", "yuv420p")

    def _joined_filters(self) -> dict[str, str]:
        """Return filters that scale all parts of the picture to the size of the first part."""
        longest = encoder_settings_for(self.info).longest
        width, height = scaled_size(self.info.width, self.info.height, longest=longest)
        filters = [
            f"scale={width}:{height}:force_original_aspect_ratio=decrease",
            f"pad={width}:{height}:-1:-1",
            "setsar=1",
            *(as_text(step) for step in bt709_steps(self.colours)),
            "format=yuv420p",
        ]
        # A simple graph is used, because in a complex one the sound's filters would restart
        # wherever the picture changes.
        return {"filter:v": ",".join(filters)}


def hold_last_frame(seconds: float) -> dict[str, str | float]:
    """Return the output options that hold the last frame until the result lasts `seconds`."""
    # Every frame gets a duration up to the end, but an MP4 stores only the last frame's.
    # Without explicit `pts` and `dts`, setts would put the frames in decoding order.
    rest = f"{ffmpeg_time(seconds)}/TB-(PTS-STARTPTS)"
    return {"bsf:v": f"setts=pts='PTS':dts='DTS':duration='{rest}'"}


def encoder_settings_for(info: VideoInfo) -> EncoderSettings:
    """Return the settings for encoding a clip's picture."""
    if info.width * info.height > _HUGE_PIXELS:
        return EncoderSettings(longest=1600, threads=1, lookahead=4)
    return EncoderSettings(longest=1920, threads=2, lookahead=10)


UNPROBED: Mapping[str, None] = {"nofind_stream_info": None}
"""Input options for streams that are only copied, so that ffmpeg decodes no frames to probe them.

An MP4's index tells what a copy needs to know.
"""


def open_clip(
    clip: Path,
    info: VideoInfo,
    *,
    shift_back: float = 0.0,
    loops_until: float | None = None,
    probed: bool = True,
) -> graph.Stream:
    """Open a provider's untrusted clip as an ffmpeg input.

    Its timestamps are reduced by `shift_back` seconds. `loops_until`: the number of seconds until
    which the clip is repeated. `probed`: whether ffmpeg first decodes some frames to learn about
    them. It has to, unless all that is used of the clip is copied.
    """
    options: dict[str, str | float | None] = {} if probed else {**UNPROBED}
    if shift_back:
        options["itsoffset"] = ffmpeg_time(-shift_back)
    if loops_until is not None:
        # These are input options, because bitstream filters in ffmpeg 5 stop after the first
        # repetition.
        options |= {"stream_loop": -1, "t": ffmpeg_time(loops_until)}
    return graph.input(
        f"file:{clip.absolute()}",
        **options,
        format="mov",
        threads=encoder_settings_for(info).threads,
        protocol_whitelist="file",
        format_whitelist="mov",
    )


def picture_of(clip: graph.Stream, info: VideoInfo) -> graph.Stream:
    """Return the picture of a clip from `open_clip`."""
    return clip[f"v:{info.video_number}"]


def sound_of(clip: graph.Stream, info: VideoInfo) -> graph.Stream:
    """Return the sound of a clip from `open_clip`."""
    return clip[f"a:{info.audio_number}"]


def deinterlaced(picture: graph.Stream, info: VideoInfo) -> graph.Stream:
    """Deinterlace the frames that are marked as interlaced, and no others."""
    # The filter refuses pictures that are smaller than its window.
    if info.height > _MAX_INTERLACED_LINES or min(info.width, info.height) < _MIN_INTERLACED_SIDE:
        return picture
    return picture.filter("bwdif", mode="send_frame", deint="interlaced")


def ffmpeg_time(seconds: float) -> str:
    """Format a time for ffmpeg, to the microsecond."""
    return f"{seconds:.6f}"


def scaled_size(width: int, height: int, *, longest: int) -> tuple[int, int]:
    """Return a picture's size in even numbers, reduced so that no side exceeds `longest`."""
    scale = min(1.0, longest / max(width, height))
    return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    return max(2, round(side / 2) * 2)
