"""Writes picture and sound to an MP4 that plays in Discord, in one ffmpeg run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.files.atomic import part_of, run_uncancelled
from bot.media.process.child import ProcessLimits
from bot.media.provenance import commit_marked
from bot.media.render.video_stream import ffmpeg_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.provenance import DigitalSource
    from bot.media.render.video_stream import Picture

_COMMENT = "Generated video"
# Speech is below 16 kHz, so a cutoff there saves bits and time. With constant quality, the encoder
# need not search for a constant bit rate. It sounds like 160 kbit/s and takes two thirds of the
# time.
AAC: Mapping[str, str | float] = {"acodec": "aac", "q:a": 1.6, "cutoff": 16_000}
# A joined sound is filtered separately, because its filters would restart where the picture
# changes.
_PLAIN = "aresample=48000:async=1,aformat=channel_layouts=stereo:sample_fmts=s16"
_MAX_WALL_SECONDS = 3600  # even for a clip that claims to be very long


class SoundTreatment(Enum):
    """The ways to store a sound.

    It is copied, copied up to the exact end of the picture, encoded, or encoded from parts in
    different formats.
    """

    COPIED = auto()
    CUT = auto()
    ENCODED = auto()
    JOINED = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """A result's sound, and the way in which it is stored."""

    stream: graph.Stream
    treatment: SoundTreatment = SoundTreatment.ENCODED

    def options(self, seconds: float) -> Mapping[str, str | float]:
        """Return the output options for this sound, in a result of `seconds`."""
        match self.treatment:
            case SoundTreatment.COPIED:
                return {"acodec": "copy"}
            case SoundTreatment.CUT:
                return {"acodec": "copy", **_cut_last_packet(seconds)}
            case SoundTreatment.ENCODED:
                return AAC
            case SoundTreatment.JOINED:
                return {"filter:a": _PLAIN, **AAC}


def _cut_last_packet(seconds: float) -> Mapping[str, str]:
    """Return the output options that let the last packet end with the result."""
    rest = f"max(1,min(DURATION,{ffmpeg_time(seconds)}/TB-PTS))"
    return {"bsf:a": f"setts=pts='PTS':dts='DTS':duration='{rest}'"}


async def write_mp4(
    ffmpeg: Ffmpeg,
    picture: Picture,
    source: graph.Stream,
    target: Path,
    *,
    sound: Sound | None,
    digital_source: DigitalSource,
) -> None:
    """Write the `picture` of `source`, together with `sound`, to `target`.

    The result is marked with its `digital_source`. MediaError: ffmpeg failed.
    """
    part = part_of(target)
    sounds = [] if sound is None else [sound]
    output = graph.output(
        picture.stream(source),
        *(each.stream for each in sounds),
        f"file:{part.absolute()}",
        **picture.options(),
        **(sound.options(picture.seconds) if sound else {}),
        **metadata_options(picture.info.title),
        format="mp4",
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        t=ffmpeg_time(picture.seconds),
        bitexact=None,
    )
    arguments = ["-v", "warning", "-filter_complex_threads", "1", *output.get_args()]
    try:
        await ffmpeg.run(arguments, cwd=target.parent, limits=_limits(picture))
        await run_uncancelled(commit_marked, part, target, digital_source)
    finally:
        await run_uncancelled(part.unlink, missing_ok=True)


def metadata_options(title: str | None) -> dict[str, str]:
    """Return options for the output's only metadata: a title, and a comment on its origin."""
    comment = {"metadata:g:0": f"comment={_COMMENT}"}
    return comment | {"metadata:g:1": f"title={title}"} if title else comment


def _limits(picture: Picture) -> ProcessLimits:
    wall = 120 + picture.seconds / 5
    if picture.encoded:
        wall += 480 + 10 * picture.info.seconds
    wall = min(wall, _MAX_WALL_SECONDS)
    return ProcessLimits(wall_seconds=wall, cpu_seconds=2 * round(wall))
