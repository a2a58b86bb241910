"""Joins WAV files, each of which contains one spoken piece of a text."""

from __future__ import annotations

import sys
import wave
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.media.files.atomic import TooLargeError

if TYPE_CHECKING:
    from pathlib import Path

# A piece begins with silence, usually of 50 ms and sometimes of half a second.
_SILENT_PEAK = 104  # -50 dB of 16 bits
_BLOCK_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """The duration of a spoken piece, and of the silence at its beginning, in seconds."""

    seconds: float
    silence: float


def join_pieces(folder: Path, target: Path, *, max_bytes: int) -> list[Piece]:
    """Join the WAV files of a folder into the WAV file `target`, and return the pieces' durations.

    The files are named by numbers, in the order in which they were spoken. Blocks the thread.
    Raises TooLargeError if the sound has more than `max_bytes`, and wave.Error if a file is not
    usable.
    """
    pieces: list[Piece] = []
    size = 0
    with wave.open(str(target), "wb") as joined:
        for path in sorted(folder.glob("*.wav"), key=lambda path: int(path.stem)):
            with wave.open(str(path), "rb") as piece:
                samples = piece.readframes(piece.getnframes())
                if not pieces:
                    joined.setparams(piece.getparams())
                size += len(samples)
                if size > max_bytes:
                    raise TooLargeError(f"the pieces exceed {max_bytes} bytes")
                joined.writeframes(samples)
                pieces.append(_measure(piece, samples))
    return pieces


def _measure(piece: wave.Wave_read, content: bytes) -> Piece:
    samples = array("h", content)
    if sys.byteorder == "big":
        samples.byteswap()
    seconds = piece.getnframes() / piece.getframerate()
    block = max(1, round(_BLOCK_SECONDS * piece.getframerate())) * piece.getnchannels()
    for start in range(0, len(samples), block):
        part = samples[start : start + block]
        if max(part) > _SILENT_PEAK or -min(part) > _SILENT_PEAK:
            return Piece(seconds=seconds, silence=start / block * _BLOCK_SECONDS)
    return Piece(seconds=seconds, silence=0.0)
