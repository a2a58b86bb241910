"""Defines a clip's layers before they are animated: image files with positions on a canvas."""

from __future__ import annotations

from dataclasses import dataclass

FPS = 30
DRIFT = (1, 2, 3)
"""Each hill's movement per frame, in whole pixels, because fractions would jitter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Canvas:
    """A picture's size in pixels, and its clip's length in frames."""

    width: int
    height: int
    frames: int

    @property
    def unit(self) -> float:
        """Return the unit of length in pixels: a 720th of the shorter side."""
        return min(self.width, self.height) / 720

    @property
    def is_tall(self) -> bool:
        """Tell whether the picture is in portrait format."""
        return self.height > self.width

    @property
    def margin(self) -> int:
        """Return the margin around text, in pixels."""
        return round((64 if self.is_tall else 92) * self.unit)

    @property
    def seconds(self) -> float:
        """Return the clip's duration in seconds."""
        return self.frames / FPS


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A part of an image file, `row` pixels from its top, and its position on the canvas."""

    file: str
    x: int
    y: int
    width: int
    height: int
    row: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One scene: lines of text that appear one after the other, below a short rule.

    Scenes share the clip's duration in proportion to their `weight`.
    """

    lines: tuple[Layer, ...]
    rule: Layer
    weight: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Background:
    """The layers behind the text, from back to front.

    Each hill is wider than the canvas by the distance that it moves.
    """

    sky: Layer
    dusk: Layer
    glows: tuple[Layer, ...]
    sun: Layer
    hills: tuple[Layer, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Artwork:
    """All layers of a clip; each segment of the progress bar has a track and a fill.

    `phase`, 0 to 2 pi, varies the motion and the sound.
    """

    canvas: Canvas
    background: Background
    cards: tuple[Card, ...]
    watermark: Layer
    tracks: tuple[Layer, ...]
    fills: tuple[Layer, ...]
    phase: float
