"""Defines a clip's layers before they are animated: image files with positions on a canvas."""

from __future__ import annotations

from dataclasses import dataclass, replace

FPS = 30


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
    """A part of an image file, from the pixel row `row` on, and its position on the canvas.

    An enlarged layer is shown with more pixels than its file has.
    """

    file: str
    x: int
    y: int
    width: int
    height: int
    row: int = 0
    is_enlarged: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """A movement by `dx` and `dy` pixels per frame, and a swing around it, in pixels and seconds.

    Positions are whole pixels, because fractions would jitter: a slow movement skips frames evenly.
    """

    dx: float = 0.0
    dy: float = 0.0
    sway: float = 0.0
    bob: float = 0.0
    period: float = 6.0
    phase: float = 0.0

    def enlarged(self, zoom: float) -> Motion:
        """Return the same movement, enlarged with the picture that it belongs to."""
        return replace(
            self, dx=self.dx * zoom, dy=self.dy * zoom, sway=self.sway * zoom, bob=self.bob * zoom
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """A layer that moves."""

    layer: Layer
    motion: Motion = Motion()


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One scene: lines of text that appear one after another, below a short rule.

    Its `planes` are the picture behind it, from back to front; the first fills the canvas.
    """

    lines: tuple[Layer, ...]
    rule: Layer
    planes: tuple[Plane, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Artwork:
    """All layers of a clip. Each segment of the progress bar has a track and a fill.

    `cuts` are the frames at which the cards end. `phase`, 0 to 2 pi, varies the sound.
    """

    canvas: Canvas
    cards: tuple[Card, ...]
    cuts: tuple[int, ...]
    watermark: Layer
    tracks: tuple[Layer, ...]
    fills: tuple[Layer, ...]
    phase: float
    transition: str

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Return the frames at which each card starts and ends."""
        return tuple(zip((0, *self.cuts), self.cuts, strict=False))
