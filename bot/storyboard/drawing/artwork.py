"""What is drawn before it moves: layers on a stage, as image files and numbers."""

from __future__ import annotations

from dataclasses import dataclass

FPS = 30
DRIFT = (1, 2, 3)
"""How many pixels each hill moves per frame: whole ones, so that its edge never trembles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Canvas:
    """The picture's size in pixels, and the clip's length in frames."""

    width: int
    height: int
    frames: int

    @property
    def unit(self) -> float:
        """Return the length that everything is measured in: a 720th of the shorter side."""
        return min(self.width, self.height) / 720

    @property
    def is_tall(self) -> bool:
        """Tell whether the picture stands upright."""
        return self.height > self.width

    @property
    def margin(self) -> int:
        """Return the free room around text, in pixels."""
        return round((64 if self.is_tall else 92) * self.unit)

    @property
    def seconds(self) -> float:
        """Return the clip's length."""
        return self.frames / FPS


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A part of an image file, `row` pixels from its top, and where it rests on the stage."""

    file: str
    x: int
    y: int
    width: int
    height: int
    row: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One scene: its lines come in one after the other, under a short rule.

    `weight` is the scene's part of the time, against the other scenes' weights.
    """

    lines: tuple[Layer, ...]
    rule: Layer
    weight: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Background:
    """What is behind the text, from back to front.

    Each of `hills` is wider than the stage by what it drifts.
    """

    sky: Layer
    dusk: Layer
    glows: tuple[Layer, ...]
    sun: Layer
    hills: tuple[Layer, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Artwork:
    """All layers of a clip; each segment of `tracks` is filled by the one of `fills`."""

    stage: Canvas
    background: Background
    cards: tuple[Card, ...]
    mark: Layer
    tracks: tuple[Layer, ...]
    fills: tuple[Layer, ...]
    phase: float
