"""Paints the open sky."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.places.sea import gulls

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_sky(p: Painter) -> None:
    """Paint a view of the open sky: the clouds from above, an aeroplane, or kites."""
    look = p.view.number % 3
    p.sky(horizon=1.0)
    p.sun(p.w * p.random.uniform(0.68, 0.84), p.h * 0.42, 58 * p.u)
    pale = (
        mix(p.light.low, (255, 255, 255), 0.45)
        if not p.light.is_dark
        else mix(p.light.low, p.light.glow, 0.4)
    )
    for number, depth in enumerate((0.12, 0.3, 0.6, 0.95)):
        _bank(
            p,
            0.64 + 0.12 * number,
            depth,
            mix(mix(pale, p.light.far, 0.5), pale, number / 3 if not p.light.is_dark else 0.2),
            number,
        )
    if look == 0:
        gulls(p, 6, 0.56)
    elif look == 1:
        _aeroplane(p)
    else:
        _kites(p)


def _bank(p: Painter, base: float, depth: float, colour: Rgb, number: int) -> None:
    """Paint a bank of clouds with rounded tops."""
    pen = p.pen(colour, top=(base - 0.2) * p.h, depth=depth)
    size = (36 + 30 * number) * p.u
    x = -size
    edge = p.waves(base * p.h, 26 * p.u, 420 * p.u)
    while x < pen.width + size:
        big = size * p.random.uniform(0.5, 1.2)
        pen.disc(x, edge(x), big)
        x += big * 0.8
    pen.ground(lambda x: edge(x) + size * 0.1)
    p.put(pen, depth=depth, mist=(mix(colour, p.light.far, 0.55), 0.0, 0.85))


def _aeroplane(p: Painter) -> None:
    def draw(pen: Pen) -> None:
        s = 1.3 * p.u
        pen.polygon(
            [
                (0, 30 * s),
                (20 * s, 22 * s),
                (130 * s, 20 * s),
                (152 * s, 29 * s),
                (130 * s, 37 * s),
                (20 * s, 37 * s),
            ]
        )
        pen.polygon([(4 * s, 26 * s), (-2 * s, 2 * s), (14 * s, 2 * s), (32 * s, 22 * s)])
        pen.polygon(
            [(70 * s, 30 * s), (40 * s, 62 * s), (54 * s, 62 * s), (98 * s, 32 * s)],
            mix(p.light.near, p.light.far, 0.3),
        )
        for n in range(9):
            pen.disc((46 + 9 * n) * s, 26 * s, 1.7 * s, p.light.glow)

    p.sprite(
        (200 * p.u, 84 * p.u),
        (p.w * 0.42, p.h * 0.6),
        Motion(dx=p.u * 2, dy=-p.u / 3),
        p.light.near,
        draw,
    )


def _kites(p: Painter) -> None:
    for number in range(3):
        s = (1.5 - 0.35 * number) * p.u
        colour = (
            p.light.accent,
            mix(p.light.accent, p.light.glow, 0.4),
            mix(p.light.near, p.light.accent, 0.4),
        )[number]

        def draw(pen: Pen, s: float = s, colour: Rgb = colour) -> None:
            pen.line(
                [(30 * s, 76 * s), (38 * s, 110 * s), (26 * s, 140 * s), (36 * s, 176 * s)], 1.6 * s
            )
            pen.polygon([(30 * s, 0), (58 * s, 30 * s), (30 * s, 78 * s), (2 * s, 30 * s)], colour)
            pen.polygon(
                [(30 * s, 0), (58 * s, 30 * s), (30 * s, 30 * s)], mix(colour, p.light.glow, 0.4)
            )
            pen.polygon(
                [(30 * s, 30 * s), (30 * s, 78 * s), (2 * s, 30 * s)],
                mix(colour, p.light.near, 0.3),
            )

        at = p.w * (0.56 + 0.13 * number), p.h * (0.55 + 0.06 * number)
        p.sprite(
            (62 * s, 180 * s),
            at,
            Motion(sway=24 * p.u, bob=14 * p.u, period=4.5 + number, phase=number * 2.0),
            p.light.near,
            draw,
        )
