"""Draws smooth shapes on a strip of a picture.

The module loads Pillow, so it is only imported in a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from bot.storyboard.drawing.scenery.colours import mix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.storyboard.drawing.scenery.colours import Rgb

Point = tuple[float, float]

FINENESS = 2
"""Shapes are drawn larger by this factor, and then reduced."""


class Pen:
    """Draws shapes on a strip of a picture. Coordinates are in pixels of the whole picture."""

    def __init__(self, colour: Rgb, *, width: int, top: int, lower: int, left: int = 0) -> None:
        self.top = top
        self.left = left
        self.width = width
        self.lower = lower
        # Transparent pixels have the colour too, so that edges have no dark fringe.
        size = width * FINENESS, max(1, lower - top) * FINENESS
        self._picture = Image.new("RGBA", size, (*colour, 0))
        self._draw = ImageDraw.Draw(self._picture)
        self.colour = colour

    def over(self, colour: Rgb, alpha: int) -> Rgb:
        """Return a colour as it looks over the pen's own colour.

        Shapes replace the pixels below them, so a translucent shape needs the blended colour.
        """
        return mix(self.colour, colour, alpha / 255)

    def polygon(self, points: Iterable[Point], colour: Rgb | None = None, alpha: int = 255) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._scaled(points), fill=(*(colour or self.colour), alpha))

    def ground(self, edge: Callable[[float], float], colour: Rgb | None = None) -> None:
        """Fill everything below a curve. `edge` returns the height of the curve at an x."""
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
        """Fill an ellipse. `across` and `down` are its two radii."""
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
        """Fill a rectangle, which may have rounded corners."""
        ((x1, y1), (x2, y2)) = self._scaled([(left, top), (right, lower)])
        corners = x1, y1, max(x1, x2), max(y1, y2)
        fill = (*(colour or self.colour), alpha)
        self._draw.rounded_rectangle(corners, radius * FINENESS, fill=fill)

    def line(
        self,
        points: Iterable[Point],
        width: float,
        colour: Rgb | None = None,
        *,
        alpha: int = 255,
    ) -> None:
        """Draw a line with rounded joints."""
        fill = (*(colour or self.colour), alpha)
        thick = max(1, round(width * FINENESS))
        self._draw.line(self._scaled(points), fill=fill, width=thick, joint="curve")

    def arc(
        self,
        x: float,
        y: float,
        radius: float,
        angles: tuple[float, float],
        width: float,
        *,
        colour: Rgb | None = None,
        alpha: int = 255,
    ) -> None:
        """Draw a part of a circle, between two angles in degrees."""
        box = self._scaled([(x - radius, y - radius), (x + radius, y + radius)])
        fill = (*(colour or self.colour), alpha)
        thick = max(1, round(width * FINENESS))
        self._draw.arc(box, angles[0], angles[1], fill=fill, width=thick)

    def finish(self) -> Image.Image:
        """Smooth the edges of the drawn strip, and return it."""
        return self._picture.reduce(FINENESS)

    def _scaled(self, points: Iterable[Point]) -> list[Point]:
        return [((x - self.left) * FINENESS, (y - self.top) * FINENESS) for x, y in points]
