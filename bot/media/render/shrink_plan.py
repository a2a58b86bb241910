"""Chooses the bit rates and the picture size of a smaller copy of a clip."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.media.render.video_stream import scaled_size

# The share of the limit that the plan uses. At this share, all of 25 measured clips stayed within
# the limit when x264 encoded them with the preset veryfast.
_USABLE_SHARE = 0.98
_FIXED_BITS = 320_000  # for headers, and for data that the encoder doesn't count
_INDEX_BITS = 10_000  # for a second of the index, which has an entry for each frame
_SOUND_SHARE = 0.2  # of all bits; a sound rate that needs more is not chosen
_SOUND_RATES = (128_000, 64_000)
_MIN_SOUND_RATE = 32_000
_SOUND_OVERSHOOT = 1.05  # AAC may exceed the rate by this factor
_BUFFER_SECONDS = 0.5
_INITIAL_BUFFER = 0.9  # the share of x264's rate-control buffer that is full at the start
_FRAME_RATE = 30
_MIN_BITS_PER_PIXEL = 0.06  # with fewer bits, a smaller picture looks better, even enlarged
_SHORT_SIDES = (1080, 720, 540, 480, 360)
_POOR_SHORT_SIDES = (240, 144)
_MIN_BIT_RATE = 8_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrinkSource:
    """The properties of the original clip.

    `moving`: the number of seconds in which the picture changes.
    `longest`: the number of pixels that the longer side of the copy may have.
    """

    width: int
    height: int
    seconds: float
    moving: float
    longest: int
    sound: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrinkPlan:
    """The settings for the encoder. Rates are in bit/s, and the buffer is in bits.

    A `sound_rate` of 0 means that the copy has no sound.
    """

    width: int
    height: int
    sound_rate: int
    max_rate: int
    buffer: int

    def scaled(self, factor: float) -> ShrinkPlan:
        """Return a plan with `factor` times as many bits and pixels."""
        longest = max(self.width, self.height) * math.sqrt(factor)
        width, height = scaled_size(self.width, self.height, longest=round(longest))
        return ShrinkPlan(
            width=width,
            height=height,
            sound_rate=self.sound_rate,
            max_rate=int(self.max_rate * factor),
            buffer=int(self.buffer * factor),
        )


def make_plan(source: ShrinkSource, limit_bytes: int, *, decent: bool) -> ShrinkPlan | None:
    """Choose rates within `limit_bytes`, and the largest picture size that suits these rates.

    The picture is made smaller until each pixel gets 0.06 bits at 30 frames/s. The smallest picture
    has 144 lines or, if `decent`, 360 lines. Returns None if the limit is too low for any picture.
    If `decent`, also returns None if the pixels get too few bits even at 360 lines.
    """
    sound_rate = _sound_rate(source, limit_bytes, decent=decent)
    bits = _picture_bits(source, limit_bytes, sound_rate)
    # A frame that is held takes no bits, so only the seconds in which the picture changes count.
    max_rate = bits / (source.moving + _INITIAL_BUFFER * _BUFFER_SECONDS)
    width, height = _size(source, max_rate, decent=decent)
    if max_rate < _MIN_BIT_RATE or (decent and max_rate < _min_rate(width, height)):
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
    max_sound_rate = limit_bytes * 8 / source.seconds * _SOUND_SHARE
    rates = _SOUND_RATES if decent else (*_SOUND_RATES, _MIN_SOUND_RATE)
    return next((rate for rate in rates if rate <= max_sound_rate), rates[-1])


def _picture_bits(source: ShrinkSource, limit_bytes: int, sound_rate: int) -> float:
    others = sound_rate * _SOUND_OVERSHOOT + _INDEX_BITS
    return _USABLE_SHARE * limit_bytes * 8 - _FIXED_BITS - others * source.seconds


def _size(source: ShrinkSource, max_rate: float, *, decent: bool) -> tuple[int, int]:
    short, long = sorted((source.width, source.height))
    sides = _SHORT_SIDES if decent else (*_SHORT_SIDES, *_POOR_SHORT_SIDES)
    largest = min(long, source.longest)
    fewer = [round(long * side / short) for side in sides]
    sizes = [
        scaled_size(source.width, source.height, longest=longest)
        for longest in (largest, *(each for each in fewer if each < largest))
    ]
    for width, height in sizes:
        if max_rate >= _min_rate(width, height):
            return width, height
    return sizes[-1]


def _min_rate(width: int, height: int) -> float:
    return _MIN_BITS_PER_PIXEL * width * height * _FRAME_RATE
