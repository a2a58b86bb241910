"""Paints a city, in the sun or in rain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.details import paint_glitter
from bot.storyboard.drawing.scenery.places.woods import pines, ridge

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_city(p: Painter) -> None:
    """Paint a view of a city: its skyline, its river or its roofs."""
    look = p.view.number % 3
    p.sky(horizon=0.85)
    if p.light.is_dark:
        p.stars(60, 0.4)
    p.sun(p.w * p.random.uniform(0.7, 0.86), p.h * (0.3 if p.light.is_dark else 0.55), 40 * p.u)
    p.clouds(0.55, 4, mix(p.light.low, p.light.glow, 0.3), 70)
    ground = 0.86 if look == 1 else 1.0
    paint_row(p, 0.16, ground, (0.36, 0.5), 70, 0.25)
    paint_row(p, 0.34, ground, (0.24, 0.42), 84, 0.55)
    if look == 1:
        _river(p, ground)
        _bridge(p, ground)
    elif look == 2:
        _roofs(p)
    else:
        paint_row(p, 0.75, 1.0, (0.1, 0.26), 120, 0.9)


def paint_row(
    p: Painter, depth: float, ground: float, heights: tuple[float, float], width: float, near: float
) -> None:
    """Paint a row of houses. Some of their windows are lit."""
    colour = p.between(near)
    tallest = p.h * (ground - heights[1]) - 60 * p.u
    pen = p.pen(colour, top=tallest, lower=p.h * ground, depth=depth)
    x = -20.0 * p.u
    while x < pen.width:
        across = width * p.random.uniform(0.6, 1.4) * p.u
        middle = 1 - abs(x / pen.width - 0.68)
        high = p.h * p.random.uniform(*heights) * (0.55 + 0.6 * middle)
        top = p.h * ground - high
        shade = mix(colour, p.light.low, p.random.uniform(0, 0.12))
        pen.box(x, top, x + across, p.h * ground, shade)
        _crown(p, pen, x, top, across)
        if p.light.is_dark:
            _windows(p, pen, (x, top, across, high), near)
        x += across + p.random.uniform(-4, 10) * p.u
    p.put(pen, depth=depth, mist=(p.light.low, 0.0, 0.5 * (1 - near)))


def _crown(p: Painter, pen: Pen, x: float, top: float, across: float) -> None:
    """Give a house a spire, a step, a pitched roof or a flat one."""
    kind = p.random.random()
    middle = x + across / 2
    if kind < 0.25:
        pen.line([(middle, top), (middle, top - 48 * p.u)], 2 * p.u)
    elif kind < 0.5:
        pen.box(x + across * 0.25, top - 22 * p.u, x + across * 0.75, top)
    elif kind < 0.65:
        pen.polygon([(x, top), (middle, top - 30 * p.u), (x + across, top)])


def _windows(p: Painter, pen: Pen, house: tuple[float, float, float, float], near: float) -> None:
    x, top, across, high = house
    pitch, size = (15 + 9 * near) * p.u, (4 + 4 * near) * p.u
    lit = mix(p.light.accent, p.light.glow, 0.3)
    for column in range(1, int(across / pitch)):
        for row in range(1, int(high / pitch)):
            if p.random.random() < 0.3:
                left, upper = x + column * pitch - size / 2, top + row * pitch
                shine = pen.over(lit, p.random.randint(90, 235))
                pen.box(left, upper, left + size, upper + size * 1.35, shine)


def _river(p: Painter, ground: float) -> None:
    y = p.h * ground
    pen = p.pen(p.between(0.5), top=y)
    pen.box(0, y, p.w, p.h)
    p.put(pen, mist=(p.light.low, 0.45, 0.05))
    shine = p.light.accent if p.light.is_dark else p.light.glow
    paint_glitter(p, y, shine, 50)


def _bridge(p: Painter, ground: float) -> None:
    """Paint a suspension bridge over the river."""
    y = p.h * (ground + 0.015)
    pen = p.pen(p.between(0.95), top=y - 250 * p.u, lower=y + 60 * p.u, depth=0.7)
    span = 520 * p.u
    pen.box(0, y, pen.width, y + 11 * p.u)
    for number in range(-1, int(pen.width / span) + 2):
        x = number * span + p.w * 0.2
        pen.box(x - 8 * p.u, y - 190 * p.u, x + 8 * p.u, y + 60 * p.u)
        cable = [
            (x + span * t / 24, y - 185 * p.u + 165 * p.u * (1 - (t / 12 - 1) ** 2))
            for t in range(25)
        ]
        pen.line(cable, 3.4 * p.u)
        for at_x, at_y in cable[1:-1]:
            pen.line([(at_x, at_y), (at_x, y)], 1.2 * p.u, alpha=150)
        if p.light.is_dark:
            pen.disc(x, y - 194 * p.u, 4 * p.u, p.light.accent)
    p.put(pen, depth=0.7)


def _roofs(p: Painter) -> None:
    """Paint the nearest roofs, with chimneys, a water tank and aerials."""
    pen = p.pen(p.between(1.0), top=p.h * 0.66, depth=0.8)
    x = -60 * p.u
    while x < pen.width:
        across = p.random.uniform(190, 320) * p.u
        top = p.h * p.random.uniform(0.8, 0.88)
        pen.polygon(
            [(x, top + 40 * p.u), (x + across / 2, top - 26 * p.u), (x + across, top + 40 * p.u)]
        )
        pen.box(x, top + 40 * p.u, x + across, p.h)
        chimney = x + across * 0.7
        pen.box(chimney, top - 34 * p.u, chimney + 24 * p.u, top + 40 * p.u)
        if p.random.random() < 0.5:
            tank = x + across * 0.3
            pen.box(
                tank - 26 * p.u, top - 84 * p.u, tank + 26 * p.u, top - 34 * p.u, radius=5 * p.u
            )
            pen.polygon(
                [
                    (tank - 30 * p.u, top - 84 * p.u),
                    (tank, top - 108 * p.u),
                    (tank + 30 * p.u, top - 84 * p.u),
                ]
            )
            for leg in (-20, 20):
                pen.line(
                    [(tank + leg * p.u, top - 34 * p.u), (tank + leg * 1.2 * p.u, top + 20 * p.u)],
                    4 * p.u,
                )
        else:
            pen.line([(x + across * 0.3, top), (x + across * 0.3, top - 70 * p.u)], 2.4 * p.u)
            for bar in range(3):
                y = top - (66 - 14 * bar) * p.u
                pen.line(
                    [
                        (x + across * 0.3 - (16 - 3 * bar) * p.u, y),
                        (x + across * 0.3 + (16 - 3 * bar) * p.u, y),
                    ],
                    2 * p.u,
                )
        if p.light.is_dark:
            left = x + across * 0.2
            pen.box(
                left, top + 66 * p.u, left + 22 * p.u, top + 98 * p.u, p.light.accent, alpha=230
            )
        x += across + 6 * p.u
    p.put(pen, depth=0.8)


def paint_rain(p: Painter) -> None:
    """Paint a view of rain: a street with lamps, hills, or umbrellas."""
    look = p.view.number % 3
    p.sky(horizon=0.9)
    p.glow(p.w * 0.75, p.h * 0.6, 420 * p.u, p.light.glow, 0.3)
    p.clouds(0.16, 9, mix(p.light.far, p.light.low, 0.25), 150)
    if look == 1:
        ridge(p, 0.8, 0.2, 420, 0.12, mix(p.light.far, p.light.low, 0.4))
        pines(p, p.h * 0.86, 100 * p.u, 0.4, 0.6)
    else:
        paint_row(p, 0.15, 0.88, (0.24, 0.36), 90, 0.3)
        paint_row(p, 0.35, 0.88, (0.14, 0.28), 110, 0.6)
    y = p.h * 0.87
    street = p.pen(p.between(0.8), top=y)
    street.box(0, y, p.w, p.h)
    for _ in range(26):
        street.oval(
            p.random.random() * p.w,
            y + p.random.uniform(0.1, 1) * (p.h - y),
            p.random.uniform(20, 90) * p.u,
            p.random.uniform(1, 4) * p.u,
            street.over(p.light.low, 110),
        )
    p.put(street)
    if look != 1:
        _lanterns(p, y)
    if look != 0:
        _umbrellas(p, y)
    drop = mix(p.light.ink if p.light.is_dark else p.light.far, p.light.low, 0.35)
    p.specks(70, 1.1 * p.u, drop, Motion(dx=-1.0, dy=12.0 * p.u), alpha=120, length=26 * p.u)
    p.specks(36, 1.7 * p.u, drop, Motion(dx=-1.4, dy=18.0 * p.u), alpha=130, length=40 * p.u)


def _lanterns(p: Painter, y: float) -> None:
    pen = p.pen(p.light.near, top=y - 260 * p.u, lower=y + 90 * p.u, depth=0.6)
    for n in range(4):
        x = (n + 0.6) * pen.width / 4
        pen.line([(x, y + 40 * p.u), (x, y - 200 * p.u)], 6 * p.u)
        pen.line(
            [(x, y - 200 * p.u), (x + 14 * p.u, y - 222 * p.u), (x + 44 * p.u, y - 222 * p.u)],
            5 * p.u,
        )
        for radius, alpha in ((46, 26), (32, 40), (20, 60)):
            pen.disc(x + 46 * p.u, y - 206 * p.u, radius * p.u, p.light.glow, alpha=alpha)
        pen.box(
            x + 34 * p.u, y - 222 * p.u, x + 58 * p.u, y - 196 * p.u, p.light.accent, radius=6 * p.u
        )
        pen.oval(x + 46 * p.u, y + 60 * p.u, 60 * p.u, 6 * p.u, p.light.glow, alpha=90)
    p.put(pen, depth=0.6)


def _umbrellas(p: Painter, y: float) -> None:
    for number in range(3):
        s = (1.5 - 0.2 * number) * p.u
        colour = (
            p.light.accent,
            mix(p.light.accent, p.light.low, 0.5),
            mix(p.light.near, p.light.accent, 0.5),
        )[number]

        def draw(pen: Pen, s: float = s, colour: Rgb = colour) -> None:
            pen.box(54 * s, 62 * s, 86 * s, 120 * s, radius=12 * s)
            pen.disc(70 * s, 52 * s, 13 * s)
            for leg in (62, 78):
                pen.line([(leg * s, 116 * s), (leg * s, 168 * s)], 9 * s)
            pen.line([(80 * s, 80 * s), (80 * s, 10 * s)], 2.6 * s)
            pen.polygon(
                [
                    (
                        80 * s + math.cos(math.pi * t / 12) * 62 * s,
                        44 * s - math.sin(math.pi * t / 12) * 42 * s,
                    )
                    for t in range(13)
                ],
                colour,
            )
            for n in range(4):
                pen.disc(
                    (80 - 46 + 31 * n) * s, 45 * s, 15 * s, mix(colour, p.light.near, 0.6), alpha=0
                )

        at = p.w * (0.5 + 0.15 * number), y - 128 * s
        p.sprite(
            (146 * s, 172 * s),
            at,
            Motion(dx=-p.u / 2, bob=3 * p.u, period=0.9 + 0.1 * number, phase=number * 2.0),
            p.light.near,
            draw,
        )
