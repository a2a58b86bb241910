"""Paints a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_stage(p: Painter) -> None:
    """Paint a view of a stage, with spotlights, a crowd, and notes in the air."""
    look = p.view.number % 3
    p.sky(horizon=1.0)
    colours = (p.light.glow, p.light.accent, p.light.low, mix(p.light.accent, p.light.low, 0.5))
    for number, x in enumerate((0.5, 0.64, 0.78, 0.92)):
        pen = p.pen(colours[number])
        foot = p.w * (0.72 + (x - 0.7) * 0.4)
        pen.polygon(
            [
                (p.w * x - 8 * p.u, 0),
                (p.w * x + 8 * p.u, 0),
                (foot + 150 * p.u, p.h),
                (foot - 150 * p.u, p.h),
            ],
            alpha=60,
        )
        p.put(
            pen,
            blur=12 * p.u,
            motion=Motion(sway=(30 + 10 * number) * p.u, period=5 + number, phase=number * 1.6),
        )
    floor = p.h * 0.84
    pen = p.pen(p.between(0.7), top=floor, depth=0.15)
    pen.box(0, floor, pen.width, p.h)
    pen.oval(p.w * 0.72, floor + 26 * p.u, 250 * p.u, 26 * p.u, pen.over(p.light.glow, 150))
    p.put(pen, depth=0.15)
    _band(p, floor + 12 * p.u) if look != 2 else _piano(p, floor + 22 * p.u)
    _notes(p)
    if look != 2:
        _crowd(p)


def _band(p: Painter, floor: float) -> None:
    pen = p.pen(p.light.near, top=floor - 260 * p.u, lower=floor + 10 * p.u)
    for x in (0.6, 0.72, 0.84):
        _figure(p, pen, p.w * x, floor, 1.25 * p.u)
        pen.line(
            [
                (p.w * x + 40 * p.u, floor),
                (p.w * x + 40 * p.u, floor - 118 * p.u),
                (p.w * x + 22 * p.u, floor - 128 * p.u),
            ],
            3 * p.u,
        )
    p.put(pen, motion=Motion(bob=3 * p.u, period=1.2))


def _figure(p: Painter, pen: Pen, x: float, floor: float, s: float) -> None:
    pen.disc(x, floor - 132 * s, 14 * s)
    pen.box(x - 17 * s, floor - 116 * s, x + 17 * s, floor - 50 * s, radius=11 * s)
    for side in (-1, 1):
        pen.line([(x + side * 8 * s, floor - 56 * s), (x + side * 14 * s, floor)], 11 * s)
        pen.line(
            [
                (x + side * 14 * s, floor - 106 * s),
                (x + side * 32 * s, floor - 84 * s),
                (x + 10 * s, floor - 74 * s),
            ],
            8 * s,
        )
    pen.oval(x + 4 * s, floor - 72 * s, 22 * s, 12 * s, mix(p.light.accent, p.light.near, 0.3))
    pen.line(
        [(x + 10 * s, floor - 74 * s), (x + 54 * s, floor - 94 * s)],
        5 * s,
        mix(p.light.accent, p.light.near, 0.3),
    )


def _piano(p: Painter, floor: float) -> None:
    x, s = p.w * 0.7, 1.7 * p.u
    pen = p.pen(p.light.near, top=floor - 210 * s, lower=floor + 10)
    pen.box(x - 90 * s, floor - 76 * s, x + 90 * s, floor - 50 * s, radius=6 * s)
    pen.polygon(
        [
            (x - 70 * s, floor - 78 * s),
            (x + 60 * s, floor - 150 * s),
            (x + 96 * s, floor - 130 * s),
            (x + 90 * s, floor - 76 * s),
        ]
    )
    pen.box(x - 108 * s, floor - 62 * s, x - 84 * s, floor - 56 * s, p.light.ink)
    for leg in (-78, 78):
        pen.line([(x + leg * s, floor - 50 * s), (x + leg * s, floor)], 7 * s)
    _figure(p, pen, x - 130 * s, floor, 0.85 * s)
    p.put(pen)


def _crowd(p: Painter) -> None:
    for row in range(2):
        pen = p.pen(
            mix(p.light.near, p.light.far, 0.25 - 0.2 * row), top=p.h * 0.84, spare=10 * p.u
        )
        x = float(pen.left)
        while x < pen.left + pen.width:
            size = (22 + 16 * row) * p.random.uniform(0.8, 1.2) * p.u
            y = p.h * (0.95 + 0.035 * row) + p.random.uniform(-8, 8) * p.u
            pen.disc(x, y, size * 0.62)
            pen.box(x - size, y + size * 0.6, x + size, p.h + 20 * p.u, radius=size * 0.7)
            if p.random.random() < 0.3:
                pen.line(
                    [(x + size * 0.7, y + size), (x + size * 1.1, y - size * 1.1)], size * 0.34
                )
            x += size * 2.1
        p.put(pen, motion=Motion(bob=(2 + 2 * row) * p.u, period=1.2, phase=row * 1.6))


def _notes(p: Painter) -> None:
    for number in range(6):
        s = p.random.uniform(0.6, 1.1) * p.u

        def draw(pen: Pen, s: float = s, number: int = number) -> None:
            pen.oval(14 * s, 52 * s, 12 * s, 9 * s)
            pen.line([(24 * s, 50 * s), (24 * s, 8 * s)], 3.4 * s)
            if number % 2:
                pen.oval(50 * s, 46 * s, 12 * s, 9 * s)
                pen.polygon([(22 * s, 6 * s), (62 * s, 0), (62 * s, 10 * s), (22 * s, 16 * s)])
                pen.line([(60 * s, 44 * s), (60 * s, 4 * s)], 3.4 * s)
            else:
                pen.polygon(
                    [
                        (24 * s, 6 * s),
                        (40 * s, 20 * s),
                        (36 * s, 34 * s),
                        (33 * s, 22 * s),
                        (24 * s, 18 * s),
                    ]
                )

        at = p.w * p.random.uniform(0.5, 0.95), p.h * p.random.uniform(0.56, 0.8)
        p.sprite(
            (66 * s, 64 * s),
            at,
            Motion(dy=-p.u / 3, sway=12 * p.u, period=3 + number * 0.4, phase=number),
            p.light.accent,
            draw,
        )
