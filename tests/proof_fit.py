"""Proves that fit keeps its word: thirty clips against four limits, into docs/media.md.

Run as `python -m tests.proof_fit`; it takes about a quarter of an hour on two cores.
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

from bot.media.ffmpeg import Ffmpeg
from bot.media.fit import TooLittleRoomError, fit
from bot.media.mp4 import read_mp4
from tests import clips
from tests.fit_sources import make_long, make_sources

if TYPE_CHECKING:
    from bot.media.fit import Fitted

MIB = 1024 * 1024
LIMITS = (8, 10, 20, 50)
PAGE = Path(__file__).parents[1] / "docs" / "media.md"
START, END = "<!-- proof of fit: start -->", "<!-- proof of fit: end -->"
LENGTH_ERROR = 0.1  # seconds


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One clip against one limit; `fitted` is None when fit refused it."""

    fitted: Fitted | None
    seconds: float
    vmaf: float | None = None
    ssim: float | None = None

    @property
    def cell(self) -> str:
        if self.fitted is None:
            return f"refused, {self.seconds:.1f} s"
        if not self.fitted.passes:
            return "untouched"
        short = min(self.fitted.width, self.fitted.height)
        parts = [f"{self.fitted.size / MIB:.2f}", f"{short}p"]
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
    ffmpeg: Ffmpeg, original: Path, limit: int, target: Path, *, compared: bool
) -> Outcome:
    """Fit one clip, check all that was promised, and measure what is left of the picture."""
    started = time.monotonic()
    try:
        fitted = await fit(ffmpeg, original, target, limit_bytes=limit * MIB)
    except TooLittleRoomError:
        assert target.name not in names(target.parent)
        return Outcome(fitted=None, seconds=time.monotonic() - started)
    seconds = time.monotonic() - started
    _check(fitted, original, limit * MIB)
    if not fitted.passes or not compared:
        return Outcome(fitted=fitted, seconds=seconds)
    vmaf, ssim = await asyncio.to_thread(measure, fitted.path, original)
    return Outcome(fitted=fitted, seconds=seconds, vmaf=vmaf, ssim=ssim)


def _check(fitted: Fitted, original: Path, limit: int) -> None:
    before, after = read_mp4(original), read_mp4(fitted.path)
    assert fitted.path.stat().st_size == fitted.size <= limit
    assert abs(before.seconds - after.seconds) < LENGTH_ERROR
    assert (before.audio_codec, after.video_codec) == (after.audio_codec, "avc1")
    assert after.streamable or not fitted.passes


async def prove(folder: Path, ffmpeg: Ffmpeg) -> str:
    """Return the page's section: a table, and the sums under it."""
    originals = await make_sources(ffmpeg, folder)
    fractal = originals["fractal"]
    long = await asyncio.to_thread(make_long, folder, fractal)
    rows: list[str] = []
    outcomes: list[Outcome] = []
    for name, original in {**originals, **long}.items():
        row = [
            await judge(
                ffmpeg,
                original,
                limit,
                original.with_suffix(f".{limit}.mp4"),
                compared=name in originals,
            )
            for limit in LIMITS
        ]
        outcomes += row
        cells = " | ".join(outcome.cell for outcome in row)
        rows.append(f"| {name} | {mebibytes(original):.1f} | {cells} |")
        sys.stderr.write(f"{rows[-1]}\n")
    return "\n".join([*_head(), *rows, "", _sums(outcomes)])


def _head() -> list[str]:
    limits = " | ".join(f"{limit} MiB" for limit in LIMITS)
    return [
        "In each cell: MiB of the result / its lines / VMAF / SSIM / seconds that it took.",
        "",
        f"| clip | original, MiB | {limits} |",
        f"|---|---|{'---|' * len(LIMITS)}",
    ]


def _sums(outcomes: list[Outcome]) -> str:
    made = [each for each in outcomes if each.fitted and each.fitted.passes]
    refused = sum(each.fitted is None for each in outcomes)
    untouched = len(outcomes) - len(made) - refused
    twice = sum(each.fitted.passes > 1 for each in made if each.fitted)
    scores = sorted(each.vmaf for each in made if each.vmaf is not None)
    times = sorted(each.seconds for each in made)
    return (
        f"{len(outcomes)} in all: {len(made)} made to fit, {twice} of them in two passes; "
        f"{untouched} were small enough; {refused} refused; none over its limit. "
        f"VMAF: median {scores[len(scores) // 2]:.0f}, lowest {scores[0]:.0f}. "
        f"Time: median {times[len(times) // 2]:.1f} s, longest {times[-1]:.1f} s."
    )


def write_section(page: Path, section: str) -> None:
    """Put the section between its marks in the page."""
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


async def main() -> None:
    """Run the proof in a folder that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="clapper-fit-") as folder:
        section = await prove(Path(folder), Ffmpeg(clips.binary(), slots=1))
    write_section(PAGE, section)


if __name__ == "__main__":
    asyncio.run(main())
