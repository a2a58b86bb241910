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
_INTEGRATED = re.compile(r"Integrated loudness:\s+I:\s+(\S+) LUFS")
_LEVEL = re.compile(r"RMS level dB: (\S+)")


async def measure_loudness(ffmpeg: Ffmpeg, sound: Path, *, seconds: float) -> float | None:
    """Return the integrated loudness of the ingested WAV `sound` in LUFS; None: it is silent.

    If it is shorter than 0.4 s, the RMS level is returned instead. MediaError: ffmpeg failed.
    """
    stderr = await ffmpeg.run(
        _arguments(sound), cwd=sound.parent, limits=ProcessLimits(wall_seconds=60 + seconds / 5)
    )
    pattern = _INTEGRATED if seconds >= _BLOCK_SECONDS else _LEVEL
    # ffmpeg 5 initialises its filters twice, and first prints a summary of no samples.
    found = pattern.findall(stderr)
    measured = float(found[-1]) if found else _SILENCE_LUFS
    return measured if measured > _SILENCE_LUFS else None


def _arguments(sound: Path) -> list[str]:
    source = graph.input(
        f"file:{sound.absolute()}",
        format="wav",
        protocol_whitelist="file",
        format_whitelist="wav",
    )
    measured = (
        source["a:0"]
        .filter("ebur128", framelog="verbose")
        .filter("astats", measure_perchannel="none", measure_overall="RMS_level")
    )
    output = graph.output(measured, "-", format="null")
    return ["-v", "info", "-filter_complex_threads", "1", *output.get_args()]
