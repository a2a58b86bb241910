"""Makes a clip small enough for an upload: at most two quick passes, or an honest no."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.errors import MediaError
from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.media.mp4.reader import read_mp4
from bot.media.process.child import LostChildError, ProcessLimits
from bot.media.render.mux import marks
from bot.media.render.shrink_plan import ShrinkSource, make_plan
from bot.media.render.video_stream import CLOCK, effort_for, lasting, open_clip, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.media.mp4.reader import VideoInfo
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.shrink_plan import ShrinkPlan
    from bot.media.render.video_stream import Effort

log = logging.getLogger(__name__)

_PASSES = 2
_SECOND_AIM = 0.95  # of the limit
_COARSEST = 40.0
_QUANTIZER = re.compile(r"frame P:\s*\d+\s+Avg QP:\s*([\d.]+)")
_SLOWNESS = 15  # seconds more for each second of a clip that one thread decodes


class TooLittleRoomError(MediaError):
    """The clip can't be decent in so few bytes: a link to it serves better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrunkVideo:
    """A clip below the limit, `size` in bytes; `passes` is 0 for one that was small enough."""

    path: Path
    size: int
    width: int
    height: int
    passes: int


async def fit(  # two files, a limit, and two ways to be asked
    ffmpeg: Ffmpeg,
    clip: Path,
    target: Path,
    *,
    limit_bytes: int,
    decent: bool = True,
    on_progress: Callable[[float], None] | None = None,
) -> ShrunkVideo:
    """Write to `target` the MP4 `clip`, whole and in no more than `limit_bytes`.

    A clip that is small enough is returned where it is, untouched. `on_progress` gets a share, 0
    to 1, that never falls. TooLittleRoomError: it would look bad (`decent`), or can't be done at
    all. MediaError: the clip isn't a whole MP4, or ffmpeg failed.
    """
    info = await asyncio.to_thread(read_mp4, clip)
    source = ShrinkSource(
        width=info.width,
        height=info.height,
        seconds=info.seconds,
        moving=info.moving,
        longest=effort_for(info).longest,
        sound=info.audio_codec is not None,
    )
    size = (await asyncio.to_thread(clip.stat)).st_size
    if size <= limit_bytes:
        return ShrunkVideo(path=clip, size=size, width=source.width, height=source.height, passes=0)
    plan = make_plan(source, limit_bytes, decent=decent)
    if plan is None:
        raise TooLittleRoomError(f"{limit_bytes} bytes are too few for {source.seconds:.0f} s")
    job = _Job(
        clip=clip,
        target=target,
        info=info,
        limit_bytes=limit_bytes,
        decent=decent,
    )
    try:
        fitted = await _encode_any(ffmpeg, job, plan, _Progress(source.seconds, on_progress))
        await run_uncancelled(commit, job.part, target)
    finally:
        await run_uncancelled(job.part.unlink, missing_ok=True)
    log.info(
        "fit.done bytes=%s of=%s size=%sx%s passes=%s",
        *(fitted.size, limit_bytes, plan.width, plan.height, fitted.passes),
    )
    return fitted


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """What stays the same in each pass."""

    clip: Path
    target: Path
    info: VideoInfo
    limit_bytes: int
    decent: bool

    @property
    def part(self) -> Path:
        return part_of(self.target)


class _Progress:
    """Tells shares of the whole that never fall, though a second pass starts from nothing."""

    def __init__(self, seconds: float, listener: Callable[[float], None] | None) -> None:
        self._seconds = seconds
        self._listener = listener
        self._furthest = 0.0

    def __call__(self, seconds: float) -> None:
        self._furthest = max(self._furthest, min(1.0, seconds / self._seconds))
        if self._listener:
            self._listener(self._furthest)


async def _encode_any(
    ffmpeg: Ffmpeg, job: _Job, plan: ShrinkPlan, progress: _Progress
) -> ShrunkVideo:
    """Encode a clip, without a sound that nothing can decode."""
    try:
        return await _encode(ffmpeg, job, plan, progress)
    except (TooLittleRoomError, LostChildError):
        raise
    except MediaError as error:
        if not plan.sound_rate:
            raise
        log.warning("fit.sound_dropped reason=%r", str(error))
    return await _encode(ffmpeg, job, replace(plan, sound_rate=0), progress)


async def _encode(ffmpeg: Ffmpeg, job: _Job, plan: ShrinkPlan, progress: _Progress) -> ShrunkVideo:
    size = 0
    for number in range(1, _PASSES + 1):
        stderr = await _run(ffmpeg, job, plan, progress)
        if job.decent and _coarseness(stderr) > _COARSEST:
            raise TooLittleRoomError(f"{job.limit_bytes} bytes are too few for such a picture")
        size = (await asyncio.to_thread(job.part.stat)).st_size
        if size <= job.limit_bytes:
            return ShrunkVideo(
                path=job.target,
                size=size,
                width=plan.width,
                height=plan.height,
                passes=number,
            )
        log.info("fit.too_large bytes=%s of=%s pass=%s", size, job.limit_bytes, number)
        plan = plan.scaled(_SECOND_AIM * job.limit_bytes / size)
    raise TooLittleRoomError(f"{size} bytes came out, {job.limit_bytes} may be")


async def _run(ffmpeg: Ffmpeg, job: _Job, plan: ShrinkPlan, progress: _Progress) -> str:
    """Encode once, and return what ffmpeg said, though it wrote far too much."""
    limits = _limits(job)
    try:
        return await ffmpeg.run(
            _arguments(job, plan), cwd=job.part.parent, limits=limits, on_progress=progress
        )
    except MediaError as error:
        if await asyncio.to_thread(_size, job.part) < limits.file_bytes:
            raise
        return error.stderr_tail


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _coarseness(stderr: str) -> float:
    """Return x264's mean quantizer, 0 to 51: from about 40 on, blocks are all that is left."""
    found = _QUANTIZER.findall(stderr)
    return float(found[-1]) if found else 0.0


def _limits(job: _Job) -> ProcessLimits:
    threads = effort_for(job.info).threads
    wall = 120 + round(job.info.seconds * (1 if threads > 1 else _SLOWNESS))
    return ProcessLimits(
        wall_seconds=wall,
        cpu_seconds=2 * wall,
        # Twice the limit is far more than ever came out: a second pass will have to do.
        file_bytes=2 * job.limit_bytes + 1024 * 1024,
    )


def _arguments(job: _Job, plan: ShrinkPlan) -> list[str]:
    source = open_clip(job.clip, job.info)
    picture = whole(source["v:0"], job.info)
    streams = [picture.filter("scale", plan.width, plan.height, flags="bicubic")]
    if plan.sound_rate:
        streams.append(source["a:0"])
    output = graph.output(
        *streams,
        f"file:{job.part.absolute()}",
        format="mp4",
        **_picture(plan, effort_for(job.info)),
        **(lasting(job.info.seconds) if job.info.timing.is_held else {}),
        **(_sound(plan) if plan.sound_rate else {}),
        **marks(job.info.title),
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        bitexact=None,
    )
    return ["-v", "info", "-filter_complex_threads", "1", *output.get_args()]


def _picture(plan: ShrinkPlan, effort: Effort) -> dict[str, str | float]:
    # The quality is asked for, the rate is only capped: what is simple stays small.
    return {
        "vcodec": "libx264",
        **CLOCK,
        "preset": "veryfast",
        "crf": 18,
        "maxrate": plan.max_rate,
        "bufsize": plan.buffer,
        "pix_fmt": "yuv420p",
        "rc-lookahead": effort.lookahead,
        "threads": effort.threads,
    }


def _sound(plan: ShrinkPlan) -> dict[str, str | int]:
    return {"acodec": "aac", "audio_bitrate": plan.sound_rate, "ac": 2, "ar": 48_000}
