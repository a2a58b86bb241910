"""Measures the loudness of an ingested narration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.process.child import ProcessLimits

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg

_SILENCE_LUFS = -70.0  # EBU R 128's absolute gate: quieter blocks are ignored
_BLOCK_SECONDS = 0.4  # EBU R 128's gating block: shorter audio has no integrated loudness
# A constant offset, and tones below or above the range of hearing, count as silence.
_MIN_HERTZ = 35
_AUDIBLE_RATE = 38_000  # twice the highest frequency that is audible
_MIN_PEAK = -70.0  # dB
# The filters leave this much, in dB, of the frequencies that they should remove.
_LEFT_OVER = -45.0
# The filters produce noise at both ends, so these seconds are left out at each end. A narration
# that is shorter than `_MIN_SECONDS` is measured as a whole.
_EDGE_SECONDS = 0.15
_MIN_SECONDS = 1.0
_PEAK = re.compile(r"max_volume: (\S+) dB")
_INTEGRATED = re.compile(r"Integrated loudness:\s+I:\s+(\S+) LUFS")
_LEVEL = re.compile(r"RMS level dB: (\S+)")


async def measure_loudness(ffmpeg: Ffmpeg, sound: Path, *, seconds: float) -> float | None:
    """Return the integrated loudness of the WAV `sound` in LUFS, or None if it is silent.

    If it is shorter than 0.4 s, the RMS level is returned instead. MediaError: ffmpeg failed.
    """
    stderr = await ffmpeg.run(
        _arguments(sound, seconds),
        cwd=sound.parent,
        limits=ProcessLimits(wall_seconds=60 + seconds / 5),
    )
    pattern = _INTEGRATED if seconds >= _BLOCK_SECONDS else _LEVEL
    # ffmpeg 5 initialises its filters twice, and first prints a summary without samples.
    found = pattern.findall(stderr)
    measured = float(found[-1]) if found else _SILENCE_LUFS
    is_audible = _is_audible(_PEAK.findall(stderr), measured)
    return measured if measured > _SILENCE_LUFS and is_audible else None


def _is_audible(peaks: list[str], loudness: float) -> bool:
    """Return whether the measured peaks are audible. Without a measurement, assume so."""
    return not peaks or float(peaks[-1]) > max(_MIN_PEAK, loudness + _LEFT_OVER)


def _arguments(sound: Path, seconds: float) -> list[str]:
    source = graph.input(
        f"file:{sound.absolute()}",
        format="wav",
        protocol_whitelist="file",
        format_whitelist="wav",
    )
    if seconds < _MIN_SECONDS:
        outputs = [_measured(source["a:0"])]
    else:
        whole = source["a:0"].filter_multi_output("asplit")
        outputs = [_measured(whole[0]), _audible(whole[1], seconds)]
    output = graph.output(*outputs, "-", format="null")
    return ["-v", "info", "-filter_complex_threads", "1", *output.get_args()]


def _measured(sound: graph.Stream) -> graph.Stream:
    return sound.filter("ebur128", framelog="verbose").filter(
        "astats", measure_perchannel="none", measure_overall="RMS_level"
    )


def _audible(sound: graph.Stream, seconds: float) -> graph.Stream:
    for _ in range(8):  # 8 times 12 dB per octave leave nearly nothing at 20 Hz
        sound = sound.filter("highpass", f=_MIN_HERTZ)
    return (
        sound.filter("aresample", _AUDIBLE_RATE, filter_size=256)
        .filter("atrim", start=_EDGE_SECONDS, end=seconds - _EDGE_SECONDS)
        .filter("volumedetect")
    )
