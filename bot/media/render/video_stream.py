"""Builds the output's video stream, which is copied from the clip if possible.

If the output is longer than the clip, the clip is looped, or its last frame is held.
"""

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

_HUGE_PIXELS = 5_000_000  # decoding a larger picture leaves too little memory for the encoder
_MAX_INTERLACED_LINES = 1080
_MIN_INTERLACED_SIDE = 16


CLOCK: Mapping[str, str | float] = {"fps_mode": "vfr", "enc_time_base": "1:120000"}
"""The encoder options that keep the time of each frame.

The time base suits all common frame rates. With other time bases, ffmpeg 5 misreads the timestamps
in bitstream filters.
"""


class Filling(Enum):
    """The way in which a clip fills a longer video: its last frame is held, or it is looped."""

    NONE = auto()
    HELD = auto()
    LOOPED = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderSettings:
    """The settings with which ffmpeg encodes a picture within 400 MB of memory.

    `longest`: the maximum number of pixels of the longer side.
    `threads`: the number of threads of the decoder, and of the encoder.
    `lookahead`: the number of frames that the encoder looks ahead.
    """

    longest: int
    threads: int
    lookahead: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """The picture of an output video.

    `seconds`: the duration of the video.

    `encoded`: whether the picture is encoded, and not just copied.
    `colours`: the colours that are converted to BT.709 while the picture is encoded, if any.
    """

    info: VideoInfo
    seconds: float
    filling: Filling
    encoded: bool
    colours: Colours | None = None

    def stream(self, clip: graph.Stream) -> graph.Stream:
        """Return the picture of the opened clip, with filters if it is encoded."""
        picture = picture_of(clip, self.info)
        return self._filtered(picture) if self.encoded and not self.info.video_joined else picture

    def options(self) -> dict[str, str | float]:
        """Return the output options for the picture."""
        is_held = self.filling is Filling.HELD
        if not self.encoded:
            return {"vcodec": "copy", **(hold_last_frame(self.seconds) if is_held else {})}
        encoder = encoder_settings_for(self.info)
        # Filters lose the duration of the last frame.
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
        """Return the filters for a clip that changes its format midway.

        The filters scale all parts of the clip to the size of the first part.
        """
        longest = encoder_settings_for(self.info).longest
        width, height = scaled_size(self.info.width, self.info.height, longest=longest)
        filters = [
            f"scale={width}:{height}:force_original_aspect_ratio=decrease",
            f"pad={width}:{height}:-1:-1",
            "setsar=1",
            *(as_text(step) for step in bt709_steps(self.colours)),
            "format=yuv420p",
        ]
        # The filters form a simple filter graph. In a complex one, the filters of the sound would
        # restart wherever the picture changes.
        return {"filter:v": ",".join(filters)}


def hold_last_frame(seconds: float) -> dict[str, str | float]:
    """Return the output options that hold the last frame until the video lasts `seconds`."""
    # Every frame is set to last until the end of the video, but an MP4 stores only the duration of
    # the last frame. Without explicit `pts` and `dts`, setts would show the frames in decoding
    # order.
    rest = f"{ffmpeg_time(seconds)}/TB-(PTS-STARTPTS)"
    return {"bsf:v": f"setts=pts='PTS':dts='DTS':duration='{rest}'"}


def encoder_settings_for(info: VideoInfo) -> EncoderSettings:
    """Return the settings for encoding a clip, which depend on its size."""
    if info.width * info.height > _HUGE_PIXELS:
        return EncoderSettings(longest=1600, threads=1, lookahead=4)
    return EncoderSettings(longest=1920, threads=2, lookahead=10)


UNPROBED: Mapping[str, None] = {"nofind_stream_info": None}
"""The input options for streams that are only copied.

With them, ffmpeg doesn't decode frames to learn about the streams. For a copy, the index of an MP4
is enough.
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

    `shift_back`: the number of seconds by which all timestamps are reduced.
    `loops_until`: the number of seconds until which the clip is repeated, or None to play it once.
    `probed`: whether ffmpeg first decodes some frames to learn about the streams. This is necessary
    unless the streams are only copied.
    """
    options: dict[str, str | float | None] = {} if probed else {**UNPROBED}
    if shift_back:
        options["itsoffset"] = ffmpeg_time(-shift_back)
    if loops_until is not None:
        # The clip is repeated by input options, because bitstream filters in ffmpeg 5 stop after
        # the first repetition.
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
    """Return the picture of a clip that `open_clip` returned."""
    return clip[f"v:{info.video_number}"]


def sound_of(clip: graph.Stream, info: VideoInfo) -> graph.Stream:
    """Return the sound of a clip from `open_clip`."""
    return clip[f"a:{info.audio_number}"]


def deinterlaced(picture: graph.Stream, info: VideoInfo) -> graph.Stream:
    """Deinterlace those frames of a picture that are marked as interlaced."""
    # Interlaced video has at most 1080 lines. The filter refuses very small pictures.
    if info.height > _MAX_INTERLACED_LINES or min(info.width, info.height) < _MIN_INTERLACED_SIDE:
        return picture
    return picture.filter("bwdif", mode="send_frame", deint="interlaced")


def ffmpeg_time(seconds: float) -> str:
    """Format a time for ffmpeg, with a precision of microseconds."""
    return f"{seconds:.6f}"


def scaled_size(width: int, height: int, *, longest: int) -> tuple[int, int]:
    """Return the size of a picture after it is scaled down to sides of at most `longest`.

    The width and the height are even numbers.
    """
    scale = min(1.0, longest / max(width, height))
    return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    return max(2, round(side / 2) * 2)
