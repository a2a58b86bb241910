"""Paints rooms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_interior(p: Painter) -> None:
    """Paint a view of a room: a window, bookshelves, or a table with a cup."""
    look = p.view.number % 3
    wall, lit = (
        (p.light.top, mix(p.light.top, p.light.far, 0.6))
        if p.light.is_dark
        else (p.light.top, p.light.low)
    )
    p.sky(wall, lit, horizon=1.0)
    if look == 0:
        _window(p)
    elif look == 1:
        _shelves(p)
    floor = p.h * 0.9
    pen = p.pen(p.between(0.8), top=floor, depth=0.3)
    pen.box(0, floor, pen.width, p.h)
    for n in range(int(pen.width / (150 * p.u)) + 2):
        pen.line(
            [(n * 150 * p.u, floor), (n * 150 * p.u - 60 * p.u, p.h)],
            2 * p.u,
            pen.over(p.light.near, 120),
        )
    p.put(pen, depth=0.3)
    if look == 1:
        _armchair(p, floor)
    else:
        _table(p, floor, cup=look == 2)
    paint_lamp(p, p.w * 0.86, p.h * 0.5)
    p.specks(18, 1.8 * p.u, p.light.glow, Motion(dy=0.25, sway=20 * p.u, period=8), alpha=120)


def _window(p: Painter) -> None:
    """Paint a window with curtains, and the hills outside."""
    left, right, top, lower = p.w * 0.56, p.w * 0.8, p.h * 0.5, p.h * 0.84
    p.glow((left + right) / 2, (top + lower) / 2, 320 * p.u, p.light.glow, 0.5)
    view = p.pen(mix(p.light.low, p.light.glow, 0.4), top=top, lower=lower)
    view.box(left, top, right, lower)
    view.disc(right - 60 * p.u, top + 60 * p.u, 26 * p.u, p.light.glow)
    hills = p.waves(lower - 60 * p.u, 26 * p.u, 200 * p.u)
    view.polygon(
        [
            (left, lower),
            *[(x, hills(x)) for x in range(round(left), round(right), 6)],
            (right, lower),
        ],
        p.light.far,
    )
    p.put(view)
    frame = p.pen(mix(p.light.near, p.light.far, 0.2), top=top - 20 * p.u, lower=lower + 30 * p.u)
    for x in (left, (left + right) / 2, right):
        frame.box(x - 5 * p.u, top - 5 * p.u, x + 5 * p.u, lower)
    for y in (top, (top + lower) / 2, lower):
        frame.box(left - 5 * p.u, y - 5 * p.u, right + 5 * p.u, y + 5 * p.u)
    frame.box(left - 26 * p.u, lower, right + 26 * p.u, lower + 15 * p.u)
    p.put(frame)
    for side, x in ((-1, left), (1, right)):
        curtain = p.pen(
            mix(p.light.accent, p.light.far, 0.35), top=top - 24 * p.u, lower=lower + 40 * p.u
        )
        for fold in range(5):
            at = x + side * (fold * 15 - 8) * p.u
            colour = mix(curtain.colour, p.light.near, 0.1 + 0.14 * (fold % 2))
            curtain.polygon(
                [
                    (at - 9 * p.u, top - 24 * p.u),
                    (at + 9 * p.u, top - 24 * p.u),
                    (at + 11 * p.u, lower + 36 * p.u),
                    (at - 11 * p.u, lower + 36 * p.u),
                ],
                colour,
            )
        p.put(curtain, motion=Motion(sway=4 * p.u, period=5, phase=side * 1.0))


def _shelves(p: Painter) -> None:
    pen = p.pen(p.between(0.75), top=p.h * 0.52, depth=0.15)
    colours = (
        p.light.accent,
        p.light.far,
        p.light.low,
        mix(p.light.accent, p.light.near, 0.5),
        mix(p.light.glow, p.light.far, 0.4),
    )
    left, right = p.w * 0.42, pen.width * 0.99
    for row in range(3):
        shelf = p.h * (0.64 + 0.13 * row)
        x = left + 10 * p.u
        while x < right - 30 * p.u:
            wide, high = p.random.uniform(12, 30) * p.u, p.random.uniform(44, 80) * p.u
            if p.random.random() < 0.08:
                pen.disc(x + 18 * p.u, shelf - 18 * p.u, 18 * p.u, p.light.glow)
                x += 44 * p.u
                continue
            colour = mix(p.random.choice(colours), p.light.near, p.random.uniform(0.05, 0.4))
            pen.box(x, shelf - high, x + wide, shelf, colour)
            pen.box(
                x,
                shelf - high * 0.82,
                x + wide,
                shelf - high * 0.76,
                mix(colour, p.light.glow, 0.3),
            )
            x += wide + p.random.choice((0, 0, 0, 14)) * p.u
        pen.box(left, shelf, right, shelf + 10 * p.u)
    p.put(pen, depth=0.15)


def _armchair(p: Painter, floor: float) -> None:
    x, s = p.w * 0.6, 1.5 * p.u
    colour = mix(p.light.accent, p.light.near, 0.35)
    pen = p.pen(colour, top=floor - 190 * s, depth=0.4)
    pen.box(x - 66 * s, floor - 130 * s, x + 66 * s, floor - 10 * s, radius=26 * s)
    pen.box(
        x - 56 * s,
        floor - 60 * s,
        x + 56 * s,
        floor - 10 * s,
        mix(colour, p.light.glow, 0.25),
        radius=12 * s,
    )
    for side in (-1, 1):
        pen.box(
            x + side * 66 * s - 18 * s,
            floor - 80 * s,
            x + side * 66 * s + 18 * s,
            floor - 4 * s,
            mix(colour, p.light.near, 0.3),
            radius=14 * s,
        )
        pen.box(
            x + side * 58 * s - 5 * s,
            floor - 8 * s,
            x + side * 58 * s + 5 * s,
            floor + 14 * s,
            p.light.near,
        )
    p.put(pen, depth=0.4)


def _table(p: Painter, floor: float, *, cup: bool) -> None:
    x, y, s = p.w * 0.66, floor - 70 * p.u, 1.3 * p.u
    pen = p.pen(p.between(1.0), top=y - 240 * s, depth=0.5)
    pen.box(x - 240 * s, y, x + 240 * s, y + 14 * s, radius=5 * s)
    for side in (-1, 1):
        pen.polygon(
            [
                (x + side * 200 * s - 8 * s, y),
                (x + side * 200 * s + 8 * s, y),
                (x + side * 214 * s + 6 * s, p.h),
                (x + side * 214 * s - 6 * s, p.h),
            ]
        )
    _plant(p, pen, x + 130 * s, y, s)
    china = p.light.ink if p.light.is_dark else p.light.accent
    if cup:
        pen.box(x - 66 * s, y - 48 * s, x - 8 * s, y, china, radius=15 * s)
        pen.arc(x - 8 * s, y - 28 * s, 15 * s, (270, 90), 6 * s, colour=china)
        pen.oval(x - 37 * s, y - 1 * s, 48 * s, 5 * s, china)
    else:
        for n, wide in enumerate((92, 80, 86)):
            pen.box(
                x - wide * s,
                y - (15 + 17 * n) * s,
                x + (wide - 60) * s,
                y - 17 * n * s,
                mix(p.light.accent, p.light.far, 0.3 * n),
                radius=3 * s,
            )
    p.put(pen, depth=0.5)
    if cup:
        for n in range(3):
            steam = p.pen(mix(p.light.glow, p.light.low, 0.3), top=y - 190 * s, lower=y)
            wave = [
                (x - (58 - 20 * n) * s + math.sin(t / 2.2 + n) * 8 * s, y - (56 + 9 * t) * s)
                for t in range(13)
            ]
            steam.line(wave, 6 * s, alpha=90)
            p.put(
                steam,
                blur=4 * p.u,
                motion=Motion(sway=6 * p.u, bob=5 * p.u, period=3 + n * 0.5, phase=n * 1.5),
            )


def _plant(p: Painter, pen: Pen, x: float, y: float, s: float) -> None:
    green = mix(p.between(0.4), (60, 150, 90), 0.45)
    for n in range(9):
        angle = math.pi * (0.14 + 0.09 * n)
        tip = x + math.cos(angle) * 100 * s, y - 50 * s - math.sin(angle) * 120 * s
        side = math.cos(angle + 1.57) * 14 * s, -math.sin(angle + 1.57) * 14 * s
        middle = (x + tip[0]) / 2, (y - 50 * s + tip[1]) / 2
        pen.polygon(
            [
                (x, y - 50 * s),
                (middle[0] + side[0], middle[1] + side[1]),
                tip,
                (middle[0] - side[0], middle[1] - side[1]),
            ],
            mix(green, p.light.near, 0.3 * (n % 2)),
        )
    pen.polygon(
        [(x - 36 * s, y - 58 * s), (x + 36 * s, y - 58 * s), (x + 26 * s, y), (x - 26 * s, y)],
        mix(p.light.accent, p.light.near, 0.3),
    )


def paint_lamp(p: Painter, x: float, y: float) -> None:
    """Paint a hanging lamp and its cone of light."""
    s = 1.2 * p.u
    beam = p.pen(p.light.glow, top=y)
    beam.polygon(
        [(x - 40 * s, y), (x + 40 * s, y), (x + 250 * s, p.h), (x - 250 * s, p.h)], alpha=50
    )
    p.put(beam, blur=16 * p.u)
    pen = p.pen(mix(p.light.near, p.light.accent, 0.25), lower=y + 10 * s)
    pen.line([(x, 0), (x, y - 40 * s)], 2.4 * s)
    pen.polygon(
        [(x - 16 * s, y - 42 * s), (x + 16 * s, y - 42 * s), (x + 52 * s, y), (x - 52 * s, y)]
    )
    pen.oval(x, y, 32 * s, 7 * s, p.light.glow)
    p.put(pen)
