"""Shades the picture behind a text as much as the text needs to be readable.

The module loads Pillow, so it is only imported in a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.layer_files import scale, tint
from bot.storyboard.drawing.scenery.colours import READABLE, Rgb, contrast, mix

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.lights import Light
    from bot.storyboard.drawing.scenery.painter import Painter

_ENOUGH = READABLE + 0.5  # a margin, because encoding changes colours a little
_SMALL = 8
_STEP = 0.04


def shade(painter: Painter, text: Light) -> None:
    """Add a soft shade behind the text if some colours there are too close to the text's colour."""
    veil = mix(painter.light.top, (0, 0, 0) if text.is_dark else (255, 255, 255), 0.5)
    area = painter.view.text
    worst = painter.extremes(brightest=text.is_dark)
    strength = max(_needed(colour, veil, text.ink) for colour in worst)
    if strength <= 0:
        return
    reach = 84 * painter.u
    size = max(2, painter.w // _SMALL), max(2, painter.h // _SMALL)
    mask = Image.new("L", size)
    box = [(edge + way * reach) / _SMALL for edge, way in zip(area, (-1, -1, 1, 1), strict=True)]
    pen = ImageDraw.Draw(mask)
    pen.rounded_rectangle(box, reach / _SMALL, fill=round(255 * strength))
    mask = mask.filter(ImageFilter.GaussianBlur(reach / _SMALL * 0.5))
    soft = scale(mask, (painter.w, painter.h))
    painter.picture(tint(soft, veil), 0, 0, Motion())


def _needed(colour: Rgb, veil: Rgb, ink: Rgb) -> float:
    """Return the lowest opacity of the veil that makes text readable on a colour."""
    share = 0.0
    while share < 1 and contrast(ink, mix(colour, veil, share)) < _ENOUGH:
        share += _STEP
    return min(1.0, share)
