"""Proves that `shrink_video` stays within its limit, with thirty clips and four limits.

Run as `python -m tests.proofs.shrinking`; it writes the results to docs/media.md, and takes about a
quarter of an hour on two cores.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.media.mp4.reader import read_mp4
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.shrink import TooLittleRoomError, shrink_video
from tests.support.media import clips
from tests.support.media.shrink_sources import make_long, make_sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.media.render.shrink import ShrunkVideo

MIB = 1024 * 1024
LIMITS = (8, 10, 20, 50)
PAGE = Path(__file__).parents[2] / "docs" / "media.md"
START, END = "<!-- proof of shrinking: start -->", "<!-- proof of shrinking: end -->"
# Clips that may be refused at these limits in MiB, because they would look bad.
MAY_BE_REFUSED = {
    "heavy grain": {8},
    "noise": {8, 10, 20, 50},
    "black, then noise": {8, 10, 20},
    "noise, 1080p, 12 s": {8, 10, 20, 50},
    "life, fine cells": {8},
    "three minutes": {8, 10},
}
LENGTH_ERROR = 0.1  # seconds


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One clip against one limit; `shrunk` is None if the shrinking was refused."""

    shrunk: ShrunkVideo | None
    seconds: float
    faults: tuple[str, ...] = ()
    vmaf: float | None = None
    ssim: float | None = None

    @property
    def cell(self) -> str:
        if self.faults:
            return f"WRONG: {', '.join(self.faults)}"
        if self.shrunk is None:
            return f"refused, {self.seconds:.1f} s"
        if not self.shrunk.passes:
            return "untouched"
        short = min(self.shrunk.width, self.shrunk.height)
        parts = [f"{self.shrunk.size / MIB:.2f}", f"{short}p"]
        if self.vmaf is not None and self.ssim is not None:
            parts += [f"{self.vmaf:.0f}", f"{self.ssim:.3f}"]
        return " / ".join([*parts, f"{self.seconds:.1f} s"])


def measure(result: Path, original: Path) -> tuple[float, float]:
    """Return VMAF and SSIM of every twelfth frame, enlarged to the original's size."""
    info = read_mp4(original)
    log = result.with_suffix(".json")
    metric = (
        f"[0:v]scale={info.width}:{info.height}:flags=bicubic[a];[a][1:v]libvmaf=n_threads=2:"
        f"n_subsample=12:feature=name=float_ssim:log_fmt=json:log_path={log}"
    )
    clips.ffmpeg("-i", str(result), "-i", str(original), "-lavfi", metric, "-f", "null", "-")
    pooled = json.loads(log.read_text())["pooled_metrics"]
    return pooled["vmaf"]["mean"], pooled["float_ssim"]["mean"]


async def judge(
    ffmpeg: Ffmpeg, name: str, original: Path, limit: int, *, compared: bool
) -> Outcome:
    """Shrink one clip, check the result, and measure the quality of its picture."""
    target = original.with_suffix(f".{limit}.mp4")
    started = time.monotonic()
    try:
        shrunk = await shrink_video(ffmpeg, original, target, limit_bytes=limit * MIB)
    except TooLittleRoomError:
        seconds = time.monotonic() - started
        faults = [] if limit in MAY_BE_REFUSED.get(name, ()) else ["refused"]
        faults += ["left a file"] if target.name in names(target.parent) else []
        return Outcome(shrunk=None, seconds=seconds, faults=tuple(faults))
    seconds = time.monotonic() - started
    faults = tuple(_faults(shrunk, original, limit * MIB))
    if not shrunk.passes or not compared:
        return Outcome(shrunk=shrunk, seconds=seconds, faults=faults)
    vmaf, ssim = await asyncio.to_thread(measure, shrunk.path, original)
    return Outcome(shrunk=shrunk, seconds=seconds, faults=faults, vmaf=vmaf, ssim=ssim)


def _faults(shrunk: ShrunkVideo, original: Path, limit: int) -> Iterator[str]:
    before, after = read_mp4(original), read_mp4(shrunk.path)
    size = shrunk.path.stat().st_size
    if size != shrunk.size:
        yield f"says {shrunk.size} bytes"
    if size > limit:
        yield f"{size} bytes, over the limit"
    if abs(before.seconds - after.seconds) > LENGTH_ERROR:
        yield f"{after.seconds:.2f} s of {before.seconds:.2f}"
    if (before.audio_codec, after.video_codec) != (after.audio_codec, "avc1"):
        yield f"{after.video_codec} and {after.audio_codec}"
    if shrunk.passes and not after.streamable:
        yield "index last"


async def prove(folder: Path, ffmpeg: Ffmpeg) -> tuple[str, int]:
    """Return the page's section, which is a table with its totals, and the number of faults."""
    originals = await make_sources(ffmpeg, folder)
    fractal = originals["fractal"]
    long = await asyncio.to_thread(make_long, folder, fractal)
    rows: list[str] = []
    outcomes: list[Outcome] = []
    for name, original in {**originals, **long}.items():
        row = [
            await judge(ffmpeg, name, original, limit, compared=name in originals)
            for limit in LIMITS
        ]
        outcomes += row
        cells = " | ".join(outcome.cell for outcome in row)
        rows.append(f"| {name} | {mebibytes(original):.1f} | {cells} |")
        sys.stderr.write(f"{rows[-1]}\n")
    wrong = sum(bool(each.faults) for each in outcomes)
    return "\n".join([*_head(), *rows, "", _totals(outcomes)]), wrong


def _head() -> list[str]:
    limits = " | ".join(f"{limit} MiB" for limit in LIMITS)
    return [
        "In each cell: MiB of the result / its lines / VMAF / SSIM / seconds that it took.",
        "",
        f"| clip | original, MiB | {limits} |",
        f"|---|---|{'---|' * len(LIMITS)}",
    ]


def _totals(outcomes: list[Outcome]) -> str:
    made = [each for each in outcomes if each.shrunk and each.shrunk.passes]
    refused = sum(each.shrunk is None for each in outcomes)
    untouched = len(outcomes) - len(made) - refused
    twice = sum(each.shrunk.passes > 1 for each in made if each.shrunk)
    scores = sorted(each.vmaf for each in made if each.vmaf is not None)
    times = sorted(each.seconds for each in made)
    wrong = sum(bool(each.faults) for each in outcomes)
    hopeless = sum(len(limits) for limits in MAY_BE_REFUSED.values())
    return (
        f"{len(outcomes)} in all: {len(made)} made to fit, {twice} of them in two passes; "
        f"{untouched} were small enough; {refused} refused, of {hopeless} that may be; "
        f"{wrong} over the limit or wrong in another way. "
        f"VMAF: median {scores[len(scores) // 2]:.0f}, lowest {scores[0]:.0f}. "
        f"Time: median {times[len(times) // 2]:.1f} s, longest {times[-1]:.1f} s."
    )


def write_section(page: Path, section: str) -> None:
    """Replace the section between its markers in the page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{START}\n{section}\n{END}{after}", encoding="utf-8")


def names(folder: Path) -> set[str]:
    """List the names in a folder."""
    return {path.name for path in folder.iterdir()}


def mebibytes(path: Path) -> float:
    """Return a file's size in MiB."""
    return path.stat().st_size / MIB


async def main() -> int:
    """Run the proof in a temporary folder; 1: something is wrong."""
    with tempfile.TemporaryDirectory(prefix="clapper-shrink-") as folder:
        section, wrong = await prove(Path(folder), Ffmpeg(clips.binary(), slots=1))
    write_section(PAGE, section)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
