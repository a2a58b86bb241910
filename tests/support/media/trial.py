"""Processes one sample of the corpus as the bot does, and measures the result."""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import MediaError, UserError
from bot.media.mp4.playable import repair_for
from bot.media.mp4.reader import read_mp4
from bot.media.narration.ingest import Narration, ingest
from bot.media.render.encoded_narration import encode_narration
from bot.media.render.merge_narration import merge
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.media.render.video_stream import encoder_settings_for, scaled_size
from bot.texts import Texts
from tests.support.media.forge import CLAP_AT, clapper, silence, sound
from tests.support.media.measurements import clicks, flashes, loudness, true_peak

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg
    from tests.support.media.corpus import Sample
    from tests.support.media.forge import Make

_MAX_SECONDS = 600
_MAX_WALL_SECONDS = 60
_LONG = 7.0  # seconds of a narration, for clips of three seconds
_MAX_CUT = 0.2  # seconds by which a loop of copied frames may end before its sound
_SYNC_TOLERANCE = 0.02  # seconds between flash and click
_MAX_DELAY = 0.06  # seconds, for formats that don't store their encoder's delay


@dataclass(kw_only=True, slots=True)
class Outcome:
    """The outcome of a sample with its measurements, and the list of its faults."""

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
        """Record the time since `started`, and the peak memory of any child."""
        self.seconds = time.perf_counter() - started
        self.check(f"{self.seconds:.0f} s", holds=self.seconds < _MAX_WALL_SECONDS)
        self.megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024

    def check(self, what: str, *, holds: bool) -> None:
        """Record `what` as a fault unless it holds."""
        if not holds:
            self.faults.append(what)


async def try_sound(ffmpeg: Ffmpeg, sample: Sample, folder: Path) -> Outcome:
    """Ingest the sample `attachment` in `folder`, and merge it into `clip.mp4` there."""
    outcome = Outcome(name=sample.name)
    started = time.perf_counter()
    try:
        narration = await ingest(
            ffmpeg, folder / "attachment", folder / "narration.wav", max_seconds=_MAX_SECONDS
        )
    except UserError as error:
        outcome.said = Texts.load()(error.key, **error.fields)
        outcome.check(f"refused with {error.key}", holds=error.key == sample.refused)
        outcome.stop(started)
        return outcome
    outcome.check("not refused", holds=sample.refused is None)
    outcome.check("silence", holds=sample.is_silent in (None, narration.loudness is None))
    if sample.seconds is not None:
        outcome.check("length", holds=abs(narration.seconds - sample.seconds) < _MAX_DELAY)
    await encode_narration(ffmpeg, narration)
    await merge(ffmpeg, folder / "clip.mp4", narration, folder / "result.mp4", NarrationOptions())
    outcome.stop(started)
    _check_result(outcome, sample, folder / "result.mp4", narration)
    return outcome


async def try_clip(ffmpeg: Ffmpeg, sample: Sample, folder: Path) -> Outcome:
    """Merge the narration `attachment` in `folder` into the sample `clip.mp4` there."""
    outcome = Outcome(name=sample.name)
    narration = await ingest(
        ffmpeg, folder / "attachment", folder / "narration.wav", max_seconds=_MAX_SECONDS
    )
    await encode_narration(ffmpeg, narration)
    started = time.perf_counter()
    try:
        await merge(
            ffmpeg, folder / "clip.mp4", narration, folder / "result.mp4", NarrationOptions()
        )
    except MediaError as error:
        outcome.said = f"refused: {error}"
        outcome.check(f"refused: {error} {error.stderr_tail}", holds=sample.refused == str(error))
    else:
        outcome.check("not refused", holds=sample.refused is None)
    outcome.stop(started)
    if outcome.said == "merged":
        _check_result(outcome, sample, folder / "result.mp4", narration)
    return outcome


async def try_fillings(ffmpeg: Ffmpeg, sample: Sample, folder: Path) -> list[str]:
    """Merge longer narrations into `clip.mp4` in `folder`, with it held, looped and ducked."""
    outcome = Outcome(name=sample.name)
    voice = await _ingested(ffmpeg, sound(seconds=_LONG), folder, "long")
    nothing = await _ingested(ffmpeg, silence(_LONG), folder, "nothing")
    result = folder / "result.mp4"

    async def run(fit: NarrationFit, mix: NarrationMix, narration: Narration) -> None:
        options = NarrationOptions(fit=fit, mix=mix)
        await merge(ffmpeg, folder / "clip.mp4", narration, result, options)
        outcome.check(f"{fit} and {mix}: plays", holds=not repair_for(read_mp4(result)).is_needed)

    await run(NarrationFit.HOLD, NarrationMix.REPLACE, voice)
    outcome.check("held", holds=abs(read_mp4(result).seconds - _LONG) < _SYNC_TOLERANCE)
    _check_sync(outcome, sample, result)
    await run(NarrationFit.LOOP, NarrationMix.REPLACE, voice)
    _check_loop(outcome, result, read_mp4(folder / "clip.mp4").seconds)
    await run(NarrationFit.LOOP, NarrationMix.DUCK, nothing)
    _check_loop(outcome, result, read_mp4(folder / "clip.mp4").seconds)
    if sample.claps:
        _check_sync(outcome, sample, result)
    await run(NarrationFit.TRIM, NarrationMix.DUCK, voice)
    peak = true_peak(result)
    outcome.check(f"true peak under a voice ({peak:.1f})", holds=peak < -1)
    return outcome.faults


async def _ingested(ffmpeg: Ffmpeg, make: Make, folder: Path, name: str) -> Narration:
    made = folder / f"{name}.flac"
    await asyncio.to_thread(make, made)
    narration = await ingest(ffmpeg, made, folder / f"{name}.wav", max_seconds=_MAX_SECONDS)
    await encode_narration(ffmpeg, narration)
    return narration


def _check_loop(outcome: Outcome, result: Path, period: float) -> None:
    length = read_mp4(result).seconds
    outcome.check(f"looped to {length:.2f} s", holds=-_MAX_CUT < length - _LONG < _SYNC_TOLERANCE)
    seen = flashes(result)
    rounds = [CLAP_AT + period * number for number in range(int(_LONG / period) + 1)]
    in_time = all(abs(a - b) < _MAX_DELAY for a, b in zip(seen, rounds, strict=False))
    # A flash at the very end may or may not be shown.
    sure = sum(time < length - _MAX_DELAY for time in rounds)
    outcome.check(f"flashes {seen}", holds=in_time and sure <= len(seen) <= len(rounds))


def prepare(sample: Sample, folder: Path, *, is_clip: bool) -> None:
    """Make the files of a trial: the sample, and an ordinary file to merge it with."""
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
    outcome.check("plays in Discord", holds=not repair_for(info).is_needed)
    clip = read_mp4(result.with_name("clip.mp4"))
    size = (clip.width, clip.height)
    if repair_for(clip).picture:
        size = scaled_size(*size, longest=encoder_settings_for(clip).longest)
    outcome.check("size and orientation", holds=(info.width, info.height) == size)
    if sample.is_silent is False:
        outcome.lufs, outcome.peak = loudness(result), true_peak(result)
        outcome.check("loudness", holds=abs(outcome.lufs + 16) < 2)
        outcome.check("true peak", holds=outcome.peak < -1)
        _check_sync(outcome, sample, result)


def _check_sync(outcome: Outcome, sample: Sample, result: Path) -> None:
    seen, heard = flashes(result), clicks(result)
    outcome.check("a flash and a click", holds=bool(seen and heard))
    if seen and heard:
        outcome.apart = heard[0] - seen[0]
        allowed = _SYNC_TOLERANCE if sample.is_exact else max(_MAX_DELAY, _original_offset(result))
        outcome.check(f"in step ({outcome.apart:.3f} s)", holds=abs(outcome.apart) <= allowed)
        outcome.check("on time", holds=abs(seen[0] - CLAP_AT) < 0.1)


def _original_offset(result: Path) -> float:
    """Return the seconds between flash and click in the original clip, when decoded."""
    clip = result.with_name("clip.mp4")
    seen, heard = flashes(clip), clicks(clip)
    return abs(heard[0] - seen[0]) if seen and heard else 0.0


async def run_trial(
    ffmpeg: Ffmpeg, sample: Sample, folder: Path, *, is_clip: bool, is_thorough: bool = False
) -> Outcome:
    """Try a sample whose files were prepared in `folder`.

    `is_thorough`: whether a clip is also tried with longer narrations.
    """
    trial = try_clip if is_clip else try_sound
    outcome = await trial(ffmpeg, sample, folder)
    if is_clip and is_thorough and sample.refused is None:
        outcome.faults += await try_fillings(ffmpeg, sample, folder)
    left = await asyncio.to_thread(lambda: [*folder.glob("*.part"), *folder.glob("once*")])
    outcome.check("no unfinished files are left", holds=not left)
    return outcome
