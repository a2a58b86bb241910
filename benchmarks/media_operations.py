"""`python -m benchmarks.media_operations`: measures each media operation against a remux."""

from __future__ import annotations

import asyncio
import os
import resource
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
from benchmarks.media_page import (
    INTRODUCTION,
    LONG_SECONDS,
    MIB,
    MOVIEPY,
    REMUX,
    REPLACE,
    SECONDS,
    Cost,
    conclusions,
    table,
)
from benchmarks.sample_media import as_arguments
from bot.media.files.atomic import commit, part_of
from bot.media.narration.ingest import Narration, ingest
from bot.media.process.child import ProcessLimits
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.media.render.encoded_narration import encode_narration
from bot.media.render.merge_narration import merge
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.media.render.shrink import shrink_video
from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-media.md"
_LIMITS = ProcessLimits(wall_seconds=600, cpu_seconds=1200)
_OPTIONS = NarrationOptions(max_bytes=4 * 1024 * MIB)  # larger than any result


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation that is measured `runs` times; `run` writes its result to the given path."""

    name: str
    run: Callable[[Path], Awaitable[object]]
    runs: int


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The inputs of all operations: narrations encoded ahead, and one (`raw`) that is not."""

    ffmpeg: Ffmpeg
    speech: Path
    short: Narration
    long: Narration
    raw: Narration
    moviepy: Moviepy | None


async def _make_inputs(folder: Path) -> Inputs:
    ffmpeg = Ffmpeg(await find_ffmpeg(), slots=1)
    speech = await asyncio.to_thread(clips.make_speech, folder / "s.ogg", seconds=SECONDS)
    long = await asyncio.to_thread(clips.make_speech, folder / "l.ogg", seconds=LONG_SECONDS)
    inputs = Inputs(
        ffmpeg=ffmpeg,
        speech=speech,
        short=await ingest(ffmpeg, speech, folder / "s.wav", max_seconds=LONG_SECONDS),
        long=await ingest(ffmpeg, long, folder / "l.wav", max_seconds=LONG_SECONDS),
        raw=await ingest(ffmpeg, speech, folder / "r.wav", max_seconds=LONG_SECONDS),
        moviepy=await Moviepy.install(folder / "moviepy"),
    )
    for narration in (inputs.short, inputs.long):
        await encode_narration(ffmpeg, narration)
    return inputs


def _make_clip(path: Path, *, megabytes: int) -> Path:
    """Make a clip of about this size; its noise needs the whole bit rate, without filler data."""
    rate = str(int((megabytes * 8_000_000 - 128_000 * SECONDS) / SECONDS))
    options = {
        "-t": str(SECONDS),
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
        Operation(name=REMUX, run=partial(_remux, inputs.ffmpeg, clip), runs=7),
        Operation(name=REPLACE, run=merging(inputs.short), runs=7),
        Operation(name="replace, encoded by the merge", run=merging(inputs.raw), runs=7),
        Operation(
            name="duck",
            run=merging(inputs.short, replace(_OPTIONS, mix=NarrationMix.DUCK)),
            runs=5,
        ),
        Operation(
            name=f"loop to {LONG_SECONDS} s",
            run=merging(inputs.long, replace(_OPTIONS, fit=NarrationFit.LOOP)),
            runs=5,
        ),
        Operation(
            name=f"hold to {LONG_SECONDS} s",
            run=merging(inputs.long, replace(_OPTIONS, fit=NarrationFit.HOLD)),
            runs=5,
        ),
        Operation(name="ingest and measure loudness", run=partial(_ingest, inputs), runs=5),
        Operation(name="encode ahead", run=partial(_encode_ahead, inputs), runs=5),
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
    part = part_of(target)
    arguments = ("-v", "error", "-i", f"file:{clip}", "-c", "copy", "-movflags", "+faststart")
    output = ("-f", "mp4", f"file:{part}")
    await ffmpeg.run((*arguments, *output), cwd=target.parent, limits=_LIMITS)
    await asyncio.to_thread(commit, part, target)


async def _ingest(inputs: Inputs, target: Path) -> None:
    await ingest(inputs.ffmpeg, inputs.speech, target.with_suffix(".wav"), max_seconds=LONG_SECONDS)


async def _encode_ahead(inputs: Inputs, _: Path) -> None:
    await encode_narration(inputs.ffmpeg, inputs.short)


async def _measure(inputs: Inputs, clip: Path) -> list[Cost]:
    operations = _operations(inputs, clip)
    if inputs.moviepy:
        run = partial(inputs.moviepy.replace, clip, inputs.speech)
        operations.append(Operation(name=MOVIEPY, run=run, runs=1))
    times: dict[str, list[float]] = {operation.name: [] for operation in operations}
    cpu: dict[str, list[float]] = {name: [] for name in times}
    peaks = dict.fromkeys(times, 0)
    # The operations alternate, so that other load on the machine affects all of them alike.
    for number in range(max(operation.runs for operation in operations)):
        for operation in operations:
            if number >= operation.runs:
                continue
            with ChildMemorySampler() as sampler:
                started, used = time.perf_counter(), _cpu_seconds()
                await operation.run(clip.with_name("result.mp4"))
                times[operation.name].append(time.perf_counter() - started)
            cpu[operation.name].append(_cpu_seconds() - used - sampler.cpu_seconds)
            peaks[operation.name] = max(peaks[operation.name], sampler.peak)
    return [
        Cost(
            name=name,
            seconds=statistics.median(seconds),
            cpu=statistics.median(cpu[name]),
            peak=peaks[name],
            runs=len(seconds),
        )
        for name, seconds in times.items()
    ]


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


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
            tables += table(f"A clip of {size:.1f} MB", costs[-1])
            print("\n".join(tables), file=sys.stderr)
    small, large = costs
    version = inputs.moviepy.version if inputs.moviepy else None
    load = (
        f"Load average on {os.cpu_count()} cores: {before:.1f} before the run, "
        f"{os.getloadavg()[0]:.1f} after it. "
        "On a busy machine, rows with a single run are not reliable.\n"
    )
    page = "\n".join([INTRODUCTION, load, *tables, *conclusions(small, large, version), ""])
    PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    asyncio.run(main())
