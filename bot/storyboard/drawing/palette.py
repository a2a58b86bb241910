"""Derives harmonious colours with readable contrast from a text."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

Rgb = tuple[int, int, int]

READABLE = 4.5
"""The minimum contrast between the ink and the sky (WCAG 2, AA)."""

READABLE_LARGE = 3.0
"""The minimum contrast between large type and the layers behind it (WCAG 2, AA)."""

_NIGHTS_OF_FIVE = 3
_MIDDLE_LUMINANCE = 0.5
_ROUNDING = 1e-4
_KNEE = 0.04045  # the value below which sRGB's transfer function is linear


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """The colours of one clip; `sky` and `dusk` are gradients from top to bottom."""

    ink: Rgb
    accent: Rgb
    sky: tuple[Rgb, Rgb]
    dusk: tuple[Rgb, Rgb]
    glows: tuple[Rgb, Rgb]
    sun: Rgb
    hills: tuple[Rgb, ...]


def palette_for(text: str) -> Palette:
    """Return a text's palette; equal texts get equal palettes."""
    digest = hashlib.sha256(text.encode(errors="replace")).digest()
    hue = digest[0] / 256 * 360
    turn = (35 + digest[1] % 40) * (1 if digest[2] % 2 else -1)
    counter = hue + (150 + digest[3] % 60) * (1 if digest[4] % 2 else -1)
    warm = digest[6] / 256
    if digest[5] % 5 < _NIGHTS_OF_FIVE:
        return _night(hue, turn, counter, 20 + 45 * warm)
    return _day(hue, turn, counter, 45 + 45 * warm)


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the WCAG 2 contrast ratio of two colours, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _night(hue: float, turn: float, counter: float, warm: float) -> Palette:
    ink = oklch(0.98, 0.012, hue)
    return Palette(
        ink=ink,
        accent=oklch(0.83, 0.13, counter),
        sky=(oklch(0.24, 0.075, hue), oklch(0.40, 0.115, hue + turn)),
        dusk=(oklch(0.28, 0.09, hue + turn * 0.6), oklch(0.44, 0.12, hue + turn * 1.7)),
        glows=(
            _readable(0.56, 0.15, hue - turn, ink, READABLE),
            _readable(0.54, 0.15, hue + turn * 2, ink, READABLE),
        ),
        sun=_readable(0.74, 0.16, warm, ink, READABLE_LARGE),
        hills=tuple(
            oklch(0.34 - 0.065 * n, 0.085, hue + turn * (1.2 - n * 0.35)) for n in range(3)
        ),
    )


def _day(hue: float, turn: float, counter: float, warm: float) -> Palette:
    ink = oklch(0.25, 0.06, hue)
    return Palette(
        ink=ink,
        accent=oklch(0.52, 0.17, counter),
        sky=(oklch(0.965, 0.022, hue), oklch(0.89, 0.06, hue + turn)),
        dusk=(oklch(0.94, 0.035, hue + turn * 0.6), oklch(0.87, 0.075, hue + turn * 1.7)),
        glows=(
            _readable(0.90, 0.09, hue - turn, ink, READABLE),
            _readable(0.90, 0.09, hue + turn * 2, ink, READABLE),
        ),
        sun=_readable(0.82, 0.14, warm, ink, READABLE_LARGE),
        hills=tuple(
            oklch(0.80 - 0.055 * n, 0.075, hue + turn * (1.2 - n * 0.35)) for n in range(3)
        ),
    )


def _readable(lightness: float, chroma: float, hue: float, ink: Rgb, least: float) -> Rgb:
    """Return the colour, lightened or darkened until `ink` on it has the contrast `least`."""
    step = -0.01 if _luminance(ink) > _MIDDLE_LUMINANCE else 0.01
    while contrast(ink, oklch(lightness, chroma, hue)) < least:
        lightness += step
    return oklch(lightness, chroma, hue)


def oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    """Convert an OKLCH colour to sRGB, with its chroma reduced to fit the sRGB gamut."""
    while chroma > 0 and not _is_srgb(_linear(lightness, chroma, hue)):
        chroma -= 0.005
    red, green, blue = (_encode(part) for part in _linear(lightness, max(chroma, 0), hue))
    return red, green, blue


def _is_srgb(parts: tuple[float, float, float]) -> bool:
    return min(parts) >= -_ROUNDING and max(parts) <= 1 + _ROUNDING


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a = chroma * math.cos(math.radians(hue))
    b = chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _encode(part: float) -> int:
    part = min(1.0, max(0.0, part))
    curved = 12.92 * part if part <= _KNEE / 12.92 else 1.055 * part ** (1 / 2.4) - 0.055
    return round(curved * 255)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_decode(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _decode(part: float) -> float:
    return part / 12.92 if part <= _KNEE else ((part + 0.055) / 1.055) ** 2.4
