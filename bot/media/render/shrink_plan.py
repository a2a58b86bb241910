"""Decides how a clip is made small: from bytes and seconds follow the rates and the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.media.render.video_stream import fitting

_USABLE = 0.98
_FIXED_BITS = 320_000  # the container's headers, and what an encoder forgets to count
_INDEX_BITS = 10_000  # per second: each frame has its entry in the index
_SOUND_SHARE = 0.2  # of the bits, before the sound gets fewer
_SOUND_RATES = (128_000, 64_000)
_POOREST_SOUND = 32_000
_SOUND_ERROR = 1.05  # AAC's rate is an average
_BUFFER_SECONDS = 0.5
_BUFFER_FILLED = 0.9  # x264 starts with this much of its buffer to spend
_FRAME_RATE = 30
_LEAST_BITS = 0.06  # per pixel: with fewer, a smaller picture looks better, enlarged
_SHORT_SIDES = (1080, 720, 540, 480, 360)
_POOR_SHORT_SIDES = (240, 144)
_LEAST_BIT_RATE = 8_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrinkSource:
    """The clip as it is: `moving` are the seconds in which its picture changes.

    No side may be encoded with more pixels than `longest`.
    """

    width: int
    height: int
    seconds: float
    moving: float
    longest: int
    sound: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrinkPlan:
    """What to encode: rates in bits per second, the buffer in bits; sound_rate 0: no sound."""

    width: int
    height: int
    sound_rate: int
    max_rate: int
    buffer: int

    def scaled(self, factor: float) -> ShrinkPlan:
        """Return the plan with `factor` times the bits and the pixels for the picture."""
        longest = max(self.width, self.height) * math.sqrt(factor)
        width, height = fitting(self.width, self.height, longest=round(longest))
        return ShrinkPlan(
            width=width,
            height=height,
            sound_rate=self.sound_rate,
            max_rate=int(self.max_rate * factor),
            buffer=int(self.buffer * factor),
        )


def make_plan(source: ShrinkSource, limit_bytes: int, *, decent: bool) -> ShrinkPlan | None:
    """Choose rates that can't exceed `limit_bytes`, and as many pixels as they can fill well.

    The picture shrinks until a pixel gets 0.06 bits at 30 frames/s, to 360 lines at the least.
    None: even then it gets fewer (`decent`), or there is no room at all (not `decent`).
    """
    sound_rate = _sound_rate(source, limit_bytes, decent=decent)
    bits = _picture_bits(source, limit_bytes, sound_rate)
    # Nothing is spent on a held frame: each takes half a second's rate at the most.
    max_rate = bits / (source.moving + _BUFFER_FILLED * _BUFFER_SECONDS)
    width, height = _size(source, max_rate, decent=decent)
    if max_rate < _LEAST_BIT_RATE or (decent and max_rate < _wanted(width, height)):
        return None
    return ShrinkPlan(
        width=width,
        height=height,
        sound_rate=sound_rate,
        max_rate=int(max_rate),
        buffer=int(max_rate * _BUFFER_SECONDS),
    )


def _sound_rate(source: ShrinkSource, limit_bytes: int, *, decent: bool) -> int:
    if not source.sound:
        return 0
    most = limit_bytes * 8 / source.seconds * _SOUND_SHARE
    rates = _SOUND_RATES if decent else (*_SOUND_RATES, _POOREST_SOUND)
    return next((rate for rate in rates if rate <= most), rates[-1])


def _picture_bits(source: ShrinkSource, limit_bytes: int, sound_rate: int) -> float:
    others = sound_rate * _SOUND_ERROR + _INDEX_BITS
    return _USABLE * limit_bytes * 8 - _FIXED_BITS - others * source.seconds


def _size(source: ShrinkSource, max_rate: float, *, decent: bool) -> tuple[int, int]:
    short, long = sorted((source.width, source.height))
    sides = _SHORT_SIDES if decent else (*_SHORT_SIDES, *_POOR_SHORT_SIDES)
    largest = min(long, source.longest)
    fewer = [round(long * side / short) for side in sides]
    sizes = [
        fitting(source.width, source.height, longest=longest)
        for longest in (largest, *(each for each in fewer if each < largest))
    ]
    for width, height in sizes:
        if max_rate >= _wanted(width, height):
            return width, height
    return sizes[-1]


def _wanted(width: int, height: int) -> float:
    return _LEAST_BITS * width * height * _FRAME_RATE
