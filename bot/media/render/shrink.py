"""Makes a smaller copy of a clip for an upload limit, by encoding the clip at most twice."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.errors import MediaError
from bot.media.files.atomic import part_of, run_uncancelled
from bot.media.mp4.reader import read_mp4
from bot.media.process.child import LostChildError, ProcessLimits
from bot.media.provenance import MARK_BYTES, DigitalSource, commit_marked
from bot.media.render.colours import BT709, as_bt709, wide_colours
from bot.media.render.mp4_output import metadata_options
from bot.media.render.shrink_plan import ShrinkSource, make_plan
from bot.media.render.video_stream import (
    CLOCK,
    deinterlaced,
    encoder_settings_for,
    hold_last_frame,
    open_clip,
    picture_of,
    sound_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.media.mp4.reader import VideoInfo
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.colours import Colours
    from bot.media.render.shrink_plan import ShrinkPlan
    from bot.media.render.video_stream import EncoderSettings

log = logging.getLogger(__name__)

_PASSES = 2
_SECOND_PASS_TARGET = 0.95  # the size that the second pass aims at, as a share of the limit
_MAX_DECENT_QUANTIZER = 40.0
_QUANTIZER = re.compile(r"frame P:\s*\d+\s+Avg QP:\s*([\d.]+)")
_ONE_THREAD_SECONDS = 15  # the time that one thread may take to encode a second of a clip


class TooLittleRoomError(MediaError):
    """The limit is so low that a copy would look bad.

    The clip should be shared as a link instead.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrunkVideo:
    """A clip that is within the size limit.

    `size`: the size in bytes. `passes`: the number of encodings, or 0 if the original is small
    enough.
    """

    path: Path
    size: int
    width: int
    height: int
    passes: int


async def shrink_video(
    ffmpeg: Ffmpeg,
    clip: Path,
    target: Path,
    *,
    limit_bytes: int,
    decent: bool = True,
    on_progress: Callable[[float], None] | None = None,
) -> ShrunkVideo:
    """Write a copy of the MP4 `clip` with at most `limit_bytes` to `target`.

    If `clip` is already small enough, nothing is written, and the result has the path of `clip`.
    `decent`: whether to refuse if the copy would look bad.
    `on_progress`: is called with the finished share, from 0 to 1, which never decreases.
    Raises TooLittleRoomError if the limit is too low. Raises MediaError if the clip isn't a
    complete MP4, or if ffmpeg fails.
    """
    info = await asyncio.to_thread(read_mp4, clip)
    source = ShrinkSource(
        width=info.width,
        height=info.height,
        seconds=info.seconds,
        moving=info.moving,
        longest=encoder_settings_for(info).longest,
        sound=info.audio_codec is not None,
    )
    size = (await asyncio.to_thread(clip.stat)).st_size
    if size <= limit_bytes:
        return ShrunkVideo(path=clip, size=size, width=source.width, height=source.height, passes=0)
    plan = make_plan(source, limit_bytes - MARK_BYTES, decent=decent)
    if plan is None:
        raise TooLittleRoomError(f"{limit_bytes} bytes are too few for {source.seconds:.0f} s")
    inputs = _ShrinkInput(
        clip=clip,
        target=target,
        info=info,
        limit_bytes=limit_bytes,
        decent=decent,
        colours=await wide_colours(ffmpeg, clip, info),
    )
    try:
        shrunk = await _encode_with_fallback(
            ffmpeg, inputs, plan, _Progress(source.seconds, on_progress)
        )
        digital_source = info.digital_source or DigitalSource.MODEL
        await run_uncancelled(commit_marked, inputs.part, target, digital_source)
    finally:
        await run_uncancelled(inputs.part.unlink, missing_ok=True)
    log.info(
        "fit.done bytes=%s of=%s size=%sx%s passes=%s",
        shrunk.size,
        limit_bytes,
        plan.width,
        plan.height,
        shrunk.passes,
    )
    return shrunk


@dataclass(frozen=True, kw_only=True, slots=True)
class _ShrinkInput:
    """The values that are the same in the first and the second pass of encoding."""

    clip: Path
    target: Path
    info: VideoInfo
    limit_bytes: int
    decent: bool
    colours: Colours | None

    @property
    def part(self) -> Path:
        return part_of(self.target)


class _Progress:
    """Reports the finished share, which never decreases even if a second pass starts at 0 again."""

    def __init__(self, seconds: float, listener: Callable[[float], None] | None) -> None:
        self._seconds = seconds
        self._listener = listener
        self._furthest = 0.0

    def __call__(self, seconds: float) -> None:
        self._furthest = max(self._furthest, min(1.0, seconds / self._seconds))
        if self._listener:
            self._listener(self._furthest)


async def _encode_with_fallback(
    ffmpeg: Ffmpeg, inputs: _ShrinkInput, plan: ShrinkPlan, progress: _Progress
) -> ShrunkVideo:
    """Encode a clip. If its sound can't be decoded, encode it without sound."""
    try:
        return await _encode(ffmpeg, inputs, plan, progress)
    except (TooLittleRoomError, LostChildError):
        raise
    except MediaError as error:
        if not plan.sound_rate:
            raise
        log.warning("fit.sound_dropped reason=%r", str(error))
    return await _encode(ffmpeg, inputs, replace(plan, sound_rate=0), progress)


async def _encode(
    ffmpeg: Ffmpeg, inputs: _ShrinkInput, plan: ShrinkPlan, progress: _Progress
) -> ShrunkVideo:
    size = 0
    for number in range(1, _PASSES + 1):
        stderr = await _run(ffmpeg, inputs, plan, progress)
        if inputs.decent and _mean_quantizer(stderr) > _MAX_DECENT_QUANTIZER:
            raise TooLittleRoomError(f"{inputs.limit_bytes} bytes are too few for such a picture")
        size = (await asyncio.to_thread(inputs.part.stat)).st_size + MARK_BYTES
        if size <= inputs.limit_bytes:
            return ShrunkVideo(
                path=inputs.target,
                size=size,
                width=plan.width,
                height=plan.height,
                passes=number,
            )
        log.info("fit.too_large bytes=%s of=%s pass=%s", size, inputs.limit_bytes, number)
        plan = plan.scaled(_SECOND_PASS_TARGET * inputs.limit_bytes / size)
    raise TooLittleRoomError(f"the result has {size} bytes, the limit is {inputs.limit_bytes}")


async def _run(ffmpeg: Ffmpeg, inputs: _ShrinkInput, plan: ShrinkPlan, progress: _Progress) -> str:
    """Encode once, and return ffmpeg's stderr. Stopping at the size limit is not an error."""
    limits = _limits(inputs)
    try:
        return await ffmpeg.run(
            _arguments(inputs, plan), cwd=inputs.part.parent, limits=limits, on_progress=progress
        )
    except MediaError as error:
        if await asyncio.to_thread(_size, inputs.part) < limits.file_bytes:
            raise
        return error.stderr_tail


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _mean_quantizer(stderr: str) -> float:
    """Return x264's mean quantizer, from 0 to 51. At about 40, the picture is mostly blocks."""
    found = _QUANTIZER.findall(stderr)
    return float(found[-1]) if found else 0.0


def _limits(inputs: _ShrinkInput) -> ProcessLimits:
    threads = encoder_settings_for(inputs.info).threads
    wall = 120 + round(inputs.info.seconds * (1 if threads > 1 else _ONE_THREAD_SECONDS))
    return ProcessLimits(
        wall_seconds=wall,
        cpu_seconds=2 * wall,
        # If a first pass reaches twice the limit, it is stopped, and a second pass follows. In
        # tests, this never happened.
        file_bytes=2 * inputs.limit_bytes + 1024 * 1024,
    )


def _arguments(inputs: _ShrinkInput, plan: ShrinkPlan) -> list[str]:
    source = open_clip(inputs.clip, inputs.info)
    picture = deinterlaced(picture_of(source, inputs.info), inputs.info)
    picture = picture.filter("scale", plan.width, plan.height, flags="bicubic")
    streams = [as_bt709(picture, inputs.colours)]
    if plan.sound_rate:
        streams.append(sound_of(source, inputs.info))
    output = graph.output(
        *streams,
        f"file:{inputs.part.absolute()}",
        format="mp4",
        **_picture_options(plan, encoder_settings_for(inputs.info)),
        **(BT709 if inputs.colours else {}),
        **(hold_last_frame(inputs.info.seconds) if inputs.info.timing.is_held else {}),
        **(_sound_options(plan) if plan.sound_rate else {}),
        **metadata_options(inputs.info.title),
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        bitexact=None,
    )
    return ["-v", "info", "-filter_complex_threads", "1", *output.get_args()]


def _picture_options(plan: ShrinkPlan, encoder: EncoderSettings) -> dict[str, str | float]:
    # The quality is constant, and only the bit rate is limited. This way, simple clips stay small.
    return {
        "vcodec": "libx264",
        **CLOCK,
        "preset": "veryfast",
        "crf": 18,
        "maxrate": plan.max_rate,
        "bufsize": plan.buffer,
        "pix_fmt": "yuv420p",
        "rc-lookahead": encoder.lookahead,
        "threads": encoder.threads,
    }


def _sound_options(plan: ShrinkPlan) -> dict[str, str | int]:
    return {"acodec": "aac", "audio_bitrate": plan.sound_rate, "ac": 2, "ar": 48_000}
