"""Draws what is behind the text: sky, lights, sun and hills.

Only to be imported off the event loop: it loads Pillow.
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
_GRADIENT_RIM = 180  # what Pillow's radial gradient has reached at the middle of an edge


def draw_scenery(layer_files: LayerFiles) -> Background:
    """Draw the scenery of a clip."""
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
    """Draw a slanted gradient, with a grain that keeps it from banding."""
    size = layer_files.stage.width, layer_files.stage.height
    slant = 20 if layer_files.digest[6] % 2 else -20
    tilted = Image.linear_gradient("L").rotate(slant, Image.Resampling.BICUBIC)
    steps = scale(tilted.crop((56, 36, 200, 220)), size)
    top, bottom = (Image.new("RGB", size, colour) for colour in colours)
    picture = Image.composite(bottom, top, steps)
    grain = Image.merge("RGB", [Image.effect_noise(size, _GRAIN)] * 3)
    return layer_files.save(name, ImageChops.add(picture, grain, 1, -128), 0, 0)


def _glows(layer_files: LayerFiles) -> tuple[Layer, ...]:
    """Draw two soft lights that will wander."""
    stage = layer_files.stage
    across = round(max(stage.width, stage.height) * 0.95)
    mask = scale(curve(Image.radial_gradient("L"), _glow), (across, across))
    places = (
        (stage.width - across * 0.66, -across * 0.40),
        (-across * 0.42, stage.height - across * 0.70),
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
    stage = layer_files.stage
    across = round((340 if stage.is_tall else 390) * stage.unit)
    big = Image.new("L", (across * 4, across * 4))
    ImageDraw.Draw(big).ellipse((8, 8, across * 4 - 8, across * 4 - 8), fill=255)
    disc = scale(big, (across, across), Image.Resampling.BOX)
    fade = curve(Image.linear_gradient("L"), lambda depth: 255 - depth * 0.7)
    mask = ImageChops.multiply(disc, scale(fade, (across, across)))
    x = stage.width * (0.50 if stage.is_tall else 0.645) + layer_files.digest[7] / 3 * stage.unit
    y = stage.height * (0.58 if stage.is_tall else 0.40)
    return layer_files.save("sun", tint(mask, layer_files.palette.sun), x, y)


def _hill(layer_files: LayerFiles, number: int, colour: Rgb) -> Layer:
    """Draw one range of hills; the nearer, the lower and the wider."""
    stage = layer_files.stage
    width = stage.width + DRIFT[number] * stage.frames
    height = round((240 - 58 * number) * stage.unit)
    edge = _edge(layer_files, number)
    points = [(x * 2, edge(x) * 2) for x in range(0, width + 8, 4)]
    mask = Image.new("L", (width * 2, height * 2))
    ground = [(width * 2 + 16, height * 2), (0, height * 2)]
    ImageDraw.Draw(mask).polygon([*points, *ground], fill=255)
    mask = scale(mask, (width, height), Image.Resampling.BOX)
    return layer_files.save(f"hill{number}", tint(mask, colour), 0, stage.height - height)


def _edge(layer_files: LayerFiles, number: int) -> Callable[[float], float]:
    """Return the height of a hill's edge below its highest point, along x."""
    unit = layer_files.stage.unit
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
