"""Paints the sea below its surface."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.details import paint_shafts

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_underwater(p: Painter) -> None:
    """Paint a view below the surface of the sea: a reef, a whale or kelp."""
    look = p.view.number % 3
    p.sky(mix(p.light.low, p.light.top, 0.45), mix(p.light.top, p.light.near, 0.5), horizon=1.0)
    p.glow(p.w * 0.7, -40 * p.u, 520 * p.u, p.light.glow, 0.5)
    paint_shafts(p, p.w * 0.62, p.light.glow, 6, 80)
    _bottom(p, 0.86, 0.2, 0.25)
    if look == 1:
        _whale(p)
    _shoal(p, 12 if look == 1 else 20)
    _bottom(p, 0.92, 0.45, 0.6)
    _weeds(p, 1.02, 0.6, 3 if look == 0 else 1.5, 260 if look == 2 else 120)
    if look == 0:
        _corals(p)
    _bottom(p, 0.99, 0.85, 1.0)
    p.specks(26, 3.2 * p.u, p.light.glow, Motion(dy=-1.0, sway=10 * p.u, period=3), alpha=90)


def _bottom(p: Painter, base: float, depth: float, near: float) -> None:
    pen = p.pen(p.between(near), top=(base - 0.12) * p.h, depth=depth)
    pen.ground(p.waves(base * p.h, 34 * p.u, 420 * p.u))
    p.put(pen, depth=depth, mist=(p.light.low, 0.2 * (1 - near), 0.0))


def _weeds(p: Painter, base: float, depth: float, thick: float, tall: float) -> None:
    for layer in range(2):
        pen = p.pen(p.between(0.7 + 0.2 * layer), top=base * p.h - tall * 1.9 * p.u)
        for _ in range(14):
            x, high = p.random.random() * p.w, tall * p.random.uniform(0.6, 1.7) * p.u
            swing, start = p.random.uniform(6, 16) * p.u, p.random.random() * 6
            stem = [
                (x + math.sin(n / 3 + start) * swing, base * p.h - high * n / 16) for n in range(17)
            ]
            pen.line(stem, thick * 3 * p.u)
            for n in range(2, 16):
                pen.oval(stem[n][0] + (9 if n % 2 else -9) * p.u, stem[n][1], 10 * p.u, 4 * p.u)
        p.put(pen, motion=Motion(sway=(7 + 5 * layer) * p.u, period=5 + depth, phase=layer * 2.2))


def _corals(p: Painter) -> None:
    pen = p.pen(p.light.accent, top=p.h * 0.74, depth=0.7)

    def branch(x: float, y: float, angle: float, long: float, colour: Rgb) -> None:
        if long < 9 * p.u:
            return
        end = x + math.cos(angle) * long, y - math.sin(angle) * long
        pen.line([(x, y), end], long * 0.24, colour)
        pen.disc(*end, long * 0.12, colour)
        for turn in (-0.5, 0.45):
            branch(*end, angle + turn, long * 0.72, colour)

    for _ in range(7):
        x = p.random.random() * pen.width
        colour = mix(
            p.random.choice((p.light.accent, p.light.glow, (255, 120, 130))),
            p.light.far,
            p.random.uniform(0.1, 0.5),
        )
        branch(x, p.h * 0.97, math.pi / 2, p.random.uniform(30, 46) * p.u, colour)
    p.put(pen, depth=0.7)


def _shoal(p: Painter, count: int) -> None:
    for number in range(count // 3):
        s = p.random.uniform(0.35, 0.8) * p.u
        colour = mix(
            p.random.choice((p.light.accent, p.light.glow)), p.light.far, p.random.uniform(0.0, 0.5)
        )

        def draw(pen: Pen, s: float = s, colour: Rgb = colour) -> None:
            for n in range(3):
                x, y = (20 + 62 * (n % 2) + 20 * n) * s, (14 + 34 * n) * s
                pen.oval(x, y, 20 * s, 9 * s, colour)
                pen.polygon(
                    [(x + 16 * s, y), (x + 32 * s, y - 10 * s), (x + 32 * s, y + 10 * s)], colour
                )
                pen.disc(x - 10 * s, y - 2 * s, 1.8 * s, p.light.near)

        at = p.w * p.random.uniform(0.4, 1.0), p.h * p.random.uniform(0.56, 0.82)
        p.sprite(
            (170 * s, 110 * s),
            at,
            Motion(
                dx=-p.u * p.random.choice((0.5, 1.0)),
                bob=8 * p.u,
                period=3 + number * 0.3,
                phase=number,
            ),
            colour,
            draw,
        )


def _whale(p: Painter) -> None:
    def draw(pen: Pen) -> None:
        s = 2.1 * p.u
        pen.polygon(
            [
                (10 * s, 52 * s),
                (26 * s, 34 * s),
                (70 * s, 26 * s),
                (120 * s, 36 * s),
                (168 * s, 52 * s),
                (186 * s, 36 * s),
                (196 * s, 40 * s),
                (184 * s, 58 * s),
                (194 * s, 74 * s),
                (178 * s, 70 * s),
                (164 * s, 60 * s),
                (110 * s, 74 * s),
                (50 * s, 76 * s),
                (20 * s, 66 * s),
            ]
        )
        pen.oval(62 * s, 52 * s, 52 * s, 25 * s)
        pen.polygon(
            [
                (18 * s, 64 * s),
                (70 * s, 70 * s),
                (104 * s, 68 * s),
                (60 * s, 78 * s),
                (26 * s, 72 * s),
            ],
            mix(p.light.low, p.light.ink, 0.3),
            150,
        )
        pen.polygon([(72 * s, 70 * s), (96 * s, 70 * s), (84 * s, 96 * s)])
        pen.disc(34 * s, 56 * s, 2.2 * s, p.light.ink)

    at = p.w * 0.48, p.h * 0.56
    p.sprite(
        (420 * p.u, 210 * p.u),
        at,
        Motion(dx=-p.u / 2, bob=9 * p.u, period=6),
        mix(p.light.far, p.light.near, 0.45),
        draw,
    )
