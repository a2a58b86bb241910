"""Plans a smaller copy of a clip: chooses its bit rates and its picture size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.media.render.video_stream import scaled_size

# With this bound, x264 veryfast kept 25 of 25 measured clips within the limit.
_USABLE_SHARE = 0.98
_FIXED_BITS = 320_000  # the container's headers, and overhead that the encoder doesn't count
_INDEX_BITS = 10_000  # per second: each frame has an entry in the index
_SOUND_SHARE = 0.2  # of all bits; if sound needs a larger share, a lower sound rate is chosen
_SOUND_RATES = (128_000, 64_000)
_MIN_SOUND_RATE = 32_000
_SOUND_OVERSHOOT = 1.05  # AAC's rate is only an average
_BUFFER_SECONDS = 0.5
_INITIAL_BUFFER = 0.9  # x264 starts with its rate-control buffer filled to this share
_FRAME_RATE = 30
_MIN_BITS_PER_PIXEL = 0.06  # with fewer bits, a smaller picture looks better, even enlarged
_SHORT_SIDES = (1080, 720, 540, 480, 360)
_POOR_SHORT_SIDES = (240, 144)
_MIN_BIT_RATE = 8_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrinkSource:
    """The original clip; `moving` is the number of seconds in which its picture changes.

    When it is encoded, no side may have more than `longest` pixels.
    """

    width: int
    height: int
    seconds: float
    moving: float
    longest: int
    sound: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ShrinkPlan:
    """The encoder's settings: rates in bit/s, the buffer in bits. `sound_rate` 0 means no sound."""

    width: int
    height: int
    sound_rate: int
    max_rate: int
    buffer: int

    def scaled(self, factor: float) -> ShrinkPlan:
        """Return a plan with `factor` times the bits and `factor` times the pixels."""
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
    """Choose rates that stay within `limit_bytes`, and the largest picture size that suits them.

    The picture is reduced until each pixel gets 0.06 bits at 30 frames/s, but not below 144 lines,
    or 360 if `decent`. None: the limit leaves too few bits for any picture or, if `decent`, a pixel
    gets fewer bits even in the smallest picture.
    """
    sound_rate = _sound_rate(source, limit_bytes, decent=decent)
    bits = _picture_bits(source, limit_bytes, sound_rate)
    # A held frame takes no bits, so only the moving seconds count.
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
