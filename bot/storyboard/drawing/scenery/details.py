"""Paints details that several places have: rays of light, and reflections on water.

The module loads Pillow, so it is only imported in a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.effects import blurred, in_depth

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.painter import Painter


def paint_shafts(p: Painter, x: float, colour: Rgb, count: int, strength: int) -> None:
    """Paint slanting rays of light that move slowly."""
    pen = p.pen(colour)
    for number in range(count):
        start = x + (number - count / 2) * p.w * 0.13
        wide = p.random.uniform(0.02, 0.07) * p.w
        lean = p.w * (0.10 + 0.05 * number)
        alpha = round(strength * p.random.uniform(0.5, 1.0))
        foot = [(start + lean + wide * 2.4, p.h), (start + lean - wide, p.h)]
        pen.polygon([(start, 0), (start + wide, 0), *foot], alpha=alpha)
    fading = in_depth(blurred(pen.finish(), 14 * p.u))
    p.picture(fading, 0, 0, Motion(sway=18 * p.u, period=9))


def paint_glitter(p: Painter, top: float, colour: Rgb, count: int) -> None:
    """Paint reflections of light that rock on the water."""
    for layer in range(2):
        shine = p.pen(colour, top=top)
        for _ in range(count):
            at = p.random.random() * p.w, top + p.random.random() * (p.h - top)
            shine.oval(*at, p.random.uniform(12, 60) * p.u, 1.3 * p.u, alpha=80)
        motion = Motion(sway=13 * p.u, period=5.0 + layer, phase=layer * 2.0)
        p.picture(shine.finish(), 0, top, motion)
