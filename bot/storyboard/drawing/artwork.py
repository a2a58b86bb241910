"""Defines the layers of a clip: image files, and their positions on a canvas."""

from __future__ import annotations

from dataclasses import dataclass, replace

FPS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Canvas:
    """The size of a clip's picture in pixels, and the length of the clip in frames."""

    width: int
    height: int
    frames: int

    @property
    def unit(self) -> float:
        """The unit of length in pixels: a 720th of the shorter side."""
        return min(self.width, self.height) / 720

    @property
    def is_tall(self) -> bool:
        """Whether the picture is taller than it is wide."""
        return self.height > self.width

    @property
    def margin(self) -> int:
        """The margin around text, in pixels."""
        return round((64 if self.is_tall else 92) * self.unit)

    @property
    def seconds(self) -> float:
        """The length of the clip in seconds."""
        return self.frames / FPS


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A part of an image file, and its position on the canvas.

    `row`: the row of pixels in the file at which the part begins.
    `is_enlarged`: whether the layer is shown larger than it is in the file.
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
    """A movement by `dx` and `dy` pixels per frame, which can be combined with a swing.

    `sway` and `bob`: how far the layer swings to the sides and up and down, in pixels. `period`:
    the duration of a swing, in seconds.

    Positions are rounded to whole pixels, because fractions would make the movement jitter.
    """

    dx: float = 0.0
    dy: float = 0.0
    sway: float = 0.0
    bob: float = 0.0
    period: float = 6.0
    phase: float = 0.0

    def enlarged(self, zoom: float) -> Motion:
        """Return the movement for a picture that is enlarged by `zoom`."""
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
    """One scene: lines of text that appear one after another below a short rule.

    `planes`: the picture behind the text, from back to front. The first plane fills the canvas.
    """

    lines: tuple[Layer, ...]
    rule: Layer
    planes: tuple[Plane, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Artwork:
    """All layers of a clip.

    `cuts`: the frames at which the cards end.
    `tracks`, `fills`: the empty and the full segments of the progress bar.
    `phase`: a number from 0 to 2 pi that varies the sound.
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
        """The frames at which each card starts and ends."""
        return tuple(zip((0, *self.cuts), self.cuts, strict=False))
