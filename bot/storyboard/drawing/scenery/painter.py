"""The painter's tools: skies, silhouettes, lights and things that drift.

Imported only in a worker thread, because it loads Pillow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bot.storyboard.drawing.artwork import Motion, Plane
from bot.storyboard.drawing.layer_files import curve, scale, tint
from bot.storyboard.drawing.scenery.colours import luminance, mix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from bot.storyboard.drawing.artwork import Canvas, Layer
    from bot.storyboard.drawing.layer_files import LayerFiles
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.lights import Light

Point = tuple[float, float]

_FINENESS = 2  # the oversampling of silhouettes
_PROOF = 4  # the reduction of the pictures in which colours are looked up
_GRAIN = 3.0
_GRAIN_TILE = 256
_GLOW = 256
_RIM = 180  # the value of Pillow's radial gradient at the middle of an edge
# Speeds in pixels per frame that have an even pace; others would jitter.
_PACES = (0.0, 1 / 6, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0, 6.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """One look at a place: `number` counts the film's views, `side` is 1 or -1."""

    number: int
    frames: int
    side: int


class Pen:
    """Draws shapes on a strip of the picture, in pixels of the picture."""

    def __init__(self, colour: Rgb, *, width: int, top: int, lower: int, left: int = 0) -> None:
        self.top = top
        self.left = left
        self.width = width
        self.lower = lower
        # Transparent pixels have the colour, too, so that edges have no dark fringe.
        size = width * _FINENESS, max(1, lower - top) * _FINENESS
        self._picture = Image.new("RGBA", size, (*colour, 0))
        self._draw = ImageDraw.Draw(self._picture)
        self.colour = colour

    def polygon(self, points: Iterable[Point], colour: Rgb | None = None, alpha: int = 255) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._scaled(points), fill=(*(colour or self.colour), alpha))

    def ground(self, edge: Callable[[float], float], colour: Rgb | None = None) -> None:
        """Fill everything below a curve, which gives the height of each x."""
        step = max(2, self.width // 320)
        xs = range(self.left, self.left + self.width + step, step)
        points = [(float(x), edge(x)) for x in xs]
        bottom = self.lower + 2.0
        self.polygon([*points, (points[-1][0], bottom), (points[0][0], bottom)], colour)

    def disc(
        self, x: float, y: float, radius: float, colour: Rgb | None = None, alpha: int = 255
    ) -> None:
        """Fill a circle."""
        self.oval(x, y, radius, radius, colour, alpha=alpha)

    def oval(
        self,
        x: float,
        y: float,
        across: float,
        down: float,
        colour: Rgb | None = None,
        *,
        alpha: int = 255,
    ) -> None:
        """Fill an ellipse with two radii."""
        box = self._scaled([(x - across, y - down), (x + across, y + down)])
        self._draw.ellipse(box, fill=(*(colour or self.colour), alpha))

    def box(
        self,
        left: float,
        top: float,
        right: float,
        lower: float,
        colour: Rgb | None = None,
        *,
        alpha: int = 255,
        radius: float = 0,
    ) -> None:
        """Fill a rectangle, which may have round corners."""
        ((x1, y1), (x2, y2)) = self._scaled([(left, top), (right, lower)])
        corners = x1, y1, max(x1, x2), max(y1, y2)
        fill = (*(colour or self.colour), alpha)
        self._draw.rounded_rectangle(corners, radius * _FINENESS, fill=fill)

    def line(
        self,
        points: Iterable[Point],
        width: float,
        colour: Rgb | None = None,
        *,
        alpha: int = 255,
    ) -> None:
        """Draw a line with round joints."""
        fill = (*(colour or self.colour), alpha)
        thick = max(1, round(width * _FINENESS))
        self._draw.line(self._scaled(points), fill=fill, width=thick, joint="curve")

    def arc(
        self, x: float, y: float, radius: float, angles: tuple[float, float], width: float,
        colour: Rgb | None = None, *, alpha: int = 255,
    ) -> None:
        """Draw a part of a circle, between two angles in degrees."""
        box = self._scaled([(x - radius, y - radius), (x + radius, y + radius)])
        fill = (*(colour or self.colour), alpha)
        thick = max(1, round(width * _FINENESS))
        self._draw.arc(box, angles[0], angles[1], fill=fill, width=thick)

    def finish(self) -> Image.Image:
        """Return the strip with smooth edges."""
        return self._picture.reduce(_FINENESS)

    def _scaled(self, points: Iterable[Point]) -> list[Point]:
        return [
            ((x - self.left) * _FINENESS, (y - self.top) * _FINENESS) for x, y in points
        ]


class Painter:
    """Paints one view as planes, from back to front; lengths are in pixels."""

    def __init__(
        self, layer_files: LayerFiles, light: Light, view: View, random: Random
    ) -> None:
        self.canvas: Canvas = layer_files.canvas
        self.light = light
        self.view = view
        self.random = random
        self.planes: list[Plane] = []
        self.w = self.canvas.width
        self.h = self.canvas.height
        self.u = self.canvas.unit
        self._files = layer_files
        self._backdrop = Image.new("RGB", (1, 1))
        self._proofs: list[tuple[Image.Image, Layer, Motion]] = []

    # The sky

    def sky(self, top: Rgb | None = None, low: Rgb | None = None, *, horizon: float = 0.8) -> None:
        """Start with a gradient, which reaches its lower colour at the horizon."""
        top, low = top or self.light.top, low or self.light.low
        depth = max(1, round(self.h * horizon))
        ramp = Image.linear_gradient("L")
        column = curve(ramp, lambda depth: 255 * (depth / 255) ** 1.6)
        mask = Image.new("L", (self.w, self.h), 255)
        mask.paste(scale(column, (self.w, depth)))
        self._backdrop = Image.composite(
            Image.new("RGB", mask.size, low), Image.new("RGB", mask.size, top), mask
        )

    def glow(self, x: float, y: float, radius: float, colour: Rgb, strength: float) -> None:
        """Add a soft light to the sky."""
        soft = curve(Image.radial_gradient("L"), lambda far: 255 * strength * _falloff(far))
        size = max(2, round(radius * 2))
        mask = scale(soft, (size, size), Image.Resampling.BILINEAR)
        self._backdrop.paste(colour, (round(x - radius), round(y - radius)), mask)

    def on_sky(self, pen: Pen, *, blur: float = 0) -> None:
        """Put what was drawn on the sky itself, where it doesn't move."""
        picture = pen.finish()
        if blur:
            picture = picture.filter(ImageFilter.GaussianBlur(blur))
        self._backdrop.paste(picture, (pen.left, pen.top), picture)

    def sun(self, x: float, y: float, radius: float, colour: Rgb | None = None) -> None:
        """Add a disc with its halo."""
        colour = colour or self.light.glow
        self.glow(x, y, radius * 5.5, mix(self.light.low, colour, 0.6), 0.55)
        self.glow(x, y, radius * 2.2, colour, 0.5)
        pen = self.pen(colour, top=y - radius - 2, lower=y + radius + 2)
        pen.disc(x, y, radius)
        self.on_sky(pen)

    def stars(self, count: int, lower: float, colour: Rgb | None = None) -> None:
        """Add stars, more and smaller ones towards the bottom of their area."""
        pen = self.pen(colour or self.light.glow, top=0, lower=lower * self.h)
        for _ in range(count):
            x, y = self.random.random() * self.w, self.random.random() * lower * self.h
            size = (0.5 + self.random.random() ** 4 * 1.7) * self.u
            pen.disc(x, y, size, alpha=self.random.randint(60, 230))
        self.on_sky(pen)

    def clouds(self, y: float, count: int, colour: Rgb, alpha: int = 120) -> None:
        """Add a drifting bank of clouds."""
        height = 130 * self.u
        pen = self.pen(colour, top=y * self.h - height, lower=y * self.h + height * 0.5, depth=0.12)
        for _ in range(count):
            x = self.random.random() * pen.width
            size = (0.5 + self.random.random()) * 60 * self.u
            base = y * self.h
            for part in range(-3, 4):
                bump = size * (1 - abs(part) / 5) * (0.6 + 0.5 * self.random.random())
                pen.oval(x + part * size * 0.62, base - bump * 0.4, bump, bump * 0.62, alpha=alpha)
            pen.box(x - size * 2.6, base, x + size * 2.6, base + height, colour, alpha=0)
        self.put(pen, depth=0.12, blur=7 * self.u)

    # Silhouettes

    def pen(
        self, colour: Rgb, *, top: float = 0, lower: float | None = None, depth: float = 0.0
    ) -> Pen:
        """Return a pen for a strip that is wide enough for its drift."""
        room = math.ceil(abs(self._pace(depth)) * self.view.frames)
        return Pen(
            colour,
            width=self.w + room,
            top=math.floor(top),
            lower=math.ceil(self.h if lower is None else lower),
            left=0,
        )

    def put(
        self,
        pen: Pen,
        *,
        depth: float = 0.0,
        mist: tuple[Rgb, float, float] | None = None,
        blur: float = 0,
        motion: Motion | None = None,
    ) -> None:
        """Add a strip as a plane; nearer ones, of a depth towards 1, pass faster.

        `mist` is a colour with its share at the top and at the bottom.
        """
        picture = pen.finish()
        if mist:
            picture = _in_mist(picture, *mist)
        if blur:
            picture = picture.filter(ImageFilter.GaussianBlur(blur))
        pace = self._pace(depth)
        room = pen.width - self.w
        motion = motion or Motion(dx=pace)
        self.picture(picture, -room if pace > 0 else 0, pen.top, motion)

    def picture(self, picture: Image.Image, x: float, y: float, motion: Motion) -> None:
        """Add a picture as a plane."""
        box = picture.getbbox()
        if box is None:
            return
        name = f"view{self.view.number}_{len(self.planes)}"
        cropped = picture.crop(box)
        layer = self._files.save(name, cropped, x + box[0], y + box[1])
        self.planes.append(Plane(layer=layer, motion=motion))
        self._proofs.append((cropped.reduce(_PROOF), layer, motion))

    def sprite(
        self,
        size: tuple[float, float],
        at: Point,
        motion: Motion,
        colour: Rgb,
        draw: Callable[[Pen], None],
    ) -> None:
        """Add a small thing that moves by itself; it is drawn from 0, 0 to its size."""
        pen = Pen(colour, width=math.ceil(size[0]), top=0, lower=math.ceil(size[1]))
        draw(pen)
        self.picture(pen.finish(), at[0], at[1], motion)

    def specks(
        self,
        count: int,
        size: float,
        colour: Rgb,
        motion: Motion,
        *,
        alpha: int = 200,
        length: float = 0,
    ) -> None:
        """Add many small things that fall or rise through the whole picture, as snow does."""
        travel = math.ceil(abs(motion.dy) * self.view.frames)
        pen = Pen(colour, width=self.w, top=0, lower=self.h + travel)
        slant = motion.dx / motion.dy if motion.dy else 0.0
        for _ in range(count * (self.h + travel) // self.h):
            x, y = self.random.random() * self.w, self.random.random() * pen.lower
            shade = round(alpha * (0.4 + 0.6 * self.random.random()))
            if length:
                end = x + slant * length, y + length
                pen.line([(x, y), end], size, alpha=shade)
            else:
                pen.disc(x, y, size * (0.5 + self.random.random()), alpha=shade)
        self.picture(pen.finish(), 0, -travel if motion.dy > 0 else 0, replace(motion, dx=0.0))

    def shafts(self, x: float, colour: Rgb, count: int, strength: int) -> None:
        """Add slanting rays of light that wander slowly."""
        pen = self.pen(colour)
        for number in range(count):
            start = x + (number - count / 2) * self.w * 0.13
            wide = (0.02 + 0.05 * self.random.random()) * self.w
            lean = self.w * (0.10 + 0.05 * number)
            alpha = round(strength * (0.5 + 0.5 * self.random.random()))
            foot = [(start + lean + wide * 2.4, self.h), (start + lean - wide, self.h)]
            pen.polygon([(start, 0), (start + wide, 0), *foot], alpha=alpha)
        fading = _in_depth(pen.finish().filter(ImageFilter.GaussianBlur(14 * self.u)))
        self.picture(fading, 0, 0, Motion(sway=18 * self.u, period=9))

    def backdrop(self) -> Plane:
        """Return the sky, with grain against banding."""
        tile = Image.effect_noise((_GRAIN_TILE, _GRAIN_TILE), _GRAIN)
        grain = Image.new("L", self._backdrop.size)
        for x in range(0, self.w, _GRAIN_TILE):
            for y in range(0, self.h, _GRAIN_TILE):
                grain.paste(tile, (x, y))
        grained = ImageChops.add(self._backdrop, Image.merge("RGB", [grain] * 3), 1, -128)
        layer = self._files.save(f"view{self.view.number}_sky", grained, 0, 0)
        return Plane(layer=layer, motion=Motion())

    def extremes(self, area: tuple[int, int, int, int], *, brightest: bool) -> list[Rgb]:
        """Return the brightest or darkest colour of an area at the view's start, middle and end."""
        found: list[Rgb] = []
        for share in (0.0, 0.5, 1.0):
            proof = self._backdrop.reduce(_PROOF)
            for picture, layer, motion in self._proofs:
                x = layer.x + motion.dx * share * self.view.frames
                y = layer.y + motion.dy * share * self.view.frames
                proof.paste(picture, (round(x / _PROOF), round(y / _PROOF)), picture)
            part = proof.crop(tuple(round(edge / _PROOF) for edge in area))
            colours = part.getcolors(part.width * part.height) or []
            key = lambda entry: luminance(entry[1])
            found.append((max if brightest else min)(colours, key=key)[1])
        return found

    def between(self, share: float) -> Rgb:
        """Return the colour of the ground at a distance: 0 is far, 1 near."""
        return mix(self.light.far, self.light.near, share)

    def waves(self, base: float, height: float, length: float) -> Callable[[float], float]:
        """Return a soft random line of hills around `base`."""
        random = self.random
        parts = [
            (height * share, math.tau / (length * share * (0.8 + 0.4 * random.random())),
             random.random() * math.tau)
            for share in (1.0, 0.55, 0.27)
        ]
        return lambda x: base - sum(a * math.sin(x * k + phase) for a, k, phase in parts) * 0.55

    def peaks(self, base: float, height: float, length: float, rough: float = 0.5) -> Callable[[float], float]:
        """Return a jagged random line of mountains that rise above `base`."""
        values = [0.0, 0.0]
        span = length / max(1.0, self.w) * 2
        steps = max(2, round(2 / span))
        values = [self.random.random() * (0.25 if n % 2 else 1.0) for n in range(steps * 2 + 3)]
        for level in range(5):
            between = [
                (a + b) / 2 + (self.random.random() - 0.5) * rough * 0.55**level
                for a, b in zip(values, values[1:], strict=False)
            ]
            values = [value for pair in zip(values, between, strict=False) for value in pair] + values[-1:]
        scale_x = (len(values) - 1) / (self.w * 2)

        def edge(x: float) -> float:
            place = min(max(0.0, x * scale_x), len(values) - 1.001)
            index = int(place)
            share = place - index
            return base - height * (values[index] * (1 - share) + values[index + 1] * share)

        return edge

    def _pace(self, depth: float) -> float:
        """Return the speed of a plane at a depth, in pixels per frame, as an even pace."""
        wanted = 2.2 * depth * self.u
        pace = min(_PACES, key=lambda pace: abs(pace - wanted))
        return pace * self.view.side


def _falloff(far: float) -> float:
    near = max(0.0, 1 - far / _RIM)
    return near * near * (3 - 2 * near)


def _in_mist(picture: Image.Image, colour: Rgb, top: float, bottom: float) -> Image.Image:
    """Return a silhouette in mist, whose share changes from its top to its bottom."""
    ramp = curve(Image.linear_gradient("L"), lambda depth: 255 * (top + (bottom - top) * depth / 255))
    mask = scale(ramp, picture.size, Image.Resampling.BILINEAR)
    misty = Image.composite(Image.new("RGBA", picture.size, (*colour, 255)), picture, mask)
    misty.putalpha(picture.getchannel("A"))
    return misty


def _in_depth(picture: Image.Image) -> Image.Image:
    """Return a picture that fades out towards its bottom."""
    ramp = scale(curve(Image.linear_gradient("L"), lambda depth: 255 - depth), picture.size)
    faded = tint(ImageChops.multiply(picture.getchannel("A"), ramp), (255, 255, 255))
    faded.paste(picture.convert("RGB"), (0, 0))
    faded.putalpha(ImageChops.multiply(picture.getchannel("A"), ramp))
    return faded
