"""Paints abstract shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_abstract(p: Painter) -> None:
    """Paint a view of abstract shapes: circles, ribbons, arcs, tiles or peaks."""
    p.sky(horizon=1.0)
    colours = (
        p.light.accent,
        p.light.far,
        p.light.low,
        p.light.glow,
        mix(p.light.far, p.light.near, 0.5),
    )
    paint = (_circles, _ribbons, _arcs, _tiles, _peaks)
    start = p.random.randrange(len(paint)) if p.view.number == 0 else p.view.number
    p.glow(p.w * 0.8, p.h * 0.8, 480 * p.u, p.light.glow, 0.25)
    paint[(start + p.view.number) % len(paint)](p, colours)
    p.specks(14, 2.4 * p.u, p.light.accent, Motion(dy=-0.5, sway=24 * p.u, period=7), alpha=130)


def _circles(p: Painter, colours: tuple[Rgb, ...]) -> None:
    for number in range(9):
        size = p.random.uniform(30, 190) * p.u
        x, y = p.w * p.random.uniform(0.42, 1.02), p.h * p.random.uniform(0.62, 1.05)
        colour = colours[number % len(colours)]

        def draw(pen: Pen, size: float = size, number: int = number) -> None:
            if number % 3 == 2:
                pen.arc(size, size, size - 2, (0, 360), max(2.0, size * 0.07))
            else:
                pen.disc(size, size, size - 1, alpha=205)

        p.sprite(
            (size * 2, size * 2),
            (x - size, y - size),
            Motion(
                sway=(6 + number * 3) * p.u,
                bob=(5 + number * 2) * p.u,
                period=7 + number % 4,
                phase=number,
            ),
            colour,
            draw,
        )


def _ribbons(p: Painter, colours: tuple[Rgb, ...]) -> None:
    for number in range(6):
        depth = 0.15 + 0.16 * number
        base = p.h * (0.66 + 0.075 * number)
        pen = p.pen(
            mix(colours[number % len(colours)], p.light.near, 0.12 * number),
            top=base - 120 * p.u,
            depth=depth,
        )
        pen.ground(p.waves(base, (50 - 3 * number) * p.u, (560 - 40 * number) * p.u))
        p.put(pen, depth=depth)


def _arcs(p: Painter, colours: tuple[Rgb, ...]) -> None:
    x, y = p.w * 0.76, p.h * 1.04
    for number in range(8):
        radius = (70 + 46 * number) * p.u
        pen = p.pen(colours[number % len(colours)], top=y - radius - 30 * p.u)
        turn = p.random.uniform(160, 230)
        pen.arc(x, y, radius, (turn, turn + p.random.uniform(90, 190)), 22 * p.u)
        p.put(
            pen,
            motion=Motion(
                sway=(6 + 2.5 * number) * p.u, period=6 + number * 0.6, phase=number * 0.8
            ),
        )


def _tiles(p: Painter, colours: tuple[Rgb, ...]) -> None:
    size = 92 * p.u
    for layer in range(2):
        pen = p.pen(p.light.far, top=p.h * 0.58, depth=0.2 + 0.3 * layer)
        for column in range(int(pen.width / size) + 1):
            for row in range(5):
                if p.random.random() > 0.22 + 0.14 * row - 0.2 * layer:
                    continue
                x, y = column * size, p.h - (5 - row) * size + size
                colour = p.random.choice(colours)
                shape = p.random.randrange(4)
                if shape == 0:
                    pen.box(x, y, x + size, y + size, colour)
                elif shape == 1:
                    pen.polygon([(x, y + size), (x + size, y + size), (x + size, y)], colour)
                elif shape == 2:
                    pen.disc(x + size / 2, y + size / 2, size / 2, colour)
                else:
                    pen.polygon([(x, y), (x + size, y), (x, y + size)], colour)
        p.put(pen, depth=0.2 + 0.3 * layer)


def _peaks(p: Painter, colours: tuple[Rgb, ...]) -> None:
    for number in range(7):
        depth = 0.12 + 0.13 * number
        pen = p.pen(colours[number % len(colours)], top=p.h * 0.5, depth=depth)
        for _ in range(5):
            x, wide = p.random.random() * pen.width, p.random.uniform(90, 230) * p.u
            top = p.h * p.random.uniform(0.6 + 0.045 * number, 0.86)
            pen.polygon([(x - wide, p.h), (x, top), (x + wide, p.h)], alpha=225)
            pen.polygon(
                [(x, top), (x + wide, p.h), (x + wide * 0.15, p.h)], pen.over(p.light.near, 70)
            )
        p.put(pen, depth=depth)
