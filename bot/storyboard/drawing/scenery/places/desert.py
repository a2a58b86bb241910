"""Paints a desert."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.places.woods import ridge

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_desert(p: Painter) -> None:
    """Paint a view of a desert: dunes, table mountains or cacti."""
    look = p.view.number % 3
    p.sky(horizon=0.7)
    if p.light.is_dark:
        p.stars(60, 0.4)
    p.sun(p.w * p.random.uniform(0.66, 0.8), p.h * 0.52, 74 * p.u)
    if look == 1:
        _mesas(p, 0.76, 0.14, 0.25)
        _mesas(p, 0.82, 0.2, 0.6)
    else:
        ridge(p, 0.72, 0.1, 380, 0.1, mix(p.light.far, p.light.low, 0.4))
    for number, depth in enumerate((0.25, 0.5, 0.85)):
        _dune(p, 0.72 + 0.1 * number, depth, 0.2 + 0.38 * number)
    if look == 0:
        _caravan(p)
    elif look == 2:
        _cacti(p)
    p.specks(20, 1.4 * p.u, p.light.glow, Motion(dy=-0.25, sway=60 * p.u, period=8), alpha=120)


def _dune(p: Painter, base: float, depth: float, near: float) -> None:
    """Paint a dune with a bright side and a shaded side."""
    colour = mix(p.between(near), p.light.glow, 0.12 * (1 - near))
    pen = p.pen(colour, top=(base - 0.12) * p.h, depth=depth)
    length = (420 + 260 * depth) * p.u
    start = p.random.random() * math.tau

    def edge(x: float) -> float:
        angle = x / length * math.tau * 0.8 + start
        return base * p.h - 40 * p.u * (1 + depth) * math.sin(angle + 0.7 * math.sin(angle))

    pen.ground(edge)
    dark = mix(colour, p.light.near, 0.45)
    step = max(3, round(5 * p.u))
    for x in range(0, pen.width, step):
        fall = edge(x + step) - edge(x)
        if fall > 0:
            pen.polygon(
                [
                    (x, edge(x)),
                    (x + step + 1, edge(x + step)),
                    (x + step + 1 - 60 * p.u, p.h),
                    (x - 60 * p.u, p.h),
                ],
                pen.over(dark, 150),
            )
    p.put(pen, depth=depth, mist=(p.light.low, 0.25 * (1 - depth), 0.0))


def _mesas(p: Painter, base: float, height: float, near: float) -> None:
    pen = p.pen(p.between(near), top=(base - height * 1.2) * p.h, depth=near * 0.5)
    x = p.random.uniform(0, 200) * p.u
    while x < pen.width:
        wide = p.random.uniform(90, 260) * p.u
        top = (base - height * p.random.uniform(0.5, 1.0)) * p.h
        pen.polygon(
            [
                (x - wide * 0.3, base * p.h),
                (x, top + 40 * p.u),
                (x + 4 * p.u, top),
                (x + wide, top),
                (x + wide + 6 * p.u, top + 34 * p.u),
                (x + wide * 1.35, base * p.h),
            ]
        )
        for layer in range(3):
            pen.box(
                x,
                top + (12 + 17 * layer) * p.u,
                x + wide,
                top + (16 + 17 * layer) * p.u,
                pen.over(p.light.near, 60),
            )
        x += wide * p.random.uniform(1.7, 2.6)
    pen.box(0, base * p.h - 2, pen.width, p.h)
    p.put(pen, depth=near * 0.5, mist=(p.light.low, 0.0, 0.5 * (1 - near)))


def _caravan(p: Painter) -> None:
    """Paint camels that walk along a ridge."""
    for number in range(4):

        def camel(pen: Pen) -> None:
            s = 0.62 * p.u
            pen.oval(58 * s, 52 * s, 34 * s, 15 * s)
            pen.polygon([(40 * s, 44 * s), (52 * s, 22 * s), (66 * s, 44 * s)])
            pen.line([(88 * s, 52 * s), (102 * s, 56 * s), (108 * s, 26 * s)], 8 * s)
            pen.oval(114 * s, 26 * s, 11 * s, 6 * s)
            for x in (34, 44, 74, 82):
                pen.line([(x * s, 58 * s), ((x - 2) * s, 100 * s)], 5 * s)

        at = p.w * (0.46 + 0.085 * number), p.h * 0.79 + (number % 2) * 4 * p.u
        p.sprite(
            (80 * p.u, 64 * p.u),
            at,
            Motion(dx=p.u / 2, bob=1.5 * p.u, period=0.9, phase=number * 1.4),
            p.between(1.0),
            camel,
        )


def _cacti(p: Painter) -> None:
    pen = p.pen(p.between(1.0), top=p.h * 0.5, depth=0.95)
    for number in range(5):
        x = (number + p.random.uniform(0.2, 0.8)) * pen.width / 5
        tall = p.random.uniform(110, 210) * p.u
        foot, thick = p.h * 1.0, tall * 0.13
        pen.box(x - thick / 2, foot - tall, x + thick / 2, foot, radius=thick / 2)
        for side in (-1, 1):
            y, reach = foot - tall * p.random.uniform(0.4, 0.6), side * thick * 2
            pen.line([(x, y), (x + reach, y)], thick * 0.75)
            pen.box(
                x + reach - thick * 0.38,
                y - tall * 0.3,
                x + reach + thick * 0.38,
                y + thick * 0.38,
                radius=thick * 0.38,
            )
    p.put(pen, depth=0.95)
