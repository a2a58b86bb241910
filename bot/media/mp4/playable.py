"""Tells which parts of a clip need repair before the clip plays in Discord."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.media.mp4.frame_timing import FrameTiming
    from bot.media.mp4.reader import VideoInfo

# All of these profiles have 8 bits and 4:2:0 chroma subsampling. Other formats play in browsers,
# but not on phones.
_H264_BASELINE, _H264_MAIN, _H264_HIGH = 66, 77, 100
_PROFILES = frozenset({_H264_BASELINE, _H264_MAIN, _H264_HIGH})
# These are the object types of MPEG-4 AAC, of the three profiles of MPEG-2 AAC, and of MP3.
_SOUNDS = frozenset({0x40, 0x66, 0x67, 0x68, 0x69, 0x6B})
# The primaries of BT.2020, and the transfer functions of BT.2020, PQ and HLG. A picture that uses
# one of them looks dull or dark in players that only support BT.709.
_WIDE_PRIMARIES, _WIDE_TRANSFERS = 9, frozenset({14, 15, 16, 18})
_MAX_FRAME_RATE = 121  # frames per second; screens don't show more
_MAX_STEADY_RATE = 60
_PAUSE_SECONDS = 0.5  # a single frame of this duration looks as if the video has stopped
_PAUSE_RATIO = 8  # the duration of such a frame, as a multiple of the usual duration


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """The parts of a clip that need repair.

    The container is repaired by remuxing, and the other parts by re-encoding.
    """

    picture: bool
    sound: bool
    container: bool

    @property
    def is_needed(self) -> bool:
        """True if any part needs repair."""
        return self.picture or self.sound or self.container


def repair_for(info: VideoInfo) -> Repair:
    """Return the parts that prevent a clip from playing in Discord."""
    return Repair(
        picture=(
            info.video_codec != "avc1"
            or info.h264_profile not in _PROFILES
            or info.rotated
            or bool(info.width % 2 or info.height % 2)
            or not is_steady(info.timing)
            or not info.seekable
            or info.video_joined
            or is_wide(info.colours)
        ),
        sound=info.audio_codec is not None
        and (info.audio_object not in _SOUNDS or info.audio_joined),
        container=(
            not info.streamable
            or info.fragmented
            or info.tracks > (1 if info.audio_codec is None else 2)
        ),
    )


def is_wide(colours: tuple[int, int] | None) -> bool:
    """Return whether colours exceed the range of BT.709.

    `colours`: the numbers of the primaries and the transfer function.
    """
    return colours is not None and (colours[0] == _WIDE_PRIMARIES or colours[1] in _WIDE_TRANSFERS)


def is_steady(timing: FrameTiming) -> bool:
    """Return whether the frame rate is plausible and no frame looks frozen."""
    if not timing.usual:
        return True
    uneven = timing.longest > _PAUSE_RATIO * timing.usual and timing.longest > _PAUSE_SECONDS
    return not uneven and timing.usual * _MAX_FRAME_RATE >= 1


def steady_rate(timing: FrameTiming) -> float:
    """Return the frame rate for re-encoding a clip whose own frame rate isn't steady."""
    return min(_MAX_STEADY_RATE, 1 / timing.usual)
