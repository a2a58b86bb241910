"""Extracts a clip's poster, which is the still picture that cards and pages show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.media.mp4.reader import read_mp4
from bot.media.process.child import ProcessLimits
from bot.media.render.colours import as_bt709, wide_colours
from bot.media.render.video_stream import ffmpeg_time, open_clip, picture_of, scaled_size

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.mp4.reader import VideoInfo
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.colours import Colours

_MAX_SIDE = 1280  # in pixels
_SEARCHED_SECONDS = 30.0
_MIN_LUMA = 48  # of the 90th percentile of a frame's pixels; black is 16, and 255 the maximum
_LIMITS = ProcessLimits(wall_seconds=60, cpu_seconds=120, file_bytes=8 * 1024**2)


async def extract_poster(ffmpeg: Ffmpeg, clip: Path, target: Path) -> None:
    """Write the first frame of the MP4 `clip` that isn't black to the JPEG `target`.

    If all frames in the first 30 s are black, the very first frame is used. The longer side of the
    poster has at most 1280 pixels. Raises MediaError if the clip isn't a complete MP4, or if ffmpeg
    fails.
    """
    info = await asyncio.to_thread(read_mp4, clip)
    colours = await wide_colours(ffmpeg, clip, info)
    part = part_of(target)
    try:
        for skip_black in (True, False):
            arguments = _arguments(clip, info, part, skip_black=skip_black, colours=colours)
            await ffmpeg.run(arguments, cwd=target.parent, limits=_LIMITS)
            if await asyncio.to_thread(_is_written, part):
                break
        await run_uncancelled(commit, part, target)
    finally:
        await run_uncancelled(part.unlink, missing_ok=True)


def _arguments(
    clip: Path, info: VideoInfo, part: Path, *, skip_black: bool, colours: Colours | None
) -> list[str]:
    width, height = scaled_size(info.width, info.height, longest=_MAX_SIDE)
    picture = picture_of(open_clip(clip, info), info).filter("scale", width, height)
    frames = as_bt709(picture, colours).filter("format", "yuv420p")
    if skip_black:
        frames = frames.filter("signalstats").filter(
            "metadata",
            mode="select",
            key="lavfi.signalstats.YHIGH",
            value=_MIN_LUMA,
            function="greater",
        )
    output = graph.output(
        frames.filter("format", "yuvj420p"),
        f"file:{part.absolute()}",
        **{"frames:v": 1, "q:v": 4},
        format="mjpeg",
        vcodec="mjpeg",
        map_metadata=-1,
        t=ffmpeg_time(_SEARCHED_SECONDS),
        bitexact=None,
    )
    return ["-v", "error", "-filter_complex_threads", "1", *output.get_args()]


def _is_written(part: Path) -> bool:
    return part.exists() and part.stat().st_size > 0
