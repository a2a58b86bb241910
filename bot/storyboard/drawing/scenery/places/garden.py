"""Paints a garden."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.places.night import paint_tree

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_garden(p: Painter) -> None:
    """Paint a view of a garden: a meadow, flowers seen from close up, or an orchard."""
    look = p.view.number % 3
    p.sky(horizon=0.7)
    p.sun(p.w * p.random.uniform(0.68, 0.84), p.h * 0.44, 46 * p.u)
    p.clouds(0.5, 5, mix(p.light.low, p.light.glow, 0.6), 130)
    for number, depth in enumerate((0.12, 0.28)):
        base = p.h * (0.7 + 0.07 * number)
        pen = p.pen(
            mix(p.between(0.15 + 0.25 * number), p.light.low, 0.2), top=base - 90 * p.u, depth=depth
        )
        edge = p.waves(base, 26 * p.u, 600 * p.u)
        pen.ground(edge)
        count = 9 if look == 2 else 4
        for tree in range(count):
            x = (tree + p.random.random()) * pen.width / count
            paint_tree(p, pen, x, edge(x) + 4, (70 + 50 * number) * p.u)
        p.put(pen, depth=depth, mist=(p.light.low, 0.0, 0.3))
    for number, depth in enumerate((0.5, 0.8)):
        _flowers(p, 0.84 + 0.12 * number, depth, (46 if look != 1 else 90) * (1 + number * 0.9))
    _butterflies(p)


def _flowers(p: Painter, base: float, depth: float, tall: float) -> None:
    """Paint a bed of flowers that sway."""
    green = mix(p.between(0.4 + 0.5 * depth), (30, 90, 50), 0.25)
    petals = (
        p.light.accent,
        p.light.glow,
        mix(p.light.accent, (255, 90, 140), 0.5),
        mix(p.light.ink, p.light.glow, 0.5),
    )
    pen = p.pen(green, top=base * p.h - tall * 2.4 * p.u, spare=14 * p.u)
    edge = p.waves(base * p.h, 12 * p.u, 300 * p.u)
    pen.ground(edge)
    for _ in range(int(pen.width / (17 * p.u))):
        x = pen.left + p.random.random() * pen.width
        high = tall * p.random.uniform(0.5, 1.5) * p.u
        lean = p.random.uniform(-0.25, 0.25) * high
        head = x + lean, edge(x) - high
        pen.line(
            [(x, edge(x) + 8), (x + lean * 0.3, edge(x) - high * 0.5), head], max(1.2, high * 0.03)
        )
        pen.oval(x + lean * 0.3 + high * 0.1, edge(x) - high * 0.42, high * 0.12, high * 0.04)
        if p.random.random() < 0.6:
            _blossom(p, pen, head, high * 0.13 + 4 * p.u, petals)
    motion = Motion(sway=(4 + 6 * depth) * p.u, period=5 + 2 * depth, phase=depth * 4)
    p.put(pen, motion=motion)


def _blossom(
    p: Painter,
    pen: Pen,
    at: tuple[float, float],
    size: float,
    petals: tuple[tuple[int, int, int], ...],
) -> None:
    colour, start = p.random.choice(petals), p.random.random()
    for petal in range(6):
        angle = (petal / 6 + start) * math.tau
        pen.disc(
            at[0] + math.cos(angle) * size * 0.6,
            at[1] + math.sin(angle) * size * 0.6,
            size * 0.46,
            colour,
        )
    pen.disc(*at, size * 0.4, mix(colour, p.light.near, 0.55))


def _butterflies(p: Painter) -> None:
    for number in range(4):
        s = p.random.uniform(0.5, 0.9) * p.u

        def draw(pen: Pen, s: float = s) -> None:
            for side in (-1, 1):
                pen.oval(25 * s + side * 11 * s, 16 * s, 11 * s, 13 * s)
                pen.oval(
                    25 * s + side * 9 * s,
                    32 * s,
                    8 * s,
                    9 * s,
                    mix(p.light.accent, p.light.near, 0.25),
                )
            pen.line([(25 * s, 8 * s), (25 * s, 40 * s)], 3 * s, p.light.near)

        at = p.w * p.random.uniform(0.5, 0.92), p.h * p.random.uniform(0.58, 0.8)
        p.sprite(
            (50 * s, 46 * s),
            at,
            Motion(dx=-p.u / 2, sway=20 * p.u, bob=16 * p.u, period=3 + number * 0.7, phase=number),
            p.light.accent,
            draw,
        )
