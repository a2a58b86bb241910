"""The pause at the end of a narration is not counted as sound."""

from __future__ import annotations

import math
import wave
from array import array
from typing import TYPE_CHECKING

import pytest

from bot.media.narration.pause import find_sound_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 48_000


def tone(seconds: float, decibels: float) -> Iterator[int]:
    """Yield a tone in two channels, with its peak at this level."""
    peak = 32_767 * 10 ** (decibels / 20)
    for number in range(round(seconds * RATE)):
        sample = round(peak * math.sin(number / 10))
        yield sample
        yield sample


def write(path: Path, *parts: tuple[float, float]) -> Path:
    samples = array("h", [sample for part in parts for sample in tone(*part)])
    with wave.open(str(path), "wb") as sound:
        sound.setparams((2, 2, RATE, 0, "NONE", "not compressed"))
        sound.writeframes(samples.tobytes())
    return path


@pytest.mark.parametrize(
    ("parts", "end"),
    [
        ([(1.2, -20)], 1.2),
        ([(0.7, -20), (2.6, -96)], 0.7),
        ([(0.7, -20), (1.0, -65)], 0.7),  # a quiet room
        ([(0.5, -20), (1.1, -96), (0.2, -35), (0.4, -96)], 1.8),  # a last word, spoken softly
        ([(2.0, -20), (1.0, -96)], 2.0),  # the sound ends with a whole second
    ],
)
def test_the_last_sound_is_found_to_a_hundredth(
    tmp_path: Path, parts: list[tuple[float, float]], end: float
) -> None:
    path = write(tmp_path / "voice.wav", *parts)
    assert find_sound_end(path, loudness=-20.0) == pytest.approx(end, abs=0.011)


def test_a_silent_narration_has_no_sound(tmp_path: Path) -> None:
    assert find_sound_end(write(tmp_path / "voice.wav", (1, -96)), loudness=None) == 0


def test_a_pause_of_a_quiet_recording_is_found_too(tmp_path: Path) -> None:
    path = write(tmp_path / "voice.wav", (0.5, -45), (0.5, -75))
    assert find_sound_end(path, loudness=-48.0) == pytest.approx(0.5, abs=0.011)
