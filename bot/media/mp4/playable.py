"""Decides whether a clip plays inside Discord as it is, and what has to be done to it if not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.media.mp4.frame_timing import FrameTiming
    from bot.media.mp4.reader import VideoInfo

# 8 bits and 4:2:0 in each of them. More bits or colours play in browsers, not on phones.
_H264_BASELINE, _H264_MAIN, _H264_HIGH = 66, 77, 100
_PROFILES = frozenset({_H264_BASELINE, _H264_MAIN, _H264_HIGH})
# MPEG-4 AAC, the three of MPEG-2 AAC, and MP3.
_SOUNDS = frozenset({0x40, 0x66, 0x67, 0x68, 0x69, 0x6B})
_FASTEST = 121  # frames a second: more than any screen shows
_STEADY = 60
_PAUSE = 0.5  # a picture that stands for so long between quick ones looks like a fault
_UNEVEN = 8  # times as long as a usual frame


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """What has to be made anew for a clip to play: its picture, its sound, or only its order."""

    picture: bool
    sound: bool
    order: bool

    @property
    def is_due(self) -> bool:
        """Whether anything has to be done."""
        return self.picture or self.sound or self.order


def repair_for(info: VideoInfo) -> Repair:
    """Find out what keeps a clip from playing inside Discord."""
    return Repair(
        picture=(
            info.video_codec != "avc1"
            or info.h264_profile not in _PROFILES
            or info.turned
            or bool(info.width % 2 or info.height % 2)
            or not is_steady(info.timing)
        ),
        sound=info.audio_codec is not None and info.audio_object not in _SOUNDS,
        order=(
            not info.streamable
            or info.fragmented
            or info.tracks > (1 if info.audio_codec is None else 2)
        ),
    )


def is_steady(timing: FrameTiming) -> bool:
    """Tell whether frames follow each other about as evenly as a camera takes them."""
    if not timing.usual:
        return True
    uneven = timing.longest > _UNEVEN * timing.usual and timing.longest > _PAUSE
    return not uneven and timing.usual * _FASTEST >= 1


def steady_rate(timing: FrameTiming) -> float:
    """Return the frames a second that a picture without a steady rate is to have."""
    return min(_STEADY, 1 / timing.usual)
