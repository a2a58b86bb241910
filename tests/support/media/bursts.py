"""Writes tones in place of words, with pauses of known lengths, as a speaker of a text would."""

from __future__ import annotations

import math
import wave
from array import array
from random import Random
from typing import TYPE_CHECKING

from bot.media.captions.sentences import split_sentences, spoken_weight

if TYPE_CHECKING:
    from pathlib import Path

_RATE = 48_000
_SECOND_PER_LETTER = 0.065
_FRAMES = 100
# One cycle of a tone of 480 Hz, in two channels.
_CYCLE = array("h", [round(6000 * math.sin(math.tau * (n // 2) / _FRAMES)) for n in range(200)])
_SILENCE = array("h", bytes(_FRAMES * 4))
_CLAUSE_ENDS = frozenset(",;:、،")


def write_bursts(path: Path, text: str, *, seed: int) -> tuple[Path, list[float]]:
    """Write a sound of 48 kHz in two channels, and return it with the start of each sentence."""
    random = Random(seed)  # noqa: S311 - for sounds that are the same in each run
    samples, starts = array("h"), list[float]()
    _add(samples, random.uniform(0, 0.3), is_loud=False)
    for sentence in split_sentences(text):
        starts.append(len(samples) / 2 / _RATE)
        pace = random.uniform(0.85, 1.15)
        for clause in _clauses(sentence):
            _add(samples, pace * _SECOND_PER_LETTER * spoken_weight(clause), is_loud=True)
            _add(samples, random.uniform(0.08, 0.25), is_loud=False)
        # Some pauses between sentences are as short as those after a comma.
        _add(samples, random.choice((0.05, 0.3, 0.4, 0.5)), is_loud=False)
    with wave.open(str(path), "wb") as sound:
        sound.setparams((2, 2, _RATE, 0, "NONE", "not compressed"))
        sound.writeframes(samples.tobytes())
    return path, starts


def _clauses(sentence: str) -> list[str]:
    clauses = [""]
    for character in sentence:
        clauses[-1] += character
        if character in _CLAUSE_ENDS:
            clauses.append("")
    return [clause for clause in clauses if clause.strip()]


def _add(samples: array[int], seconds: float, *, is_loud: bool) -> None:
    samples.extend((_CYCLE if is_loud else _SILENCE) * round(seconds * _RATE / _FRAMES))
