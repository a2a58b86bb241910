"""Paints a journey."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.places.sea import gulls
from bot.storyboard.drawing.scenery.places.woods import pines, ridge

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_road(p: Painter) -> None:
    """Paint a view of a journey: a road to the horizon, a railway viaduct, or a plain."""
    look = p.view.number % 3
    p.sky(horizon=0.7)
    if p.light.is_dark:
        p.stars(50, 0.4)
    p.sun(p.w * 0.72, p.h * 0.56, 54 * p.u)
    ridge(p, 0.72, 0.16, 420, 0.1, mix(p.light.far, p.light.low, 0.4))
    ground = p.waves(p.h * 0.74, 14 * p.u, 700 * p.u)
    _hill(p, ground, 0.2, p.between(0.35))
    if look == 1:
        _viaduct(p)
    else:
        _lane(p, 0.6 if look == 0 else 0.74)
    pines(p, p.h * 1.03, 110 * p.u, 0.9, 1.0)
    gulls(p, 3, 0.5)


def _hill(
    p: Painter, edge: Callable[[float], float], depth: float, colour: tuple[int, int, int]
) -> None:
    pen = p.pen(colour, top=p.h * 0.6, depth=depth)
    pen.ground(edge)
    p.put(pen, depth=depth, mist=(p.light.low, 0.0, 0.2))


def _lane(p: Painter, end: float) -> None:
    """Paint a winding road with a dashed line."""
    pen = p.pen(p.between(0.75), top=p.h * 0.72)
    depths = [n / 60 for n in range(61)]
    middle = [p.w * (end - 0.1 * t + 0.09 * math.sin(t * 4.5) * (0.25 + t)) for t in depths]
    ys = [p.h * (0.76 + 0.25 * t**1.6) for t in depths]
    half = [(4 + 230 * t**1.7) * p.u for t in depths]
    pen.box(0, p.h * 0.755, pen.width, p.h)
    left = [(x - w, y) for x, y, w in zip(middle, ys, half, strict=True)]
    right = [(x + w, y) for x, y, w in zip(middle, ys, half, strict=True)]
    pen.polygon([*left, *right[::-1]], mix(p.light.far, p.light.low, 0.35))
    for n in range(8, 60, 4):
        wide = half[n] * 0.05
        pen.polygon(
            [
                (middle[n] - wide, ys[n]),
                (middle[n] + wide, ys[n]),
                (middle[n + 1] + wide, ys[n + 1]),
                (middle[n + 1] - wide, ys[n + 1]),
            ],
            p.light.accent,
            220,
        )
    p.put(pen)


def _viaduct(p: Painter) -> None:
    y, span = p.h * 0.72, 150 * p.u
    pen = p.pen(p.between(0.8), top=y - 10 * p.u, depth=0.5)
    pen.box(0, y, pen.width, y + 20 * p.u)
    for n in range(int(pen.width / span) + 1):
        pen.box(n * span, y, n * span + 26 * p.u, p.h)
        pen.arc(n * span + 13 * p.u + span / 2, y + 84 * p.u, span / 2, (180, 360), 22 * p.u)
    p.put(pen, depth=0.5)

    def train(pen: Pen) -> None:
        s = p.u
        for car in range(4):
            left = car * 128 * s
            pen.box(
                left,
                6 * s,
                left + 122 * s,
                46 * s,
                p.light.near if car < 3 else p.light.accent,
                radius=9 * s,
            )
            for window in range(4):
                pen.box(
                    left + (14 + 26 * window) * s,
                    14 * s,
                    left + (32 + 26 * window) * s,
                    28 * s,
                    p.light.glow,
                    alpha=230,
                )

    p.sprite(
        (520 * p.u, 50 * p.u), (p.w * 0.1, y - 48 * p.u), Motion(dx=3.0 * p.u), p.light.near, train
    )
