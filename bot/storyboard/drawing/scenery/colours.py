"""Mixes colours, and computes their contrast."""

from __future__ import annotations

Rgb = tuple[int, int, int]

READABLE = 4.5
"""Text must have at least this contrast with the picture behind it (WCAG 2, level AA)."""

_KNEE = 0.04045  # below this value, sRGB's transfer function is linear


def rgb(code: str) -> Rgb:
    """Convert a hexadecimal colour code to RGB."""
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """Return a mixture of two colours. `share` is the share of `other`, from 0 to 1."""
    red, green, blue = (
        round(a + (b - a) * min(1.0, max(0.0, share))) for a, b in zip(one, other, strict=True)
    )
    return red, green, blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast of two colours, from 1 to 21, as defined in WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Rgb) -> float:
    """Return the relative luminance of a colour, from 0 to 1."""
    red, green, blue = (_decode(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _decode(part: float) -> float:
    return part / 12.92 if part <= _KNEE else ((part + 0.055) / 1.055) ** 2.4
