"""`python -m benchmarks.media_operations`: measures each media operation against a remux."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.child_processes import ChildMemorySampler
from benchmarks.comparisons import Moviepy, full_encode
from benchmarks.sample_media import as_arguments
from bot.media.narration.ingest import Narration, ingest
from bot.media.process.child import ProcessLimits
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.media.render.merge_narration import merge
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.media.render.shrink import shrink_video
from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-media.md"
MIB = 1024 * 1024
_SECONDS = 8
_LONG_SECONDS = 20
_LIMITS = ProcessLimits(wall_seconds=600, cpu_seconds=1200)
_OPTIONS = NarrationOptions(max_bytes=4 * 1024 * MIB)  # larger than any result
_MAX_REMUX_RATIO = 5
_MIN_MOVIEPY_RATIO = 20
_REMUX, _REPLACE, _MOVIEPY = "remux, faststart", "replace", "MoviePy"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation that is measured `runs` times; `run` writes its result to the given path."""

    name: str
    run: Callable[[Path], Awaitable[object]]
    runs: int


@dataclass(frozen=True, kw_only=True)
class Cost:
    """An operation's median seconds, and the peak memory of its child processes in bytes."""

    name: str
    seconds: float
    peak: int
    runs: int


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The inputs of all operations; `short` and `long` are ingested narrations."""

    ffmpeg: Ffmpeg
    speech: Path
    short: Narration
    long: Narration
    moviepy: Moviepy | None


async def _make_inputs(folder: Path) -> Inputs:
    ffmpeg = Ffmpeg(await find_ffmpeg(), slots=1)
    speech = await asyncio.to_thread(clips.make_speech, folder / "s.ogg", seconds=_SECONDS)
    long = await asyncio.to_thread(clips.make_speech, folder / "l.ogg", seconds=_LONG_SECONDS)
    return Inputs(
        ffmpeg=ffmpeg,
        speech=speech,
        short=await ingest(ffmpeg, speech, folder / "s.wav", max_seconds=_LONG_SECONDS),
        long=await ingest(ffmpeg, long, folder / "l.wav", max_seconds=_LONG_SECONDS),
        moviepy=await Moviepy.install(folder / "moviepy"),
    )


def _make_clip(path: Path, *, megabytes: int) -> Path:
    """Make a clip of about this size; its noise needs the whole bit rate, without filler data."""
    rate = str(int((megabytes * 8_000_000 - 128_000 * _SECONDS) / _SECONDS))
    options = {
        "-t": str(_SECONDS),
        "-c:v": "libx264",
        "-preset": "ultrafast",
        "-b:v": rate,
        "-maxrate": rate,
        "-bufsize": rate,
        "-pix_fmt": "yuv420p",
        "-c:a": "aac",
        "-b:a": "128k",
        "-movflags": "+faststart",
    }
    picture = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30,noise=alls=60:allf=t")
    sound = ("-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*220*t)+0.05*random(0)':s=48000")
    clips.ffmpeg(*picture, *sound, *as_arguments(options), str(path))
    return path


def _operations(inputs: Inputs, clip: Path) -> list[Operation]:
    def merging(
        narration: Narration, options: NarrationOptions = _OPTIONS
    ) -> Callable[[Path], Awaitable[object]]:
        return lambda target: merge(inputs.ffmpeg, clip, narration, target, options)

    limit = min(clip.stat().st_size // 2, 10 * MIB)
    return [
        Operation(name=_REMUX, run=partial(_remux, inputs.ffmpeg, clip), runs=7),
        Operation(name=_REPLACE, run=merging(inputs.short), runs=7),
        Operation(
            name="duck",
            run=merging(inputs.short, replace(_OPTIONS, mix=NarrationMix.DUCK)),
            runs=5,
        ),
        Operation(
            name=f"loop to {_LONG_SECONDS} s",
            run=merging(inputs.long, replace(_OPTIONS, fit=NarrationFit.LOOP)),
            runs=5,
        ),
        Operation(
            name=f"hold to {_LONG_SECONDS} s",
            run=merging(inputs.long, replace(_OPTIONS, fit=NarrationFit.HOLD)),
            runs=5,
        ),
        Operation(name="ingest and measure loudness", run=partial(_ingest, inputs), runs=5),
        Operation(
            name=f"shrink below {limit / MIB:.1f} MiB",
            run=lambda target: shrink_video(
                inputs.ffmpeg, clip, target, limit_bytes=limit, decent=False
            ),
            runs=1,
        ),
        Operation(
            name="replace, libx264 medium, crf 18",
            run=lambda target: inputs.ffmpeg.run(
                full_encode(clip, inputs.speech, target), cwd=target.parent, limits=_LIMITS
            ),
            runs=1,
        ),
    ]


async def _remux(ffmpeg: Ffmpeg, clip: Path, target: Path) -> None:
    arguments = ("-v", "error", "-i", f"file:{clip}", "-c", "copy", "-movflags", "+faststart")
    await ffmpeg.run((*arguments, f"file:{target}"), cwd=target.parent, limits=_LIMITS)


async def _ingest(inputs: Inputs, target: Path) -> None:
    await ingest(
        inputs.ffmpeg, inputs.speech, target.with_suffix(".wav"), max_seconds=_LONG_SECONDS
    )


async def _measure(inputs: Inputs, clip: Path) -> list[Cost]:
    operations = _operations(inputs, clip)
    if inputs.moviepy:
        run = partial(inputs.moviepy.replace, clip, inputs.speech)
        operations.append(Operation(name=_MOVIEPY, run=run, runs=1))
    times: dict[str, list[float]] = {operation.name: [] for operation in operations}
    peaks = dict.fromkeys(times, 0)
    # The operations alternate, so that other load on the machine affects all of them alike.
    for number in range(max(operation.runs for operation in operations)):
        for operation in operations:
            if number >= operation.runs:
                continue
            with ChildMemorySampler() as sampler:
                started = time.perf_counter()
                await operation.run(clip.with_name("result.mp4"))
                times[operation.name].append(time.perf_counter() - started)
            peaks[operation.name] = max(peaks[operation.name], sampler.peak)
    return [
        Cost(name=name, seconds=statistics.median(seconds), peak=peaks[name], runs=len(seconds))
        for name, seconds in times.items()
    ]


def _table(title: str, costs: list[Cost]) -> list[str]:
    remux = _seconds(costs, _REMUX)
    rows = [
        f"| {cost.name} | {cost.seconds:.3f} | {cost.seconds / remux:.1f} "
        f"| {cost.peak / MIB:.0f} | {cost.runs} |"
        for cost in costs
    ]
    head = "| operation | seconds | x remux | peak memory, MiB | runs |"
    return [f"## {title}", "", head, "|---|---|---|---|---|", *rows, ""]


def _conclusions(small: list[Cost], large: list[Cost], moviepy: Moviepy | None) -> list[str]:
    lines: list[str] = []
    for name, costs in (("5 MB", small), ("100 MB", large)):
        ratio = _seconds(costs, _REPLACE) / _seconds(costs, _REMUX)
        result = _goal_result(is_met=ratio <= _MAX_REMUX_RATIO)
        lines.append(
            f"* {name}: replace takes {ratio:.1f} times as long as a remux "
            f"(goal: at most {_MAX_REMUX_RATIO}; {result})."
        )
        if moviepy:
            ratio = _seconds(costs, _MOVIEPY) / _seconds(costs, _REPLACE)
            result = _goal_result(is_met=ratio >= _MIN_MOVIEPY_RATIO)
            lines.append(
                f"* {name}: replace is {ratio:.0f} times as fast as MoviePy {moviepy.version} "
                f"(goal: at least {_MIN_MOVIEPY_RATIO}; {result})."
            )
    if not moviepy:
        lines.append("* MoviePy was not measured, because pip could not install it.")
    small_peak, large_peak = _peak(small, _REPLACE), _peak(large, _REPLACE)
    lines.append(
        f"* Replace needs {small_peak / MIB:.0f} MiB of memory for the small clip, and "
        f"{large_peak / MIB:.0f} MiB for the clip that is twenty times as large."
    )
    return lines


def _goal_result(*, is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def _seconds(costs: list[Cost], name: str) -> float:
    return next(cost.seconds for cost in costs if cost.name == name)


def _peak(costs: list[Cost], name: str) -> int:
    return next(cost.peak for cost in costs if cost.name == name)


_INTRODUCTION = f"""# Cost of the media operations

Generated by `python -m benchmarks.media_operations`. Each clip has {_SECONDS} s of noisy picture in
1280x720, with sound. The narration has {_SECONDS} s, or {_LONG_SECONDS} s when the clip is looped
or held. Seconds are medians of the whole call, with its checks and syncs to disk. The operations
alternate in one run, and are compared with a plain remux (`-c copy -movflags +faststart`) that is
started by the same code. Memory is the peak of all child processes together, sampled every 5 ms.
Shrinking, the full encode and MoviePy were measured once.
"""


async def main() -> None:
    """Run the benchmarks, and print and write the page."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="clapper-benchmarks-") as name:
        folder = Path(name)
        inputs = await _make_inputs(folder)
        costs: list[list[Cost]] = []
        tables: list[str] = []
        for megabytes in (5, 100):
            clip = await asyncio.to_thread(
                _make_clip, folder / f"clip-{megabytes}.mp4", megabytes=megabytes
            )
            costs.append(await _measure(inputs, clip))
            size = clip.stat().st_size / 1_000_000
            tables += _table(f"A clip of {size:.1f} MB", costs[-1])
            print("\n".join(tables), file=sys.stderr)
    small, large = costs
    load = (
        f"Load average on {os.cpu_count()} cores: {before:.1f} before the run, "
        f"{os.getloadavg()[0]:.1f} after it. "
        "On a busy machine, rows with a single run are not reliable.\n"
    )
    page = "\n".join(
        [_INTRODUCTION, load, *tables, *_conclusions(small, large, inputs.moviepy), ""]
    )
    PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    asyncio.run(main())
