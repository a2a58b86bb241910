"""Paints the sea: open water, a boat or a lighthouse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_sea(p: Painter) -> None:
    """Paint a view of the sea: open water, a boat or a lighthouse."""
    horizon = (0.66, 0.72, 0.61)[p.view.number % 3] * p.h
    hero = p.w * p.random.uniform(0.66, 0.8)
    p.sky(horizon=horizon / p.h)
    if p.light.is_dark:
        p.stars(70, 0.5)
    p.sun(hero, horizon - p.h * p.random.uniform(0.03, 0.12), 52 * p.u)
    p.clouds(horizon / p.h - 0.07, 5, mix(p.light.low, p.light.glow, 0.45), 90)
    if p.view.number % 3 == 1:
        _coast(p, horizon)
    _water(p, horizon, hero)
    if p.view.number % 3 != 1:
        size = (210 if p.view.number % 3 == 2 else 120) * p.u
        _boat(p, p.w * 0.6, horizon + size * 0.25, size)
    _swell(p, horizon)
    gulls(p, 5, 0.5)


def _water(p: Painter, horizon: float, sun: float) -> None:
    """Paint the surface of the water, and the light of the sun on it."""
    pen = p.pen(mix(p.light.far, p.light.low, 0.35), top=horizon)
    pen.box(0, horizon, p.w, p.h)
    p.put(pen, mist=(p.light.near, 0.0, 0.75))
    for layer in range(2):
        glitter = p.pen(p.light.glow, top=horizon)
        for _ in range(60):
            depth = p.random.random() ** 1.5
            y = horizon + 3 * p.u + depth * (p.h - horizon) * 0.8
            spread = (30 + 190 * depth) * p.u
            x = sun + p.random.gauss(0, 0.5) * spread
            length = (8 + 46 * depth) * p.u * p.random.uniform(0.5, 1.2)
            thick = (0.9 + 2.2 * depth) * p.u
            glitter.oval(x, y, length, thick, alpha=round(170 - 110 * depth))
        p.picture(
            glitter.finish(),
            0,
            horizon,
            Motion(sway=16 * p.u, period=4 + 2 * layer, phase=layer * 2.0),
        )


def _swell(p: Painter, horizon: float) -> None:
    """Paint the waves in the foreground."""
    for number, share in enumerate((0.35, 0.65, 1.0)):
        base = horizon + (p.h - horizon) * (0.42 + 0.24 * number)
        edge = p.waves(base, (9 + 9 * number) * p.u, (260 + 170 * number) * p.u)
        pen = p.pen(
            mix(p.between(0.25 + 0.3 * number), p.light.low, 0.22 - 0.09 * number),
            top=base - 60 * p.u,
            depth=share * 0.55,
        )
        pen.ground(edge)
        xs = range(0, pen.width, max(4, round(8 * p.u)))
        crest = [(float(x), edge(x) + 1.5 * p.u) for x in xs]
        pen.line(
            crest, (1.2 + number * 0.6) * p.u, pen.over(mix(p.light.low, p.light.glow, 0.5), 70)
        )
        p.put(pen, depth=share * 0.55, mist=(p.light.near, 0.0, 0.35 * share))


def _coast(p: Painter, horizon: float) -> None:
    """Paint a headland with a lighthouse and its beam of light."""
    colour = p.between(0.55)
    pen = p.pen(colour, top=horizon - 280 * p.u, lower=horizon + 4 * p.u, depth=0.1)
    foot = p.w * 0.78
    rock = p.waves(0, 22 * p.u, 150 * p.u)
    pen.ground(
        lambda x: (
            horizon
            + 6 * p.u
            - 105 * p.u / (1 + math.exp(-(x - foot + 90 * p.u) / (38 * p.u)))
            + rock(x) * 0.5
        )
    )
    tower, top = foot + 60 * p.u, horizon - 235 * p.u
    stone = (
        mix(p.light.ink, p.light.low, 0.35)
        if p.light.is_dark
        else mix(p.light.near, p.light.ink, 0.3)
    )
    pen.polygon(
        [
            (tower - 19 * p.u, horizon - 80 * p.u),
            (tower - 12 * p.u, top),
            (tower + 12 * p.u, top),
            (tower + 19 * p.u, horizon - 80 * p.u),
        ],
        stone,
    )
    for band in range(2):
        y = top + (38 + 62 * band) * p.u
        pen.polygon(
            [
                (tower - 15 * p.u, y),
                (tower + 15 * p.u, y),
                (tower + 17 * p.u, y + 26 * p.u),
                (tower - 17 * p.u, y + 26 * p.u),
            ],
            p.light.accent,
            200,
        )
    pen.box(tower - 16 * p.u, top - 4 * p.u, tower + 16 * p.u, top, colour)
    pen.box(tower - 8 * p.u, top - 22 * p.u, tower + 8 * p.u, top - 4 * p.u, p.light.glow)
    pen.polygon(
        [
            (tower - 12 * p.u, top - 22 * p.u),
            (tower, top - 38 * p.u),
            (tower + 12 * p.u, top - 22 * p.u),
        ],
        colour,
    )
    p.glow(tower, top - 13 * p.u, 120 * p.u, p.light.glow, 0.7)
    p.put(pen, depth=0.1)


def _boat(p: Painter, x: float, y: float, size: float) -> None:
    def draw(pen: Pen) -> None:
        s = size / 100
        pen.polygon(
            [(8 * s, 74 * s), (92 * s, 70 * s), (78 * s, 90 * s), (22 * s, 90 * s)],
            mix(p.light.near, p.light.accent, 0.25),
        )
        pen.line([(46 * s, 10 * s), (46 * s, 74 * s)], 1.6 * s)
        sail = (
            mix(p.light.ink, p.light.glow, 0.5)
            if p.light.is_dark
            else mix(p.light.accent, p.light.glow, 0.15)
        )
        pen.polygon([(49 * s, 10 * s), (82 * s, 64 * s), (49 * s, 67 * s)], sail)
        pen.polygon(
            [(43 * s, 20 * s), (43 * s, 66 * s), (20 * s, 66 * s)], mix(sail, p.light.low, 0.35)
        )

    motion = Motion(dx=p.view.side * p.u / 3, bob=5 * p.u, period=3.4)
    p.sprite((size, size * 0.95), (x - size / 2, y - size * 0.9), motion, p.light.near, draw)


def gulls(p: Painter, count: int, height: float) -> None:
    """Add two flocks of gulls that cross the sky."""
    wide, high = 340 * p.u, 150 * p.u
    for flock in range(2):

        def draw(pen: Pen) -> None:
            for _ in range(math.ceil(count / 2)):
                span = p.random.uniform(16, 34) * p.u
                x, y = p.random.random() * (wide - span), p.random.random() * (high - span)
                for side in (0, 1):
                    tip, middle = x + side * span, x + span * 0.5
                    bend = (tip + middle) / 2, y + span * 0.12
                    pen.line([(tip, y + span * 0.35), bend, (middle, y + span * 0.4)], span * 0.07)

        at = p.w * (0.5 + 0.22 * flock), p.h * height - high / 2
        pace = -p.u * (0.5 + 0.5 * flock)
        motion = Motion(dx=pace, bob=7 * p.u, period=3 + flock, phase=flock * 2.0)
        p.sprite((wide, high), at, motion, mix(p.light.near, p.light.far, 0.3), draw)
