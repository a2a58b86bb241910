"""Paints a starry night."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.places.woods import pines, ridge

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_night(p: Painter) -> None:
    """Paint a view of a starry night: a tent, a lone tree, or northern lights."""
    look = p.view.number % 3
    p.sky(horizon=0.95)
    p.stars(260, 0.85)
    _milky_way(p)
    if look == 1:
        _northern_lights(p)
    else:
        p.sun(p.w * p.random.uniform(0.68, 0.85), p.h * 0.24, 30 * p.u)
    ridge(p, 0.82, 0.16, 420, 0.1, p.between(0.2))
    pines(p, p.h * 0.86, 70 * p.u, 0.25, 0.55)
    near = p.waves(p.h * 0.92, 20 * p.u, 640 * p.u)
    pen = p.pen(p.between(1.0), top=p.h * 0.45, depth=0.6)
    pen.ground(near)
    x = p.w * 0.7
    if look == 0:
        _tent(p, pen, x, near(x) + 6 * p.u)
    else:
        paint_tree(p, pen, x, near(x) + 6 * p.u, 220 * p.u)
    p.put(pen, depth=0.6)
    _falling_star(p)
    p.specks(10, 2.2 * p.u, p.light.accent, Motion(dy=-0.5, sway=30 * p.u, period=6), alpha=170)


def _milky_way(p: Painter) -> None:
    pen = p.pen(mix(p.light.low, p.light.glow, 0.35))
    for _ in range(60):
        along = p.random.random()
        x = p.w * (0.25 + along * 0.75) + p.random.gauss(0, 40) * p.u
        y = p.h * (0.85 - along * 0.85) + p.random.gauss(0, 30) * p.u
        pen.disc(x, y, p.random.uniform(20, 60) * p.u, alpha=26)
    p.on_sky(pen, blur=26 * p.u)


def _northern_lights(p: Painter) -> None:
    for number in range(3):
        pen = p.pen(mix(p.light.glow, p.light.accent, number / 3), lower=p.h * 0.8)
        curve = p.waves(p.h * (0.3 + 0.1 * number), 60 * p.u, 500 * p.u)
        for x in range(0, p.w, max(4, round(9 * p.u))):
            height = (120 + 60 * math.sin(x / (70 * p.u) + number)) * p.u
            pen.box(x, curve(x) - height, x + 10 * p.u, curve(x), alpha=46)
        motion = Motion(sway=(20 + 14 * number) * p.u, period=8 + number, phase=number * 2.0)
        p.put(pen, blur=13 * p.u, motion=motion)


def _falling_star(p: Painter) -> None:
    long = 170 * p.u

    def draw(pen: Pen) -> None:
        for part in range(12):
            end = long * part / 12, long * 0.45 * part / 12
            start = long * (part + 1.2) / 12, long * 0.45 * (part + 1.2) / 12
            pen.line([end, start], (0.6 + part * 0.16) * p.u, alpha=20 * part)

    motion = Motion(dx=6.0 * p.u, dy=2.7 * p.u)
    p.sprite((long, long * 0.5), (p.w * 0.4, -long * 0.4), motion, p.light.ink, draw)


def _tent(p: Painter, pen: Pen, x: float, foot: float) -> None:
    s = 1.4 * p.u
    p.glow(x, foot - 30 * s, 190 * s, p.light.accent, 0.5)
    pen.polygon([(x - 82 * s, foot), (x, foot - 86 * s), (x + 82 * s, foot)], p.light.accent)
    pen.polygon(
        [(x - 82 * s, foot), (x, foot - 86 * s), (x - 22 * s, foot)],
        mix(p.light.accent, p.light.near, 0.4),
    )
    pen.polygon(
        [(x - 10 * s, foot), (x, foot - 70 * s), (x + 16 * s, foot)],
        mix(p.light.accent, p.light.glow, 0.7),
    )
    pen.line([(x, foot - 86 * s), (x + 4 * s, foot - 98 * s)], 3 * s)


def paint_tree(p: Painter, pen: Pen, x: float, foot: float, tall: float) -> None:
    """Paint a tree with a round crown."""
    pen.polygon(
        [
            (x - tall * 0.05, foot),
            (x - tall * 0.02, foot - tall * 0.6),
            (x + tall * 0.02, foot - tall * 0.6),
            (x + tall * 0.05, foot),
        ]
    )
    for side in (-1, 1):
        pen.line(
            [(x, foot - tall * 0.4), (x + side * tall * 0.2, foot - tall * 0.62)], tall * 0.025
        )
    for _ in range(26):
        angle, reach = p.random.random() * math.tau, p.random.random() ** 0.5
        at = (
            x + math.cos(angle) * reach * tall * 0.34,
            foot - tall * 0.72 + math.sin(angle) * reach * tall * 0.22,
        )
        pen.disc(*at, tall * p.random.uniform(0.06, 0.12))
