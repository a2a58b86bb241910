"""Measures the loudness of a narration that was converted to WAV."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.process.child import ProcessLimits

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg

_SILENCE_LUFS = -70.0  # the absolute gate of EBU R 128, which ignores quieter blocks
_BLOCK_SECONDS = 0.4  # a block of EBU R 128; shorter audio has no integrated loudness
# A constant offset counts as silence, and so do tones that are too low or too high to be heard.
_MIN_HERTZ = 35
_AUDIBLE_RATE = 38_000  # twice the highest audible frequency
_MIN_PEAK = -70.0  # dB
# The level, in dB, to which the filters lower inaudible frequencies. The filters don't
# remove these frequencies completely.
_LEFT_OVER = -45.0
# The filters produce noise at both ends, so `_EDGE_SECONDS` are left out at each end. If a
# narration is shorter than `_MIN_SECONDS`, it is not filtered.
_EDGE_SECONDS = 0.15
_MIN_SECONDS = 1.0
_PEAK = re.compile(r"max_volume: (\S+) dB")
_INTEGRATED = re.compile(r"Integrated loudness:\s+I:\s+(\S+) LUFS")
_LEVEL = re.compile(r"RMS level dB: (\S+)")


async def measure_loudness(ffmpeg: Ffmpeg, sound: Path, *, seconds: float) -> float | None:
    """Return the integrated loudness of the WAV `sound` in LUFS, or None if it is silent.

    For a sound shorter than 0.4 s, the RMS level is returned instead. Raises MediaError if ffmpeg
    fails.
    """
    stderr = await ffmpeg.run(
        _arguments(sound, seconds),
        cwd=sound.parent,
        limits=ProcessLimits(wall_seconds=60 + seconds / 5),
    )
    pattern = _INTEGRATED if seconds >= _BLOCK_SECONDS else _LEVEL
    # ffmpeg 5 initialises its filters twice, and prints a summary without samples the first time.
    found = pattern.findall(stderr)
    measured = float(found[-1]) if found else _SILENCE_LUFS
    is_audible = _is_audible(_PEAK.findall(stderr), measured)
    return measured if measured > _SILENCE_LUFS and is_audible else None


def _is_audible(peaks: list[str], loudness: float) -> bool:
    """Return whether the audible frequencies contain sound, or True if that was not measured."""
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
    for _ in range(8):  # each filter lowers by 12 dB per octave, so nearly nothing is left at 20 Hz
        sound = sound.filter("highpass", f=_MIN_HERTZ)
    return (
        sound.filter("aresample", _AUDIBLE_RATE, filter_size=256)
        .filter("atrim", start=_EDGE_SECONDS, end=seconds - _EDGE_SECONDS)
        .filter("volumedetect")
    )
