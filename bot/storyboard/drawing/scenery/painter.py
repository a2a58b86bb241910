"""Provides what drawings of places have in common: skies, silhouettes, lights, moving sprites.

The module loads Pillow, so it is only imported in a worker thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw

from bot.storyboard.drawing.artwork import Motion, Plane
from bot.storyboard.drawing.layer_files import curve, scale, tint
from bot.storyboard.drawing.scenery.colours import luminance, mix
from bot.storyboard.drawing.scenery.effects import blurred, falloff, in_mist
from bot.storyboard.drawing.scenery.pen import FINENESS, Pen
from bot.storyboard.drawing.scenery.terrain import jagged_line, soft_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bot.storyboard.drawing.artwork import Canvas
    from bot.storyboard.drawing.layer_files import LayerFiles
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.lights import Light
    from bot.storyboard.drawing.scenery.pen import Point

_PROOF = 4  # the factor by which pictures are reduced before colours are looked up in them
# Planes move evenly at these speeds, in pixels per frame. At other speeds, planes would jitter.
_PACES = (0.0, 1 / 6, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0, 6.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """One of a clip's views of a place.

    `number`: the number of the view in the clip. `side`: 1 or -1, the direction of movements.
    `text`: the area of the text: left, top, right, lower.
    """

    number: int
    frames: int
    side: int
    text: tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Picture:
    picture: Image.Image
    x: float
    y: float
    motion: Motion


class Painter:
    """Paints one view as planes, from back to front. Lengths are in pixels."""

    def __init__(self, canvas: Canvas, light: Light, view: View, random: Random) -> None:
        self.light = light
        self.view = view
        self.random = random
        self.w = canvas.width
        self.h = canvas.height
        self.u = canvas.unit
        self._backdrop = Image.new("RGB", (1, 1))
        self._pictures: list[_Picture] = []

    # The sky

    def sky(self, top: Rgb | None = None, low: Rgb | None = None, *, horizon: float = 0.8) -> None:
        """Start the picture with a gradient that reaches its lower colour at the horizon."""
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
        soft = curve(Image.radial_gradient("L"), lambda far: 255 * strength * falloff(far))
        size = max(2, round(radius * 2))
        mask = scale(soft, (size, size), Image.Resampling.BILINEAR)
        self._backdrop.paste(colour, (round(x - radius), round(y - radius)), mask)

    def on_sky(self, pen: Pen, *, blur: float = 0) -> None:
        """Add a drawing to the sky, where it doesn't move."""
        picture = pen.finish()
        if blur:
            picture = blurred(picture, blur)
        self._backdrop.paste(picture, (pen.left, pen.top), picture)

    def sun(self, x: float, y: float, radius: float, colour: Rgb | None = None) -> None:
        """Add a disc with a halo. It is moved to the side or down if it would touch the text."""
        colour = colour or self.light.glow
        x, y = self._aside(x, y, radius)
        self.glow(x, y, radius * 5.5, mix(self.light.low, colour, 0.6), 0.55)
        self.glow(x, y, radius * 2.2, colour, 0.5)
        pen = self.pen(colour, top=y - radius - 2, lower=y + radius + 2)
        pen.disc(x, y, radius)
        self.on_sky(pen)

    def stars(self, count: int, lower: float, colour: Rgb | None = None) -> None:
        """Add stars. Towards the bottom of their area, they get smaller and more numerous."""
        pen = self.pen(colour or self.light.glow, top=0, lower=lower * self.h)
        for _ in range(count):
            x, y = self.random.random() * self.w, self.random.random() * lower * self.h
            size = (0.5 + self.random.random() ** 4 * 1.7) * self.u
            pen.disc(x, y, size, alpha=self.random.randint(60, 230))
        self.on_sky(pen)

    def clouds(self, y: float, count: int, colour: Rgb, alpha: int = 120) -> None:
        """Add a bank of clouds that drifts slowly."""
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
        self,
        colour: Rgb,
        *,
        top: float = 0,
        lower: float | None = None,
        depth: float = 0.0,
        spare: float = 0,
    ) -> Pen:
        """Return a pen for a strip that is wide enough to move at the given depth."""
        room = math.ceil(abs(self._pace(depth)) * self.view.frames)
        return Pen(
            colour,
            width=self.w + room + math.ceil(spare) * 2,
            top=math.floor(top),
            lower=math.ceil((self.h + spare) if lower is None else lower),
            left=-math.ceil(spare),
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
        """Add a strip as a plane. Planes with a depth closer to 1 are nearer and move faster.

        `mist`: the colour of the mist, its share at the top, and its share at the bottom.
        """
        picture = pen.finish()
        if mist:
            picture = in_mist(picture, *mist)
        if blur:
            picture = blurred(picture, blur)
        pace = self._pace(depth)
        room = pen.width - self.w
        x = -room if motion is None and pace > 0 else pen.left
        self.picture(picture, x, pen.top, motion or Motion(dx=pace))

    def picture(self, picture: Image.Image, x: float, y: float, motion: Motion) -> None:
        """Add a picture as a plane."""
        box = picture.getbbox()
        if box is None:
            return
        cropped = picture.crop(box)
        left, top = x + box[0], y + box[1]
        if motion == Motion() and not self._pictures:
            self._backdrop.paste(cropped, (round(left), round(top)), cropped)
            return
        covers = left <= 0 and left + cropped.width >= self.w and top + cropped.height >= self.h
        if covers and motion.bob == motion.dy == 0:
            open_part = ImageChops.invert(cropped.getchannel("A")).getbbox()
            self._hide(top + (open_part[3] if open_part else 0))
        self._pictures.append(_Picture(picture=cropped, x=left, y=top, motion=motion))

    def _hide(self, y: float) -> None:
        """Remove those parts of earlier planes that an opaque plane covers from `y` on."""
        shown = ((part, math.ceil(y - part.y) + 2) for part in self._pictures)
        self._pictures = [
            part
            if part.motion.bob or part.motion.dy or rows >= part.picture.height
            else replace(part, picture=part.picture.crop((0, 0, part.picture.width, rows)))
            for part, rows in shown
            if rows > 0 or part.motion.dy
        ]

    def sprite(
        self,
        size: tuple[float, float],
        at: Point,
        motion: Motion,
        colour: Rgb,
        draw: Callable[[Pen], None],
    ) -> None:
        """Add a sprite that moves on its own. `draw` has to fill the area from (0, 0) to `size`."""
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
        """Add many specks that fall or rise through the whole picture, such as snowflakes."""
        travel = math.ceil(abs(motion.dy) * self.view.frames)
        high = self.h + travel
        mask = Image.new("L", (self.w * FINENESS, high * FINENESS))
        pen = ImageDraw.Draw(mask)
        slant = motion.dx / motion.dy if motion.dy else 0.0
        for _ in range(count * high // self.h):
            x, y = self.random.random() * mask.width, self.random.random() * mask.height
            shade = round(alpha * (0.4 + 0.6 * self.random.random()))
            if length:
                end = x + slant * length * FINENESS, y + length * FINENESS
                pen.line([(x, y), end], shade, max(1, round(size * FINENESS)))
            else:
                radius = size * FINENESS * (0.5 + self.random.random())
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), shade)
        picture = tint(mask.reduce(FINENESS), colour)
        self.picture(picture, 0, -travel if motion.dy > 0 else 0, replace(motion, dx=0.0))

    def save(self, files: LayerFiles, zoom: float) -> tuple[Plane, ...]:
        """Save the planes, and return them from back to front."""
        name = f"view{self.view.number}_"
        planes = [Plane(layer=files.save(f"{name}sky", self._backdrop, 0, 0, zoom=zoom))]
        for number, part in enumerate(self._pictures):
            layer = files.save(f"{name}{number}", part.picture, part.x, part.y, zoom=zoom)
            planes.append(Plane(layer=layer, motion=part.motion.enlarged(zoom)))
        return tuple(planes)

    def extremes(self, *, brightest: bool) -> list[Rgb]:
        """Return the brightest or darkest colours behind the text, at several times of the clip."""
        found: list[Rgb] = []
        small = [(part, part.picture.reduce(_PROOF)) for part in self._pictures]
        backdrop = self._backdrop.reduce(_PROOF)
        box = [round(edge / _PROOF) for edge in self.view.text]
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            proof = backdrop.copy()
            for part, picture in small:
                x = part.x + part.motion.dx * share * self.view.frames
                y = part.y + part.motion.dy * share * self.view.frames
                proof.paste(picture, (round(x / _PROOF), round(y / _PROOF)), picture)
            area = proof.crop((box[0], box[1], max(box[2], box[0] + 1), max(box[3], box[1] + 1)))
            pixels = area.tobytes()
            colours = set(zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True))
            found.append((max if brightest else min)(colours, key=luminance))
        return found

    def between(self, share: float) -> Rgb:
        """Return a colour of the ground. `share` is 0 at the far end and 1 at the near end."""
        return mix(self.light.far, self.light.near, share)

    def waves(self, base: float, height: float, length: float) -> Callable[[float], float]:
        """Return a function from x to the height of gentle random hills around `base`."""
        return soft_line(self.random, base, height, length)

    def peaks(self, base: float, height: float, length: float) -> Callable[[float], float]:
        """Return a function from x to the height of jagged random mountains above `base`."""
        return jagged_line(self.random, base, height, length, self.w * 2)

    def _aside(self, x: float, y: float, radius: float) -> Point:
        """Return the nearest position at which a disc doesn't touch the text."""
        left, top, right, lower = self.view.text
        room = radius + 34 * self.u
        if not (left - room < x < right + room and top - room < y < lower + room):
            return x, y
        if right + room <= self.w - radius * 0.9:
            return right + room, y
        return x, lower + room

    def _pace(self, depth: float) -> float:
        """Return the speed of a plane at a depth, in pixels per frame. It is one of `_PACES`."""
        wanted = 2.2 * depth * self.u
        pace = min(_PACES, key=lambda pace: abs(pace - wanted))
        return pace * self.view.side
