"""Paints space."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from bot.storyboard.drawing.artwork import Motion
from bot.storyboard.drawing.layer_files import curve, scale, tint
from bot.storyboard.drawing.scenery.colours import mix
from bot.storyboard.drawing.scenery.pen import Pen

if TYPE_CHECKING:
    from bot.storyboard.drawing.scenery.painter import Painter


def paint_space(p: Painter) -> None:
    """Paint a view of space: a planet with a ring, the edge of a planet, or a moon."""
    look = p.view.number % 3
    p.sky(mix(p.light.top, (0, 0, 0), 0.45), mix(p.light.low, p.light.top, 0.55), horizon=1.0)
    for _ in range(3):
        x, y = p.random.uniform(0.3, 1) * p.w, p.random.uniform(0.2, 1) * p.h
        p.glow(
            x, y, p.random.uniform(260, 420) * p.u, p.random.choice((p.light.low, p.light.far)), 0.6
        )
    p.stars(300, 1.0)
    if look == 1:
        _planet(p, p.w * 0.62, p.h * 1.75, p.h * 1.05, Motion(dy=-p.u / 4), rim=True)
        _planet(p, p.w * 0.84, p.h * 0.36, 46 * p.u, Motion(dx=p.u / 4))
        _satellite(p)
    else:
        x, y = (p.w * 0.78, p.h * 0.72) if look == 0 else (p.w * 0.7, p.h * 0.78)
        size = (170 if look == 0 else 120) * p.u
        if look == 0:
            _ring(p, x, y, size, behind=True)
        _planet(p, x, y, size, Motion(dx=-p.u / 6))
        if look == 0:
            _ring(p, x, y, size, behind=False)
        _planet(p, p.w * 0.5, p.h * 0.86, 30 * p.u, Motion(dx=p.u / 3))
        if look == 2:
            _rocket(p)


def _planet(
    p: Painter, x: float, y: float, radius: float, motion: Motion, *, rim: bool = False
) -> None:
    """Paint a striped planet that is lit from the upper left."""
    wide = math.ceil(radius * 2)
    pen = Pen(mix(p.light.low, p.light.glow, 0.25), width=wide, top=0, lower=wide)
    pen.disc(radius, radius, radius - 1)
    ball = pen.finish()
    mask = ball.getchannel("A")
    bands = Pen(p.light.far, width=wide, top=0, lower=wide)
    for n in range(7):
        at = (0.12 + n * 0.13 + p.random.uniform(-0.03, 0.03)) * wide
        bands.oval(
            radius,
            at,
            radius * 1.2,
            radius * p.random.uniform(0.02, 0.07),
            p.random.choice((p.light.far, p.light.accent, p.light.glow)),
            alpha=90,
        )
    stripes = bands.finish()
    ball.paste(stripes.convert("RGB"), (0, 0), stripes)
    shadow = scale(
        Image.radial_gradient("L").crop((96, 96, 256, 256)), (wide, wide), Image.Resampling.BILINEAR
    )
    ball.paste(
        mix(p.light.near, (0, 0, 0), 0.3),
        (0, 0),
        curve(shadow, lambda far: min(235, max(0, (far - 30) * 1.5))),
    )
    ball.putalpha(mask)
    if rim:
        p.glow(x, y - radius * 0.02, radius * 1.12, p.light.glow, 0.9)
    else:
        p.glow(x - radius * 0.1, y - radius * 0.1, radius * 1.7, p.light.low, 0.6)
    p.picture(ball, x - radius, y - radius, motion)


def _ring(p: Painter, x: float, y: float, radius: float, *, behind: bool) -> None:
    wide, high = math.ceil(radius * 4.4), math.ceil(radius * 1.6)
    ring = Image.new("L", (wide, high))
    for share, alpha in ((1.0, 150), (0.86, 90), (0.8, 200), (0.7, 0)):
        pen = Pen(p.light.glow, width=wide, top=0, lower=high)
        pen.oval(wide / 2, high / 2, wide / 2 * share, high / 2 * 0.62 * share)
        ring.paste(alpha, (0, 0), pen.finish().getchannel("A"))
    half = Image.new("L", ring.size, 255 if behind else 0)
    half.paste(0 if behind else 255, (0, high // 2, wide, high))
    picture = tint(ImageChops.multiply(ring, half), p.light.glow)
    p.picture(picture, x - wide / 2, y - high / 2, Motion(dx=-p.u / 6))


def _satellite(p: Painter) -> None:
    def draw(pen: Pen) -> None:
        s = 1.1 * p.u
        for side in (0, 74):
            pen.box(
                side * s, 22 * s, (side + 46) * s, 42 * s, mix(p.light.low, p.light.accent, 0.4)
            )
            for n in range(1, 4):
                pen.line(
                    [((side + n * 11.5) * s, 22 * s), ((side + n * 11.5) * s, 42 * s)],
                    1.2 * s,
                    p.light.near,
                )
        pen.box(50 * s, 16 * s, 70 * s, 48 * s, p.light.ink, radius=4 * s)
        pen.line([(60 * s, 16 * s), (60 * s, 2 * s)], 1.6 * s, p.light.ink)

    p.sprite(
        (132 * p.u, 58 * p.u),
        (p.w * 0.5, p.h * 0.62),
        Motion(dx=p.u / 2, dy=-p.u / 4),
        p.light.near,
        draw,
    )


def _rocket(p: Painter) -> None:
    def draw(pen: Pen) -> None:
        s = 1.2 * p.u
        pen.polygon([(22 * s, 92 * s), (30 * s, 150 * s), (38 * s, 92 * s)], p.light.accent, 190)
        pen.polygon([(12 * s, 94 * s), (2 * s, 100 * s), (14 * s, 64 * s)], p.light.accent)
        pen.polygon([(48 * s, 94 * s), (58 * s, 100 * s), (46 * s, 64 * s)], p.light.accent)
        pen.oval(30 * s, 52 * s, 19 * s, 50 * s, p.light.ink)
        pen.box(13 * s, 84 * s, 47 * s, 94 * s, p.light.near)
        pen.disc(30 * s, 42 * s, 8 * s, p.light.far)

    p.sprite(
        (72 * p.u, 184 * p.u),
        (p.w * 0.42, p.h * 0.66),
        Motion(dy=-p.u, dx=p.u / 4),
        p.light.ink,
        draw,
    )
