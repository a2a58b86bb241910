"""Cancels the operations of the media package at random moments, and lists what they leave."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.media.files.atomic import save
from bot.media.narration.ingest import Narration, ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.encoded_narration import encode_narration
from bot.media.render.merge_narration import merge, repair
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.media.render.poster import extract_poster
from bot.media.render.shrink import shrink_video
from tests.support.child_processes import children
from tests.support.media import clips

Operation = Callable[[Ffmpeg, Path, Path], Awaitable[object]]


def _merging(fit: NarrationFit, mix: NarrationMix, clip: str = "clip.mp4") -> Operation:
    def run(ffmpeg: Ffmpeg, source: Path, folder: Path) -> Awaitable[object]:
        narration = Narration(path=source / "voice.wav", seconds=6, loudness=-20)
        options = NarrationOptions(fit=fit, mix=mix)
        return merge(ffmpeg, source / clip, narration, folder / "result.mp4", options)

    return run


def _copying(ffmpeg: Ffmpeg, source: Path, folder: Path) -> Awaitable[object]:
    narration = Narration(path=source / "encoded.wav", seconds=2, loudness=-20)
    clip = source / "clip.mp4"
    return merge(ffmpeg, clip, narration, folder / "result.mp4", NarrationOptions())


async def _encoding_ahead(ffmpeg: Ffmpeg, source: Path, folder: Path) -> None:
    voice = folder / "voice.wav"
    voice.hardlink_to(source / "voice.wav")
    try:
        await encode_narration(ffmpeg, Narration(path=voice, seconds=6, loudness=-20))
    finally:
        voice.unlink()


def _ingesting(ffmpeg: Ffmpeg, source: Path, folder: Path) -> Awaitable[object]:
    return ingest(ffmpeg, source / "voice.wav", folder / "narration.wav", max_seconds=60)


def _repairing(clip: str) -> Operation:
    return lambda ffmpeg, source, folder: repair(ffmpeg, source / clip, folder / "result.mp4")


def _shrinking(ffmpeg: Ffmpeg, source: Path, folder: Path) -> Awaitable[object]:
    clip = source / "clip.mp4"
    limit = clip.stat().st_size // 2
    return shrink_video(ffmpeg, clip, folder / "small.mp4", limit_bytes=limit, decent=False)


def _saving(_ffmpeg: Ffmpeg, source: Path, folder: Path) -> Awaitable[object]:
    return save(_chunks(source / "voice.wav"), folder / "clip.mp4", max_bytes=10 * 1024**2)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    content = await asyncio.to_thread(path.read_bytes)
    for start in range(0, len(content), 4096):
        yield content[start : start + 4096]


OPERATIONS: dict[str, Operation] = {
    "ingest": _ingesting,
    "encode ahead": _encoding_ahead,
    "copy": _copying,
    "replace": _merging(NarrationFit.TRIM, NarrationMix.REPLACE),
    "duck": _merging(NarrationFit.TRIM, NarrationMix.DUCK),
    "hold": _merging(NarrationFit.HOLD, NarrationMix.REPLACE),
    "loop": _merging(NarrationFit.LOOP, NarrationMix.DUCK),
    "merge and encode": _merging(NarrationFit.HOLD, NarrationMix.DUCK, "odd.mp4"),
    "remux": _repairing("late.mp4"),
    "encode": _repairing("odd.mp4"),
    "shrink": _shrinking,
    "download": _saving,
    "poster": lambda ffmpeg, source, folder: extract_poster(
        ffmpeg, source / "clip.mp4", folder / "poster.jpg"
    ),
}


@dataclass(kw_only=True, slots=True)
class Cancels:
    """The number of operations that were cancelled in time, and the leftover files and children."""

    cancelled: int = 0
    left: set[str] = field(default_factory=set[str])


async def cancel_often(name: str, folder: Path, *, times: int) -> Cancels:
    """Cancel an operation at random moments.

    A complete result doesn't count as left over, because it is deleted with its job.
    """
    source, work = folder / "source", folder / "work"
    await asyncio.to_thread(_prepare, source, work)
    ffmpeg = Ffmpeg(clips.binary(), slots=1)
    # The shortest of several runs, because most operations take only tens of milliseconds.
    durations = [await _run(OPERATIONS[name](ffmpeg, source, work)) for _ in range(3)]
    complete = await asyncio.to_thread(_names, work)
    # Children that made the samples may still be running, so only new ones count.
    before = await asyncio.to_thread(children)
    cancels = Cancels()
    for attempt in range(times):
        await asyncio.to_thread(_empty, work)
        moment = min(durations) * (attempt + 0.5) / times
        if await _cancel(OPERATIONS[name](ffmpeg, source, work), moment):
            cancels.cancelled += 1
        found = await asyncio.to_thread(_names, work)
        # A result that consists of several files is complete only with all of them.
        cancels.left |= set() if found == complete else found
        now = await asyncio.to_thread(children)
        cancels.left |= {name for pid, name in now.items() if pid not in before}
    return cancels


async def _run(operation: Awaitable[object]) -> float:
    started = time.perf_counter()
    await operation
    return time.perf_counter() - started


async def _cancel(operation: Awaitable[object], moment: float) -> bool:
    """Cancel an operation after about `moment` seconds; False: it had already finished."""
    task = asyncio.ensure_future(operation)
    await asyncio.wait({task}, timeout=moment * random.uniform(0.9, 1.1))  # noqa: S311 - not for security
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()
    return task.cancelled()


def _prepare(source: Path, work: Path) -> None:
    source.mkdir()
    work.mkdir()
    clips.make_speech(source / "voice.wav", seconds=6)
    clips.make_speech(source / "encoded.m4a", seconds=30)
    clips.make_clip(source / "clip.mp4", seconds=4)
    clips.make_clip(source / "late.mp4", seconds=4, faststart=False)
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25")
    sound = ("-f", "lavfi", "-i", "sine=f=1000")
    clips.make(source / "odd.mp4", *picture, *sound, "-t", "4", "-c:v", "mpeg4")


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
