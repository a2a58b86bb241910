"""Writes picture and sound to an MP4 that plays in Discord, with one run of ffmpeg."""

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
# Speech has no frequencies above 16 kHz, so a cutoff there saves bits and time. With a constant
# quality, the encoder need not search for the settings that meet a bit rate. The result sounds like
# 160 kbit/s, and takes two thirds of the time.
AAC: Mapping[str, str | float] = {"acodec": "aac", "q:a": 1.6, "cutoff": 16_000}
# The filters for a sound that changes its format midway. They are in a graph of their own.
# Otherwise, they would restart wherever the picture changes its format.
_PLAIN = "aresample=48000:async=1,aformat=channel_layouts=stereo:sample_fmts=s16"
_MAX_WALL_SECONDS = 3600  # even if a clip's index states a very long duration


class SoundTreatment(Enum):
    """The way in which a sound is stored.

    `COPIED`: without encoding it. `CUT`: the same, but cut off at the end of the picture.
    `ENCODED`: encoded. `JOINED`: encoded from a sound that changes its format midway.
    """

    COPIED = auto()
    CUT = auto()
    ENCODED = auto()
    JOINED = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """The sound of a video, and the way in which it is stored."""

    stream: graph.Stream
    treatment: SoundTreatment = SoundTreatment.ENCODED

    def options(self, seconds: float) -> Mapping[str, str | float]:
        """Return the output options for this sound, in a video with a duration of `seconds`."""
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
    """Return the output options that make the last packet end together with the video."""
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
    """Write the `picture` of `source`, together with `sound`, to the MP4 `target`.

    The file is marked with its `digital_source`. Raises MediaError if ffmpeg fails.
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
    """Return the output options for the metadata: the title, if any, and a comment."""
    comment = {"metadata:g:0": f"comment={_COMMENT}"}
    return comment | {"metadata:g:1": f"title={title}"} if title else comment


def _limits(picture: Picture) -> ProcessLimits:
    wall = 120 + picture.seconds / 5
    if picture.encoded:
        wall += 480 + 10 * picture.info.seconds
    wall = min(wall, _MAX_WALL_SECONDS)
    return ProcessLimits(wall_seconds=wall, cpu_seconds=2 * round(wall))
