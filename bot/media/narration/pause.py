"""Finds the pause at the end of a narration that was converted to WAV."""

from __future__ import annotations

import sys
import wave
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FULL_SCALE = 32_768
# A peak this much below the loudness of the narration counts as a pause. Breath and the noise of a
# room are quieter, and the last consonant of a sentence is louder.
_PAUSE_DB = -30.0
# Whatever the loudness, quieter peaks count as a pause, and louder ones do not.
_QUIETEST_DB, _LOUDEST_DB = -60.0, -40.0
_COARSE_FRAMES = 48_000
_FINE_FRAMES = 480


def find_sound_end(wav: Path, *, loudness: float | None) -> float:
    """Return the time in seconds at which the last sound of a WAV ends. Blocks the thread.

    `loudness`: the loudness in LUFS. If it is None, the WAV is silent, and the result is 0.
    """
    if loudness is None:
        return 0.0
    decibels = min(max(loudness + _PAUSE_DB, _QUIETEST_DB), _LOUDEST_DB)
    limit = _FULL_SCALE * 10 ** (decibels / 20)
    with wave.open(str(wav), "rb") as sound:
        second = _last_loud(sound, range(0, sound.getnframes(), _COARSE_FRAMES), limit)
        if second is None:
            return 0.0
        block = min(second + _COARSE_FRAMES, sound.getnframes())
        start = _last_loud(sound, range(second, block, _FINE_FRAMES), limit)
        end = min((second if start is None else start) + _FINE_FRAMES, sound.getnframes())
        return end / sound.getframerate()


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
