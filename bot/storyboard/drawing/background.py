"""Draws the background behind the text: sky, glows, sun and hills.

Imported only in a worker thread, because it loads Pillow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw

from bot.storyboard.drawing.artwork import DRIFT, Background, Layer
from bot.storyboard.drawing.layer_files import curve, scale, tint

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storyboard.drawing.layer_files import LayerFiles
    from bot.storyboard.drawing.palette import Rgb

_GRAIN = 2.5
_GRADIENT_RIM = 180  # the value of Pillow's radial gradient at the middle of an edge


def draw_background(layer_files: LayerFiles) -> Background:
    """Draw a clip's background."""
    return Background(
        sky=_sky(layer_files, "sky", layer_files.palette.sky),
        dusk=_sky(layer_files, "dusk", layer_files.palette.dusk),
        glows=_glows(layer_files),
        sun=_sun(layer_files),
        hills=tuple(
            _hill(layer_files, n, colour) for n, colour in enumerate(layer_files.palette.hills)
        ),
    )


def _sky(layer_files: LayerFiles, name: str, colours: tuple[Rgb, Rgb]) -> Layer:
    """Draw a slanted gradient, with grain that prevents banding."""
    size = layer_files.canvas.width, layer_files.canvas.height
    slant = 20 if layer_files.digest[6] % 2 else -20
    tilted = Image.linear_gradient("L").rotate(slant, Image.Resampling.BICUBIC)
    steps = scale(tilted.crop((56, 36, 200, 220)), size)
    top, bottom = (Image.new("RGB", size, colour) for colour in colours)
    picture = Image.composite(bottom, top, steps)
    grain = Image.merge("RGB", [Image.effect_noise(size, _GRAIN)] * 3)
    return layer_files.save(name, ImageChops.add(picture, grain, 1, -128), 0, 0)


def _glows(layer_files: LayerFiles) -> tuple[Layer, ...]:
    """Draw the two soft lights that the animation moves."""
    canvas = layer_files.canvas
    diameter = round(max(canvas.width, canvas.height) * 0.95)
    mask = scale(curve(Image.radial_gradient("L"), _glow), (diameter, diameter))
    places = (
        (canvas.width - diameter * 0.66, -diameter * 0.40),
        (-diameter * 0.42, canvas.height - diameter * 0.70),
    )
    return tuple(
        layer_files.save(f"glow{n}", tint(mask, colour), x, y)
        for n, (colour, (x, y)) in enumerate(zip(layer_files.palette.glows, places, strict=True))
    )


def _glow(distance: float) -> float:
    near = max(0.0, 1 - distance / _GRADIENT_RIM)
    return 190 * near * near * (3 - 2 * near)


def _sun(layer_files: LayerFiles) -> Layer:
    """Draw a disc that fades towards the ground."""
    canvas = layer_files.canvas
    diameter = round((340 if canvas.is_tall else 390) * canvas.unit)
    big = Image.new("L", (diameter * 4, diameter * 4))
    ImageDraw.Draw(big).ellipse((8, 8, diameter * 4 - 8, diameter * 4 - 8), fill=255)
    disc = scale(big, (diameter, diameter), Image.Resampling.BOX)
    fade = curve(Image.linear_gradient("L"), lambda depth: 255 - depth * 0.7)
    mask = ImageChops.multiply(disc, scale(fade, (diameter, diameter)))
    x = canvas.width * (0.50 if canvas.is_tall else 0.645) + layer_files.digest[7] / 3 * canvas.unit
    y = canvas.height * (0.58 if canvas.is_tall else 0.40)
    return layer_files.save("sun", tint(mask, layer_files.palette.sun), x, y)


def _hill(layer_files: LayerFiles, number: int, colour: Rgb) -> Layer:
    """Draw one range of hills; nearer ones are lower and wider."""
    canvas = layer_files.canvas
    width = canvas.width + DRIFT[number] * canvas.frames
    height = round((240 - 58 * number) * canvas.unit)
    edge = _edge(layer_files, number)
    points = [(x * 2, edge(x) * 2) for x in range(0, width + 8, 4)]
    mask = Image.new("L", (width * 2, height * 2))
    ground = [(width * 2 + 16, height * 2), (0, height * 2)]
    ImageDraw.Draw(mask).polygon([*points, *ground], fill=255)
    mask = scale(mask, (width, height), Image.Resampling.BOX)
    return layer_files.save(f"hill{number}", tint(mask, colour), 0, canvas.height - height)


def _edge(layer_files: LayerFiles, number: int) -> Callable[[float], float]:
    """Return a function from x to the depth of a hill's edge below the layer's top."""
    unit = layer_files.canvas.unit
    wave = (_swell, _peak, _dune)[layer_files.digest[9] % 3]
    phase = layer_files.digest[10 + number] / 40
    length = (560 - 70 * number + layer_files.digest[13 + number]) * unit / math.tau
    swing = (42 - 8 * number) * unit

    def edge(x: float) -> float:
        fine = math.sin(x / length * 2.2 + phase * 2.3)
        return swing * (1.5 - wave(x / length + phase) - 0.4 * fine)

    return edge


def _swell(angle: float) -> float:
    return math.sin(angle)


def _peak(angle: float) -> float:
    return math.asin(math.sin(angle)) / math.pi * 2


def _dune(angle: float) -> float:
    return math.sin(angle + 0.6 * math.sin(angle))
