"""Paints a workshop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.places.interior import paint_lamp

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_workshop(p: Painter) -> None:
    """Paint a view of a workshop: a wall of tools, wheels, or a drawing board."""
    look = p.view.number % 3
    p.sky(p.light.top, mix(p.light.top, p.light.far, 0.7), horizon=1.0)
    if look == 0:
        _tools(p)
    elif look == 1:
        _wheels(p)
    else:
        _plans(p)
    y = p.h * 0.86
    pen = p.pen(p.between(0.9), top=y - 120 * p.u, depth=0.5)
    pen.box(0, y, pen.width, y + 26 * p.u)
    pen.box(0, y + 26 * p.u, pen.width, p.h, mix(p.light.near, (0, 0, 0), 0.3))
    for n in range(6):
        x = (n + 0.5) * pen.width / 6
        if n % 3 == 0:  # a vice
            pen.box(x - 46 * p.u, y - 34 * p.u, x + 46 * p.u, y)
            pen.box(x - 46 * p.u, y - 62 * p.u, x - 22 * p.u, y)
            pen.box(x + 6 * p.u, y - 62 * p.u, x + 30 * p.u, y)
        elif n % 3 == 1:  # a jar of brushes
            pen.box(
                x - 20 * p.u,
                y - 50 * p.u,
                x + 20 * p.u,
                y,
                mix(p.light.accent, p.light.near, 0.4),
                radius=4 * p.u,
            )
            for lean in (-22, -6, 12, 26):
                pen.line(
                    [(x + lean * 0.4 * p.u, y - 50 * p.u), (x + lean * p.u, y - 98 * p.u)],
                    5 * p.u,
                    p.light.far,
                )
        else:  # planks
            for plank in range(3):
                pen.box(
                    x - (80 - 12 * plank) * p.u,
                    y - (14 + 15 * plank) * p.u,
                    x + (70 - 8 * plank) * p.u,
                    y - (1 + 15 * plank) * p.u,
                    mix(p.light.low, p.light.near, 0.25 + 0.15 * plank),
                )
    p.put(pen, depth=0.5)
    paint_lamp(p, p.w * 0.8, p.h * 0.5)
    p.specks(26, 1.8 * p.u, p.light.glow, Motion(dy=0.25, sway=24 * p.u, period=7), alpha=150)


def _tools(p: Painter) -> None:
    """Paint saws, hammers, spanners and squares on a board."""
    pen = p.pen(p.between(0.85), top=p.h * 0.5, depth=0.2)
    top = p.h * 0.56
    for n in range(int(pen.width / (120 * p.u)) + 1):
        x, s = (n * 120 + 60) * p.u, p.random.uniform(0.9, 1.15) * p.u
        steel, wood = mix(p.light.far, p.light.glow, 0.35), mix(p.light.low, p.light.near, 0.3)
        pen.disc(x, top - 8 * s, 4 * s)
        match n % 4:
            case 0:
                pen.box(x - 6 * s, top, x + 6 * s, top + 150 * s, wood, radius=4 * s)
                pen.box(x - 38 * s, top + 6 * s, x + 38 * s, top + 36 * s, steel, radius=5 * s)
            case 1:
                pen.polygon(
                    [
                        (x - 26 * s, top + 40 * s),
                        (x + 26 * s, top + 40 * s),
                        (x + 6 * s, top + 170 * s),
                        (x - 14 * s, top + 170 * s),
                    ],
                    steel,
                )
                pen.box(x - 28 * s, top, x + 28 * s, top + 44 * s, wood, radius=14 * s)
                pen.box(
                    x - 14 * s, top + 12 * s, x + 14 * s, top + 30 * s, p.light.top, radius=8 * s
                )
            case 2:
                pen.arc(x, top + 26 * s, 20 * s, (300, 240), 12 * s, colour=steel)
                pen.box(x - 7 * s, top + 44 * s, x + 7 * s, top + 160 * s, steel, radius=6 * s)
            case _:
                pen.box(x - 34 * s, top, x - 18 * s, top + 150 * s, wood)
                pen.box(x - 34 * s, top + 134 * s, x + 44 * s, top + 150 * s, steel)
    p.put(pen, depth=0.2)


def _wheels(p: Painter) -> None:
    for number, (x, y, size) in enumerate(
        ((0.66, 0.72, 120), (0.81, 0.62, 78), (0.93, 0.78, 100), (0.52, 0.82, 64))
    ):
        radius = size * p.u
        colour = mix(
            p.light.accent if number % 2 else p.light.far, p.light.near, 0.25 + 0.1 * number
        )

        def draw(pen: Pen, r: float = radius, colour: Rgb = colour) -> None:
            teeth = max(10, round(r / (9 * p.u)))
            for tooth in range(teeth):
                a = tooth / teeth * math.tau
                ring = [
                    (r + math.cos(a + d) * r * k, r + math.sin(a + d) * r * k)
                    for d, k in ((-0.1, 0.84), (-0.06, 0.99), (0.06, 0.99), (0.1, 0.84))
                ]
                pen.polygon(ring, colour)
            pen.disc(r, r, r * 0.86, colour)
            pen.disc(r, r, r * 0.62, mix(colour, p.light.near, 0.45))
            for spoke in range(6):
                a = spoke / 6 * math.tau
                pen.line(
                    [(r, r), (r + math.cos(a) * r * 0.66, r + math.sin(a) * r * 0.66)],
                    r * 0.12,
                    colour,
                )
            pen.disc(r, r, r * 0.2, colour)
            pen.disc(r, r, r * 0.09, p.light.near)

        p.sprite(
            (radius * 2, radius * 2),
            (p.w * x - radius, p.h * y - radius),
            Motion(bob=3 * p.u, sway=2 * p.u, period=2.4 + number * 0.3, phase=number * 1.5),
            colour,
            draw,
        )


def _plans(p: Painter) -> None:
    """Paint a plan with a grid, circles and measurements."""
    left, top, right, lower = p.w * 0.46, p.h * 0.56, p.w * 0.97, p.h * 0.92
    pen = p.pen(mix(p.light.low, p.light.far, 0.4), top=top, lower=lower)
    pen.box(left, top, right, lower, radius=6 * p.u)
    line = mix(p.light.glow, p.light.low, 0.15)
    for n in range(1, 14):
        x, y = left + n * (right - left) / 14, top + n * (lower - top) / 14
        pen.line([(x, top), (x, lower)], 1 * p.u, pen.over(line, 70))
        pen.line([(left, y), (right, y)], 1 * p.u, pen.over(line, 70))
    x, y = (left + right) / 2, (top + lower) / 2
    for radius in (34, 62, 96):
        pen.arc(x, y, radius * p.u, (0, 360), 2.4 * p.u, colour=line)
    for a in range(6):
        angle = a / 6 * math.tau
        pen.line(
            [(x, y), (x + math.cos(angle) * 96 * p.u, y + math.sin(angle) * 96 * p.u)],
            1.6 * p.u,
            line,
        )
    pen.line(
        [(left + 40 * p.u, lower - 30 * p.u), (right - 40 * p.u, lower - 30 * p.u)],
        2 * p.u,
        p.light.accent,
    )
    p.put(pen)
