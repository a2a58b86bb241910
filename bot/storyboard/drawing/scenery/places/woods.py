"""Paints forests, snow and mountains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.details import paint_glitter, paint_shafts
from bot.storyboard.drawing.scenery.places.sea import gulls

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.painter import Painter
    from bot.storyboard.drawing.scenery.pen import Pen


def paint_forest(p: Painter) -> None:
    """Paint a view of a forest: its edge, its inside or a clearing."""
    look = p.view.number % 3
    p.sky(horizon=0.75)
    p.sun(p.w * p.random.uniform(0.62, 0.8), p.h * 0.5, 44 * p.u)
    for number, depth in enumerate((0.12, 0.25, 0.45)):
        base = p.h * (0.62 + 0.1 * number)
        pines(p, base, (95 + 55 * number) * p.u, depth, 0.15 + 0.28 * number)
    paint_shafts(p, p.w * 0.45, mix(p.light.glow, p.light.low, 0.3), 5, 60)
    if look == 1:
        _trunks(p)
    elif look == 2:
        _clearing(p)
    else:
        pines(p, p.h * 1.02, 330 * p.u, 0.9, 1.0)
    p.specks(16, 2.2 * p.u, p.light.accent, Motion(dy=-0.5, sway=26 * p.u, period=7), alpha=150)


def paint_snow(p: Painter) -> None:
    """Paint a view of winter: hills, a hut, or pines in falling snow."""
    look = p.view.number % 3
    p.sky(horizon=0.7)
    if p.light.is_dark:
        p.stars(50, 0.4)
    p.sun(p.w * 0.76, p.h * 0.46, 38 * p.u)
    white = mix(p.light.ink, p.light.low, 0.25) if p.light.is_dark else (255, 255, 255)
    snow = [mix(white, p.light.far, share) for share in (0.62, 0.42, 0.2)]
    ridge(p, 0.7, 0.26, 420, 0.12, mix(p.light.far, p.light.low, 0.25), cap=white)
    _slope(p, 0.7, 60, 0.2, snow[0])
    pines(p, p.h * 0.76, 90 * p.u, 0.3, 0.5, white)
    _slope(p, 0.78, 46, 0.45, snow[1])
    if look == 1:
        _hut(p)
    elif look == 2:
        pines(p, p.h * 1.0, 300 * p.u, 0.85, 0.9, white)
    _slope(p, 0.9, 40, 0.8, snow[2])
    flakes = (255, 255, 255)
    p.specks(60, 2.0 * p.u, flakes, Motion(dy=1.0, sway=14 * p.u, period=6), alpha=190)
    p.specks(24, 3.6 * p.u, flakes, Motion(dy=2.0, sway=22 * p.u, period=5, phase=2.0), alpha=200)


def paint_mountains(p: Painter) -> None:
    """Paint a view of mountains: a chain, a lake, or a valley with balloons."""
    look = p.view.number % 3
    p.sky(horizon=0.72)
    if p.light.is_dark:
        p.stars(80, 0.45)
    p.sun(p.w * p.random.uniform(0.6, 0.84), p.h * 0.5, 46 * p.u)
    cap = mix(p.light.ink, p.light.low, 0.35) if p.light.is_dark else (255, 255, 255)
    ridge(p, 0.74, 0.34, 520, 0.1, mix(p.light.far, p.light.low, 0.45), cap=cap)
    ridge(p, 0.82, 0.24, 360, 0.25, mix(p.light.far, p.light.low, 0.1))
    p.clouds(0.74, 6, mix(p.light.low, p.light.glow, 0.35), 100)
    if look == 1:
        _lake(p)
    elif look == 2:
        _balloons(p)
        ridge(p, 0.95, 0.16, 300, 0.5, p.between(0.6))
        pines(p, p.h * 1.0, 120 * p.u, 0.8, 0.95)
    else:
        ridge(p, 0.92, 0.2, 300, 0.45, p.between(0.5))
        ridge(p, 1.05, 0.2, 260, 0.8, p.between(0.95))
        gulls(p, 4, 0.55)


def ridge(
    p: Painter,
    base: float,
    height: float,
    length: float,
    depth: float,
    colour: Rgb,
    *,
    cap: Rgb | None = None,
) -> None:
    """Paint a chain of mountains, which may have snow on top."""
    edge = p.peaks(base * p.h, height * p.h, length * p.u)
    pen = p.pen(colour, top=(base - height * 1.25) * p.h, depth=depth)
    pen.ground(edge)
    if cap:
        step = max(2, round(3 * p.u))
        for x in range(0, pen.width, step):
            if edge(x + 3 * step) > edge(x):  # the side that faces away from the light
                _facet(p, pen, (x, edge(x)), (x + step + 1, edge(x + step)))
        line = base * p.h - height * p.h * 0.5
        tooth = p.waves(0, 26 * p.u, 60 * p.u)
        for x in range(0, pen.width, step):
            top = edge(x)
            if top < line:
                deep = min((line - top) * 0.75, 90 * p.u) + tooth(x) * 0.5
                if deep > 0:
                    pen.box(x, top, x + step, top + deep, cap)
    p.put(pen, depth=depth, mist=(p.light.low, 0.0, 0.65 * (1 - depth)))


def _facet(p: Painter, pen: Pen, start: tuple[float, float], end: tuple[float, float]) -> None:
    lean = (p.h - start[1]) * 0.4
    foot = [(end[0] + lean, p.h), (start[0] + lean, p.h)]
    pen.polygon([start, end, *foot], pen.over(p.light.near, 30))


def pines(
    p: Painter, base: float, height: float, depth: float, near: float, snow: Rgb | None = None
) -> None:
    """Paint a row of pines."""
    colour = p.between(near)
    pen = p.pen(colour, top=base - height * 1.35, depth=depth)
    edge = p.waves(base, height * 0.12, height * 3)
    pen.ground(edge)
    x = 0.0
    while x < pen.width:
        tall = height * p.random.uniform(0.55, 1.15)
        _pine(p, pen, x, edge(x) + height * 0.05, tall, snow)
        x += tall * p.random.uniform(0.2, 0.5)
    p.put(pen, depth=depth, mist=(p.light.low, 0.0, 0.55 * (1 - near)))


def _pine(p: Painter, pen: Pen, x: float, foot: float, tall: float, snow: Rgb | None) -> None:
    pen.box(x - tall * 0.025, foot - tall * 0.2, x + tall * 0.025, foot)
    for tier in range(4):
        top = foot - tall + tier * tall * 0.2
        wide = tall * (0.08 + 0.062 * tier)
        low = top + tall * 0.3
        pen.polygon([(x, top), (x + wide, low), (x, low - tall * 0.03), (x - wide, low)])
        if snow:
            pen.polygon(
                [
                    (x, top),
                    (x + wide * 0.55, top + tall * 0.17),
                    (x + wide * 0.1, top + tall * 0.12),
                    (x - wide * 0.5, top + tall * 0.16),
                ],
                snow,
                210,
            )
    if not snow and p.random.random() < 0.5:
        shade = mix(pen.colour, p.light.low, 0.08)
        pen.polygon(
            [(x, foot - tall), (x + tall * 0.2, foot - tall * 0.15), (x, foot - tall * 0.15)],
            pen.over(shade, 120),
        )


def _trunks(p: Painter) -> None:
    """Paint the trunks of tall trees in the foreground."""
    for depth, near, count in ((0.6, 0.75, 7), (1.0, 1.0, 4)):
        pen = p.pen(p.between(near), depth=depth)
        for number in range(count):
            x = (number + p.random.uniform(0.1, 0.9)) * pen.width / count
            wide = p.random.uniform(14, 26) * (1 + depth) * p.u
            lean = p.random.uniform(-18, 18) * p.u
            pen.polygon(
                [
                    (x - wide * 0.7 + lean, 0),
                    (x + wide * 0.7 + lean, 0),
                    (x + wide, p.h),
                    (x - wide, p.h),
                ]
            )
            for _ in range(2):
                y = p.random.uniform(0.1, 0.5) * p.h
                reach = p.random.choice((-1, 1)) * p.random.uniform(70, 130) * p.u
                pen.line(
                    [
                        (x + lean * 0.6, y + 50 * p.u),
                        (x + reach * 0.6, y + 8 * p.u),
                        (x + reach, y),
                    ],
                    5 * p.u,
                )
        pen.ground(p.waves(p.h * 0.95, 16 * p.u, 300 * p.u))
        p.put(pen, depth=depth)


def _clearing(p: Painter) -> None:
    """Paint a meadow with a deer, and with a pond in which the sky is reflected."""
    pen = p.pen(p.between(0.85), top=p.h * 0.76, depth=0.6)
    pen.ground(p.waves(p.h * 0.84, 14 * p.u, 500 * p.u))
    pen.oval(p.w * 0.66, p.h * 0.925, 230 * p.u, 26 * p.u, mix(p.light.low, p.light.glow, 0.25))
    pen.oval(p.w * 0.64, p.h * 0.92, 150 * p.u, 12 * p.u, mix(p.light.low, p.light.glow, 0.5))
    p.put(pen, depth=0.6)

    def deer(pen: Pen) -> None:
        s = 1.5 * p.u
        pen.oval(46 * s, 52 * s, 26 * s, 12 * s)
        pen.polygon([(60 * s, 50 * s), (72 * s, 22 * s), (80 * s, 26 * s), (74 * s, 58 * s)])
        pen.polygon([(72 * s, 18 * s), (92 * s, 26 * s), (90 * s, 31 * s), (74 * s, 30 * s)])
        for x in (26, 34, 60, 66):
            pen.line([(x * s, 56 * s), (x * s, 92 * s)], 3.6 * s)
        for side in (-1, 1):
            pen.line(
                [(76 * s, 20 * s), ((76 + side * 10) * s, 6 * s), ((76 + side * 7) * s, 0)], 2 * s
            )
            pen.line([((76 + side * 8) * s, 10 * s), ((76 + side * 16) * s, 4 * s)], 1.6 * s)

    p.sprite(
        (150 * p.u, 142 * p.u),
        (p.w * 0.5, p.h * 0.72),
        Motion(dx=p.view.side * p.u / 2),
        p.between(1.0),
        deer,
    )


def _slope(p: Painter, base: float, height: float, depth: float, colour: Rgb) -> None:
    pen = p.pen(colour, top=base * p.h - height * 2 * p.u, depth=depth)
    pen.ground(p.waves(base * p.h, height * p.u, 620 * p.u))
    p.put(pen, depth=depth, mist=(p.light.far, 0.0, 0.3))


def _hut(p: Painter) -> None:
    """Paint a hut with lit windows."""
    x, y, s = p.w * 0.66, p.h * 0.86, 1.5 * p.u
    pen = p.pen(p.between(0.9), top=y - 130 * s, lower=y + 10, depth=0.45)
    pen.box(x - 60 * s, y - 50 * s, x + 60 * s, y + 8)
    roof = (255, 255, 255) if not p.light.is_dark else mix(p.light.ink, p.light.far, 0.25)
    pen.box(x + 26 * s, y - 104 * s, x + 42 * s, y - 70 * s)
    pen.polygon([(x - 78 * s, y - 46 * s), (x, y - 104 * s), (x + 78 * s, y - 46 * s)], roof)
    lamp = (255, 208, 120)
    for left in (-40, 10):
        pen.box(x + left * s, y - 38 * s, x + (left + 26) * s, y - 14 * s, lamp)
        pen.line([(x + (left + 13) * s, y - 38 * s), (x + (left + 13) * s, y - 14 * s)], 2 * s)
    p.put(pen, depth=0.45)
    for number in range(3):

        def smoke(pen: Pen) -> None:
            pen.disc(20 * s, 20 * s, 18 * s, alpha=70)

        p.sprite(
            (40 * s, 40 * s),
            (x + 14 * s, y - (120 + 26 * number) * s),
            Motion(dy=-0.5, sway=8 * p.u, period=4, phase=number * 1.0),
            mix(p.light.low, (255, 255, 255), 0.4),
            smoke,
        )


def _lake(p: Painter) -> None:
    """Paint a lake with reeds, in which the mountains are reflected."""
    y = p.h * 0.8
    pen = p.pen(mix(p.light.low, p.light.far, 0.35), top=y)
    pen.box(0, y, p.w, p.h)
    p.put(pen, mist=(p.light.near, 0.0, 0.6))
    mirror = p.pen(p.light.far, top=y, depth=0.25)
    edge = p.peaks(0, 0.13 * p.h, 380 * p.u)
    mirror.polygon(
        [(float(x), y - edge(x)) for x in range(0, mirror.width, 6)] + [(mirror.width, y), (0, y)],
        alpha=110,
    )
    p.put(mirror, depth=0.25, blur=2 * p.u)
    paint_glitter(p, y, p.light.glow, 36)
    pines(p, p.h * 1.04, 150 * p.u, 0.8, 1.0)


def _balloons(p: Painter) -> None:
    """Paint hot-air balloons that rise."""
    for number, size in enumerate((120, 76, 54)):
        s = size * p.u / 100
        stripe = (
            p.light.accent,
            mix(p.light.accent, p.light.glow, 0.6),
            mix(p.light.accent, p.light.far, 0.5),
        )

        def draw(pen: Pen, s: float = s, colours: tuple[Rgb, ...] = stripe) -> None:
            pen.oval(50 * s, 48 * s, 46 * s, 48 * s, colours[0])
            pen.oval(50 * s, 48 * s, 28 * s, 48 * s, colours[1])
            pen.oval(50 * s, 48 * s, 10 * s, 48 * s, colours[0])
            pen.polygon(
                [(12 * s, 74 * s), (88 * s, 74 * s), (60 * s, 108 * s), (40 * s, 108 * s)],
                colours[2],
            )
            pen.line([(42 * s, 108 * s), (44 * s, 122 * s)], 1.4 * s)
            pen.line([(58 * s, 108 * s), (56 * s, 122 * s)], 1.4 * s)
            pen.box(41 * s, 121 * s, 59 * s, 135 * s, radius=3 * s)

        at = p.w * (0.6 + 0.13 * number), p.h * (0.5 + 0.08 * (number % 2))
        p.sprite(
            (100 * s, 140 * s),
            at,
            Motion(dy=-p.u / (2 + number), sway=9 * p.u, period=6 + number),
            p.light.near,
            draw,
        )
