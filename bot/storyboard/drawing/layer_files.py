"""Saves pictures as layers, and shares the few ways to make one.

Only to be imported off the event loop: it loads Pillow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from bot.storyboard.drawing.artwork import Canvas, Layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.storyboard.drawing.palette import Palette, Rgb
    from bot.storyboard.drawing.typesetting import Typeface

_OVERSAMPLING = 4


class LayerFiles:
    """The stage, colours, face and folder of one clip; `digest` decides on the details."""

    def __init__(
        self,
        *,
        stage: Canvas,
        palette: Palette,
        typeface: Typeface,
        digest: bytes,
        folder: Path,
    ) -> None:
        self.stage = stage
        self.palette = palette
        self.typeface = typeface
        self.digest = digest
        self._folder = folder

    def save(self, name: str, picture: Image.Image, x: float, y: float) -> Layer:
        """Write a picture into the folder, and return the layer that it is."""
        file = f"{name}.png"
        picture.save(self._folder / file, compress_level=1)
        return Layer(file=file, x=round(x), y=round(y), width=picture.width, height=picture.height)


def tint(mask: Image.Image, colour: Rgb) -> Image.Image:
    """Return one colour, seen through a mask: without a dark fringe where it ends."""
    picture = Image.new("RGBA", mask.size, colour)
    picture.putalpha(mask)
    return picture


def pill(width: int, height: int, alpha: int) -> Image.Image:
    """Return the mask of a bar with round ends."""
    wide, high = width * _OVERSAMPLING, height * _OVERSAMPLING
    big = Image.new("L", (wide, high))
    ImageDraw.Draw(big).rounded_rectangle((0, 0, wide - 1, high - 1), high / 2, fill=alpha)
    return scale(big, (width, height), Image.Resampling.BOX)


def scale(
    mask: Image.Image, size: tuple[int, int], how: Image.Resampling = Image.Resampling.BICUBIC
) -> Image.Image:
    """Return a picture at another size in pixels."""
    return mask.resize(size, how)  # pyright: ignore[reportUnknownMemberType]  # Pillow: NumPy's


def curve(mask: Image.Image, alpha: Callable[[int], float]) -> Image.Image:
    """Return a mask with each value replaced by what `alpha` makes of it."""
    values = [round(alpha(value)) for value in range(256)]
    return mask.point(values)  # pyright: ignore[reportUnknownMemberType]  # Pillow: NumPy's
