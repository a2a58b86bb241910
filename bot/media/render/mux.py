"""Writes a picture and a sound into an MP4 that plays in Discord, in one run of ffmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.media.process.child import ProcessLimits
from bot.media.render.video_stream import exact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.video_stream import Picture

_MARK = "Generated video"
# What a voice has lies below 16 kHz: the bits go there, and the encoder has less to do. A constant
# quality spares it the search for a constant rate: as good as 160 kbit/s in two thirds of the time.
_AAC: Mapping[str, str | float] = {"acodec": "aac", "q:a": 1.6, "cutoff": 16_000}
_MOST_SECONDS = 3600  # whatever a clip says of its length


async def write_mp4(
    ffmpeg: Ffmpeg,
    picture: Picture,
    source: graph.Stream,
    target: Path,
    *,
    sound: graph.Stream | None,
    copied: bool = False,
) -> None:
    """Write to `target` the `picture` of `source`, with `sound`, which may be `copied`.

    MediaError: ffmpeg failed.
    """
    part = part_of(target)
    streams = [picture.stream(source), *([] if sound is None else [sound])]
    coding: Mapping[str, str | float] = {"acodec": "copy"} if copied else _AAC
    output = graph.output(
        *streams,
        f"file:{part.absolute()}",
        **picture.options(),
        **coding,
        **marks(picture.info.title),
        format="mp4",
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        t=exact(picture.seconds),
        bitexact=None,
    )
    arguments = ["-v", "warning", "-filter_complex_threads", "1", *output.get_args()]
    try:
        await ffmpeg.run(arguments, cwd=target.parent, limits=_limits(picture))
        await run_uncancelled(commit, part, target)
    finally:
        await run_uncancelled(part.unlink, missing_ok=True)


def marks(title: str | None) -> dict[str, str]:
    """Return the options that keep a title, and say that no camera took this; all else goes."""
    made = {"metadata:g:0": f"comment={_MARK}"}
    return made | {"metadata:g:1": f"title={title}"} if title else made


def _limits(picture: Picture) -> ProcessLimits:
    wall = 120 + picture.seconds / 5
    if picture.encoded:
        wall += 480 + 10 * picture.info.seconds
    wall = min(wall, _MOST_SECONDS)
    return ProcessLimits(wall_seconds=wall, cpu_seconds=2 * round(wall))
