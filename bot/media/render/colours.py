"""Converts a picture's brightness and colours to BT.709, which every player supports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.playable import is_wide
from bot.media.process.child import LostChildError, ProcessLimits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import ffmpeg as graph

    from bot.media.mp4.reader import VideoInfo
    from bot.media.process.ffmpeg import Ffmpeg

BT709: Mapping[str, str | float] = {
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "colorspace": "bt709",
    "color_range": "tv",
}
"""The ffmpeg output options that declare a picture's colours to be BT.709."""

_H264 = ("avc1", "avc3")
_WHITE_NITS = 203  # the brightness of a white page in HDR (ITU-R BT.2408)
_PEAK = 1000 / _WHITE_NITS  # anything brighter is cut off
_KNEE = 0.3  # anything darker keeps its brightness
_PQ, _HLG = 16, 18
_TRANSFERS = {_PQ: "smpte2084", _HLG: "arib-std-b67", 14: "bt2020-10", 15: "bt2020-12"}
_PRIMARIES = {9: "bt2020", 12: "smpte432"}
# The numbers in ISO/IEC 23091-2 for the names that ffmpeg prints.
_NUMBERS = {
    "bt2020": 9,
    "smpte432": 12,
    "smpte2084": _PQ,
    "arib-std-b67": _HLG,
    "bt2020-10": 14,
    "bt2020-12": 15,
}
# Matches ffmpeg's line about a video stream. A file's metadata may imitate such a line, but ffmpeg
# indents metadata further.
_PRINTED = re.compile(
    r"^ {1,4}Stream #\S{1,80}: Video: .{0,500}?[(, ][\w-]{1,40}/([\w-]{1,40})/([\w-]{1,40})[,)]",
    re.MULTILINE,
)
_LIMITS = ProcessLimits(wall_seconds=30, cpu_seconds=30, file_bytes=1024**2)

Step = tuple[str, "Mapping[str, str | float]"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Colours:
    """Colours that exceed BT.709, given by their numbers in ISO/IEC 23091-2."""

    primaries: int
    transfer: int


async def wide_colours(ffmpeg: Ffmpeg, clip: Path, info: VideoInfo) -> Colours | None:
    """Return a clip's colours if they must be converted to BT.709 and ffmpeg can do that.

    Returns None otherwise. Raises LostChildError if ffmpeg could not be started.
    """
    stated = info.colours
    if stated is None and info.video_codec not in _H264:
        stated = await probe_colours(ffmpeg, clip, demuxer="mov", number=info.video_number)
    return await convertible(ffmpeg, stated, cwd=clip.parent)


async def convertible(
    ffmpeg: Ffmpeg, stated: tuple[int, int] | None, *, cwd: Path
) -> Colours | None:
    """Return the stated colours, or None if they are within BT.709 or ffmpeg can't convert them."""
    if stated is None or not is_wide(stated):
        return None
    if not await ffmpeg.has_filters("zscale", "tonemap", cwd=cwd, limits=_LIMITS):
        return None
    return Colours(primaries=stated[0], transfer=stated[1])


async def probe_colours(
    ffmpeg: Ffmpeg, clip: Path, *, demuxer: str, number: int
) -> tuple[int, int] | None:
    """Return the primaries and the transfer function that ffmpeg reports, or None."""
    try:
        stderr = await ffmpeg.run(_probing(clip, demuxer, number), cwd=clip.parent, limits=_LIMITS)
    except LostChildError:
        raise
    except MediaError:
        return None
    # The last line about a picture describes ffmpeg's output, which is a copy of the clip.
    for primaries, transfer in reversed(_PRINTED.findall(stderr)):
        return _NUMBERS.get(primaries, 2), _NUMBERS.get(transfer, 2)
    return None


def _probing(clip: Path, demuxer: str, number: int) -> list[str]:
    return [
        *("-v", "info", "-protocol_whitelist", "file", "-format_whitelist", demuxer),
        *("-f", demuxer, "-i", f"file:{clip.absolute()}", "-map", f"0:v:{number}"),
        *("-c", "copy", "-t", "0", "-f", "null", "-"),
    ]


def bt709_steps(colours: Colours | None) -> Sequence[Step]:
    """Return the filters that convert colours to BT.709, or no filters if `colours` is None."""
    if colours is None:
        return ()
    # The properties of the source are set again, because decoders may lose them. zscale doesn't
    # guess them.
    source: Step = (
        "setparams",
        {
            "color_primaries": _PRIMARIES.get(colours.primaries, "bt2020"),
            "color_trc": _TRANSFERS.get(colours.transfer, "bt709"),
            "colorspace": "bt2020nc",
        },
    )
    ten_bits: Step = ("format", {"pix_fmts": "yuv420p10le"})
    target: Step = ("zscale", {"p": "709", "t": "709", "m": "709", "r": "limited"})
    if colours.transfer not in (_PQ, _HLG):
        return (ten_bits, source, target)
    return (
        ten_bits,
        source,
        ("zscale", {"t": "linear", "npl": _WHITE_NITS}),
        ("format", {"pix_fmts": "gbrpf32le"}),
        ("zscale", {"p": "709"}),
        ("tonemap", {"tonemap": "mobius", "param": _KNEE, "desat": 0, "peak": f"{_PEAK:.3f}"}),
        target,
    )


def as_bt709(picture: graph.Stream, colours: Colours | None) -> graph.Stream:
    """Convert a picture from these colours to BT.709, or return it unchanged if they are None.

    The picture should already have its final size.
    """
    for name, options in bt709_steps(colours):
        picture = picture.filter(name, **options)
    return picture


def as_text(step: Step) -> str:
    """Return a filter in the syntax of ffmpeg's simple filter graphs."""
    name, options = step
    return f"{name}={':'.join(f'{key}={value}' for key, value in options.items())}"
