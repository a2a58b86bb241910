"""Saves pictures as layers, and provides drawing functions for several modules.

The module loads Pillow, so it is only imported in a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from bot.storyboard.drawing.artwork import Canvas, Layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.lights import Light
    from bot.storyboard.lettering.typefaces import Typefaces

_OVERSAMPLING = 4
_RUN_LENGTHS = 3  # a zlib strategy that is fast for plain areas


class LayerFiles:
    """Saves the layers of a clip in `folder`, and holds what is needed to draw them.

    `light`: the colours of the text.
    """

    def __init__(
        self,
        *,
        canvas: Canvas,
        light: Light,
        typefaces: Typefaces,
        folder: Path,
    ) -> None:
        self.canvas = canvas
        self.light = light
        self.typefaces = typefaces
        self._folder = folder

    def save(
        self, name: str, picture: Image.Image, x: float, y: float, *, zoom: float = 1.0
    ) -> Layer:
        """Save a picture as a PNG file, and return its layer. The layer is enlarged by `zoom`."""
        file = f"{name}.png"
        picture.save(self._folder / file, compress_level=1, compress_type=_RUN_LENGTHS)
        return Layer(
            file=file,
            x=round(x * zoom),
            y=round(y * zoom),
            width=round(picture.width * zoom),
            height=round(picture.height * zoom),
            is_enlarged=zoom > 1,
        )


def tint(mask: Image.Image, colour: Rgb) -> Image.Image:
    """Return a picture in a single colour, with `mask` as its alpha channel.

    The transparent pixels have the colour too, so that edges have no dark fringe.
    """
    picture = Image.new("RGBA", mask.size, colour)
    picture.putalpha(mask)
    return picture


def pill(width: int, height: int, alpha: int) -> Image.Image:
    """Return the mask of a bar with rounded ends."""
    wide, high = width * _OVERSAMPLING, height * _OVERSAMPLING
    big = Image.new("L", (wide, high))
    ImageDraw.Draw(big).rounded_rectangle((0, 0, wide - 1, high - 1), high / 2, fill=alpha)
    return scale(big, (width, height), Image.Resampling.BOX)


def scale(
    mask: Image.Image, size: tuple[int, int], filtering: Image.Resampling = Image.Resampling.BICUBIC
) -> Image.Image:
    """Return a mask that is resized to `size` in pixels."""
    # Pillow's types refer to NumPy, which is not installed.
    return mask.resize(size, filtering)  # pyright: ignore[reportUnknownMemberType]


def curve(mask: Image.Image, alpha: Callable[[int], float]) -> Image.Image:
    """Return a mask whose values are computed from those of `mask` by the function `alpha`."""
    values = [round(alpha(value)) for value in range(256)]
    return mask.point(values)  # pyright: ignore[reportUnknownMemberType]  # as above
