"""Composes soft chords as an audio expression for ffmpeg. The expression contains only numbers."""

from __future__ import annotations

import math

RATE = 48_000
# half the usual rate is enough for sounds below 2 kHz, and takes half the time
_SYNTH_RATE = 24_000
_ROOTS = (45, 47, 48, 50, 52, 53)  # MIDI notes, A2 to F3
# The notes of each chord, in semitones above the root.
_PROGRESSION = ((0, 7, 16, 23), (-3, 9, 16, 19), (5, 12, 16, 21), (-5, 7, 14, 23), (0, 12, 16, 19))
_VOICE = 0.084
_OVERLAP = 0.6


def pad(starts: tuple[float, ...], seconds: float, phase: float) -> str:
    """Return a chain of ffmpeg filters that generates soft chords in stereo, at about -24 LUFS.

    `starts`: the times at which the chords begin, in seconds.
    `phase`: a number from 0 to 2 pi that chooses the key.
    """
    root = _ROOTS[int(phase / math.tau * len(_ROOTS)) % len(_ROOTS)]
    ends = (*starts[1:], seconds)
    chords = [
        (root, chord, start, end)
        for chord, start, end in zip(_PROGRESSION, starts, ends, strict=False)
    ]
    left, right = ("+".join(_chord(*chord, side) for chord in chords) for side in (-1, 1))
    fade = min(1.6, seconds / 3)
    return (
        f"aevalsrc=exprs='{left}|{right}':s={_SYNTH_RATE}:d={seconds:.4f}:c=stereo,"
        f"aresample={RATE},lowpass=f=1800,aecho=0.9:0.6:97|181|293:0.25|0.18|0.12,"
        f"afade=t=in:d={min(0.8, seconds / 4):.4f},"
        f"afade=t=out:st={seconds - fade:.4f}:d={fade:.4f},atrim=duration={seconds:.4f}"
    )


def _chord(root: int, chord: tuple[int, ...], start: float, end: float, side: int) -> str:
    """Return the expression for one chord in one channel. The chord is faded in and out."""
    voices = "+".join(_voice(root + step, number, side) for number, step in enumerate(chord))
    gate = f"min(1,max(0,(t-{start - _OVERLAP:.3f})/{2 * _OVERLAP}))"
    gate += f"*min(1,max(0,({end + _OVERLAP:.3f}-t)/{2 * _OVERLAP}))"
    # Outside the chord, nothing is computed.
    inside = f"between(t,{start - _OVERLAP:.3f},{end + _OVERLAP:.3f})"
    return f"if({inside},{gate}*({voices}),0)"


def _voice(note: int, number: int, side: int) -> str:
    """Return the expression for a detuned sine wave with a quiet octave and a slow tremolo."""
    frequency = 440 * 2 ** ((note - 69) / 12) * (1 + 0.0016 * side * (1 if number % 2 else -1))
    angle = frequency * math.tau
    level = _VOICE / (1 + number * 0.25)
    tremolo = f"(1+0.25*sin({0.9 + 0.23 * number:.2f}*t+{number + side}))"
    return f"{level:.4f}*{tremolo}*(sin({angle:.3f}*t)+0.22*sin({2 * angle:.3f}*t))"
