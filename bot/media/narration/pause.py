"""Finds the pauses of a narration that was converted to WAV."""

from __future__ import annotations

import sys
import wave
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL_SCALE = 32_768
# A peak this much below the loudness of the narration counts as a pause. Breath and the noise of a
# room are quieter, and the last consonant of a sentence is louder.
_PAUSE_DB = -30.0
# Peaks below the first level always count as a pause, regardless of the narration's loudness. Peaks
# above the second level never do.
_QUIETEST_DB, _LOUDEST_DB = -60.0, -40.0
_COARSE_FRAMES = 48_000
_FINE_FRAMES = 480
# The pauses between words are found in every fourth frame of one of the two channels.
_CHANNELS, _SPARSE = 2, 4


def find_sound_end(wav: Path, *, loudness: float | None) -> float:
    """Return the time in seconds at which the last sound of a WAV ends. Blocks the thread.

    `loudness`: the loudness in LUFS. If it is None, the WAV is silent, and the result is 0.
    """
    if loudness is None:
        return 0.0
    limit = _limit(loudness)
    with wave.open(str(wav), "rb") as sound:
        second = _last_loud(sound, range(0, sound.getnframes(), _COARSE_FRAMES), limit)
        if second is None:
            return 0.0
        block = min(second + _COARSE_FRAMES, sound.getnframes())
        start = _last_loud(sound, range(second, block, _FINE_FRAMES), limit)
        end = min((second if start is None else start) + _FINE_FRAMES, sound.getnframes())
        return end / sound.getframerate()


def find_sounds(
    wav: Path, *, loudness: float | None, min_pause: float
) -> list[tuple[float, float]]:
    """Return the start and the end of each sound, in seconds. Blocks the thread.

    `min_pause`: the length in seconds of the shortest pause that separates two sounds.
    """
    if loudness is None:
        return []
    sounds: list[tuple[float, float]] = []
    with wave.open(str(wav), "rb") as sound:
        rate = sound.getframerate()
        for block in _loud_blocks(sound, _limit(loudness)):
            start, end = block * _FINE_FRAMES / rate, (block + 1) * _FINE_FRAMES / rate
            if sounds and start - sounds[-1][1] < min_pause:
                sounds[-1] = (sounds[-1][0], end)
            else:
                sounds.append((start, end))
    return sounds


def _limit(loudness: float) -> float:
    """Return the peak above which a block is loud."""
    decibels = min(max(loudness + _PAUSE_DB, _QUIETEST_DB), _LOUDEST_DB)
    return _FULL_SCALE * 10 ** (decibels / 20)


def _loud_blocks(sound: wave.Wave_read, limit: float) -> Iterator[int]:
    """Yield the number of each block of `_FINE_FRAMES` frames that has a peak above `limit`."""
    width = _FINE_FRAMES // _SPARSE
    for first in range(0, sound.getnframes(), _COARSE_FRAMES):
        samples = array("h", sound.readframes(_COARSE_FRAMES))
        if sys.byteorder == "big":
            samples.byteswap()
        sparse = samples[:: _CHANNELS * _SPARSE]
        for start in range(0, len(sparse), width):
            block = sparse[start : start + width]
            if max(block) > limit or -min(block) > limit:
                yield first // _FINE_FRAMES + start // width


def _last_loud(sound: wave.Wave_read, starts: range, limit: float) -> int | None:
    """Return the start of the last block with a peak above `limit`, or None if there is none."""
    for start in reversed(starts):
        sound.setpos(start)
        samples = array("h", sound.readframes(starts.step))
        if sys.byteorder == "big":
            samples.byteswap()
        if samples and (max(samples) > limit or -min(samples) > limit):
            return start
    return None
