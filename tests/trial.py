"""Puts one sample of the corpus through what the bot does to it, and measures what comes out."""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import MediaError, UserError
from bot.media.ingest import Narration, ingest
from bot.media.inline import repair_for
from bot.media.merge import merge
from bot.media.mp4 import read_mp4
from bot.media.presets import NarrationPresets
from bot.texts import Texts
from tests.forge import CLAP_AT, clapper, sound
from tests.measurements import clicks, flashes, loudness, true_peak

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.ffmpeg import Ffmpeg
    from tests.corpus import Sample

_MOST_SECONDS = 600
_STEP = 0.02  # seconds by which flash and click may be apart
_LONGEST_DELAY = 0.06  # of formats that don't tell where their encoder's delay ends


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What became of a sample, and all that is wrong with it."""

    name: str
    said: str = "merged"
    seconds: float = 0.0
    megabytes: float = 0.0
    length: float | None = None
    apart: float | None = None
    lufs: float | None = None
    peak: float | None = None
    faults: list[str] = field(default_factory=list[str])

    def stop(self, started: float) -> None:
        """Note how long it took since `started`, and the most memory that a child took."""
        self.seconds = time.perf_counter() - started
        self.megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024

    def check(self, what: str, *, holds: bool) -> None:
        """Note a fault."""
        if not holds:
            self.faults.append(what)


async def try_sound(ffmpeg: Ffmpeg, sample: Sample, folder: Path) -> Outcome:
    """Ingest the sample `attachment` in `folder` and lay it over the clip `clip.mp4` there."""
    outcome = Outcome(name=sample.name)
    started = time.perf_counter()
    try:
        narration = await ingest(
            ffmpeg, folder / "attachment", folder / "narration.wav", max_seconds=_MOST_SECONDS
        )
    except UserError as error:
        outcome.said = Texts.load()(error.key, **error.fields)
        outcome.check(f"refused with {error.key}", holds=error.key == sample.refused)
        outcome.stop(started)
        return outcome
    outcome.check("not refused", holds=sample.refused is None)
    outcome.check("silence", holds=sample.is_silent in (None, narration.loudness is None))
    if sample.seconds is not None:
        outcome.check("length", holds=abs(narration.seconds - sample.seconds) < _LONGEST_DELAY)
    await merge(ffmpeg, folder / "clip.mp4", narration, folder / "result.mp4", NarrationPresets())
    outcome.stop(started)
    _check_result(outcome, sample, folder / "result.mp4", narration)
    return outcome


async def try_clip(ffmpeg: Ffmpeg, sample: Sample, folder: Path) -> Outcome:
    """Lay the narration `attachment` in `folder` over the sample `clip.mp4` there."""
    outcome = Outcome(name=sample.name)
    narration = await ingest(
        ffmpeg, folder / "attachment", folder / "narration.wav", max_seconds=_MOST_SECONDS
    )
    started = time.perf_counter()
    try:
        await merge(
            ffmpeg, folder / "clip.mp4", narration, folder / "result.mp4", NarrationPresets()
        )
    except MediaError as error:
        outcome.said = f"refused: {error}"
        outcome.check(f"refused: {error} {error.stderr_tail}", holds=sample.refused == "clip")
    else:
        outcome.check("not refused", holds=sample.refused is None)
    outcome.stop(started)
    if outcome.said == "merged":
        _check_result(outcome, sample, folder / "result.mp4", narration)
    return outcome


def prepare(sample: Sample, folder: Path, *, is_clip: bool) -> None:
    """Make the files of a trial: the sample, and the ordinary file that goes with it."""
    made = folder / sample.name
    sample.make(made)
    made.rename(folder / ("clip.mp4" if is_clip else "attachment"))
    if is_clip:
        sound()(folder / "voice.wav")
        (folder / "voice.wav").rename(folder / "attachment")
    else:
        clapper()(folder / "clip.mp4")


def _check_result(outcome: Outcome, sample: Sample, result: Path, narration: Narration) -> None:
    info = read_mp4(result)
    outcome.length = info.seconds
    expected = max(narration.seconds, read_mp4(result.with_name("clip.mp4")).seconds)
    outcome.check("length of the result", holds=abs(info.seconds - expected) < 0.1)
    outcome.check("plays in Discord", holds=not repair_for(info).is_due)
    if sample.is_silent is False:
        outcome.lufs, outcome.peak = loudness(result), true_peak(result)
        outcome.check("loudness", holds=abs(outcome.lufs + 16) < 2)
        outcome.check("true peak", holds=outcome.peak < -1)
        _check_step(outcome, sample, result)


def _check_step(outcome: Outcome, sample: Sample, result: Path) -> None:
    seen, heard = flashes(result), clicks(result)
    outcome.check("a flash and a click", holds=bool(seen and heard))
    if seen and heard:
        outcome.apart = heard[0] - seen[0]
        allowed = _STEP if sample.is_exact else _LONGEST_DELAY
        outcome.check(f"in step ({outcome.apart:.3f} s)", holds=abs(outcome.apart) <= allowed)
        outcome.check("on time", holds=abs(seen[0] - CLAP_AT) < 0.1)


async def run_trial(ffmpeg: Ffmpeg, sample: Sample, folder: Path, *, is_clip: bool) -> Outcome:
    """Try a sample whose files were prepared in `folder`."""
    trial = try_clip if is_clip else try_sound
    outcome = await trial(ffmpeg, sample, folder)
    left = await asyncio.to_thread(lambda: [*folder.glob("*.part")])
    outcome.check("nothing half done is left", holds=not left)
    return outcome
