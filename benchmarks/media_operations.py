"""`python -m benchmarks.media_operations`: what each media operation costs, against a remux."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.child_processes import ChildrenWatch
from benchmarks.comparisons import Moviepy, full_encode
from bot.media.narration.ingest import Narration, ingest
from bot.media.process.child import ProcessLimits
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.media.render.merge import merge
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationPresets
from bot.media.render.shrink import fit
from tests import clips

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-media.md"
MIB = 1024 * 1024
_SECONDS = 8
_LONG_SECONDS = 20
_LIMITS = ProcessLimits(wall_seconds=600, cpu_seconds=1200)
_ANY_SIZE = 4 * 1024 * MIB
_GOAL_REMUX = 5
_GOAL_MOVIEPY = 20
_REMUX, _REPLACE, _MOVIEPY = "remux, faststart", "replace", "MoviePy"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing to measure, `runs` times; it writes the file that it is given."""

    name: str
    run: Callable[[Path], Awaitable[object]]
    runs: int


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The median of the seconds that an operation took, and its children's peak in bytes."""

    name: str
    seconds: float
    peak: int
    runs: int


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What the operations work with: a short narration and a long one, ingested."""

    ffmpeg: Ffmpeg
    speech: Path
    short: Narration
    long: Narration
    moviepy: Moviepy | None


async def _open_kit(folder: Path) -> Kit:
    ffmpeg = Ffmpeg(await find_ffmpeg(), slots=1)
    speech = await asyncio.to_thread(clips.make_speech, folder / "s.ogg", seconds=_SECONDS)
    long = await asyncio.to_thread(clips.make_speech, folder / "l.ogg", seconds=_LONG_SECONDS)
    return Kit(
        ffmpeg=ffmpeg,
        speech=speech,
        short=await ingest(ffmpeg, speech, folder / "s.wav", max_seconds=_LONG_SECONDS),
        long=await ingest(ffmpeg, long, folder / "l.wav", max_seconds=_LONG_SECONDS),
        moviepy=await Moviepy.install(folder / "moviepy"),
    )


def _make_clip(path: Path, *, megabytes: int) -> Path:
    """Make a clip of about this size; grain needs the bits, so none of them are filling."""
    rate = str(int((megabytes * 8_000_000 - 128_000 * _SECONDS) / _SECONDS))
    clips.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30,noise=alls=60:allf=t"),
        *("-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*220*t)+0.05*random(0)':s=48000"),
        *("-t", str(_SECONDS), "-c:v", "libx264", "-preset", "ultrafast", "-b:v", rate),
        *("-maxrate", rate, "-bufsize", rate, "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", str(path)),
    )
    return path


def _operations(kit: Kit, clip: Path) -> list[Operation]:
    def merging(narration: Narration, **presets: object) -> Callable[[Path], Awaitable[object]]:
        chosen = NarrationPresets(max_bytes=_ANY_SIZE, **presets)
        return lambda target: merge(kit.ffmpeg, clip, narration, target, chosen)

    limit = min(clip.stat().st_size // 2, 10 * MIB)
    return [
        Operation(name=_REMUX, run=partial(_remux, kit.ffmpeg, clip), runs=7),
        Operation(name=_REPLACE, run=merging(kit.short), runs=7),
        Operation(name="duck", run=merging(kit.short, mix=NarrationMix.DUCK), runs=5),
        Operation(
            name=f"loop to {_LONG_SECONDS} s",
            run=merging(kit.long, fit=NarrationFit.LOOP),
            runs=5,
        ),
        Operation(
            name=f"hold to {_LONG_SECONDS} s",
            run=merging(kit.long, fit=NarrationFit.HOLD),
            runs=5,
        ),
        Operation(name="ingest and measure loudness", run=partial(_ingest, kit), runs=5),
        Operation(
            name=f"fit below {limit / MIB:.1f} MiB",
            run=lambda target: fit(kit.ffmpeg, clip, target, limit_bytes=limit, decent=False),
            runs=1,
        ),
        Operation(
            name="replace, libx264 medium, crf 18",
            run=lambda target: kit.ffmpeg.run(
                full_encode(clip, kit.speech, target), cwd=target.parent, limits=_LIMITS
            ),
            runs=1,
        ),
    ]


async def _remux(ffmpeg: Ffmpeg, clip: Path, target: Path) -> None:
    copied = ("-v", "error", "-i", f"file:{clip}", "-c", "copy", "-movflags", "+faststart")
    await ffmpeg.run((*copied, f"file:{target}"), cwd=target.parent, limits=_LIMITS)


async def _ingest(kit: Kit, target: Path) -> None:
    await ingest(kit.ffmpeg, kit.speech, target.with_suffix(".wav"), max_seconds=_LONG_SECONDS)


async def _measure(kit: Kit, clip: Path) -> list[Cost]:
    operations = _operations(kit, clip)
    if kit.moviepy:
        replace = partial(kit.moviepy.replace, clip, kit.speech)
        operations.append(Operation(name=_MOVIEPY, run=replace, runs=1))
    times: dict[str, list[float]] = {operation.name: [] for operation in operations}
    peaks = dict.fromkeys(times, 0)
    # In turns, so that what else the machine does falls upon all of them alike.
    for turn in range(max(operation.runs for operation in operations)):
        for operation in operations:
            if turn >= operation.runs:
                continue
            with ChildrenWatch() as watch:
                began = time.perf_counter()
                await operation.run(clip.with_name("result.mp4"))
                times[operation.name].append(time.perf_counter() - began)
            peaks[operation.name] = max(peaks[operation.name], watch.peak)
    return [
        Cost(name=name, seconds=statistics.median(took), peak=peaks[name], runs=len(took))
        for name, took in times.items()
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


def _verdict(small: list[Cost], large: list[Cost], moviepy: Moviepy | None) -> list[str]:
    lines: list[str] = []
    for name, costs in (("5 MB", small), ("100 MB", large)):
        ratio = _seconds(costs, _REPLACE) / _seconds(costs, _REMUX)
        goal = _met(ratio <= _GOAL_REMUX)
        lines.append(
            f"* {name}: replace takes {ratio:.1f} x a remux (goal: {_GOAL_REMUX}; {goal})."
        )
        if moviepy:
            faster = _seconds(costs, _MOVIEPY) / _seconds(costs, _REPLACE)
            goal = _met(faster >= _GOAL_MOVIEPY)
            lines.append(
                f"* {name}: replace is {faster:.0f} times faster than MoviePy {moviepy.version} "
                f"(goal: {_GOAL_MOVIEPY}; {goal})."
            )
    if not moviepy:
        lines.append("* MoviePy was not measured: pip could not install it here.")
    before, after = _peak(small, _REPLACE), _peak(large, _REPLACE)
    lines.append(
        f"* Memory of replace: {before / MIB:.0f} MiB for the small clip, {after / MIB:.0f} MiB "
        "for the one that is twenty times as large."
    )
    return lines


def _met(reached: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "met" if reached else "**missed**"


def _seconds(costs: list[Cost], name: str) -> float:
    return next(cost.seconds for cost in costs if cost.name == name)


def _peak(costs: list[Cost], name: str) -> int:
    return next(cost.peak for cost in costs if cost.name == name)


_INTRODUCTION = f"""# What the media operations cost

Written by `python -m benchmarks.media_operations`. The clips have {_SECONDS} s of grainy picture in
1280x720 with sound; the narration has {_SECONDS} s, or {_LONG_SECONDS} s where the clip is looped
or held. Seconds are medians, of the whole call with its checks and syncs to disk. All is measured
in turns in one run, against a plain remux (`-c copy -movflags +faststart`) through the same door.
Memory is what all children together had resident at most, sampled every 5 ms. Fit and the full
encodes were measured once.
"""


async def main() -> None:
    """Measure, print, and keep the page in docs/."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="clapper-bench-") as name:
        folder = Path(name)
        kit = await _open_kit(folder)
        costs: list[list[Cost]] = []
        tables: list[str] = []
        for megabytes in (5, 100):
            clip = await asyncio.to_thread(
                _make_clip, folder / f"clip-{megabytes}.mp4", megabytes=megabytes
            )
            costs.append(await _measure(kit, clip))
            size = clip.stat().st_size / 1_000_000
            tables += _table(f"A clip of {size:.1f} MB", costs[-1])
            print("\n".join(tables), file=sys.stderr)
    small, large = costs
    load = (
        f"Load on {os.cpu_count()} cores: {before:.1f} before the run, {os.getloadavg()[0]:.1f} "
        "after it. On a busy machine the rows of a single run say little.\n"
    )
    page = "\n".join([_INTRODUCTION, load, *tables, *_verdict(small, large, kit.moviepy), ""])
    PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    asyncio.run(main())
