"""ChartPen: draws text in any script, bars and lines onto a picture.

Imported only in the child process, because it loads Pillow and the fonts.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw

from bot.storyboard.lettering.clusters import clusters
from bot.storyboard.lettering.directions import base_level
from bot.storyboard.lettering.scenes import clean
from bot.storyboard.lettering.shaping import Shaper
from bot.storyboard.lettering.typefaces import Style, Typefaces

Colour = tuple[int, int, int]

_PLAIN, _BOLD = Style(weight=500), Style(weight=700)
_DASH, _SPACE = 14, 10
_OVERSAMPLING = 4
_COLUMN_RADIUS = 6
# The maximum length of a text. The picture has room for less, and measuring longer texts is slow.
_MOST_CHARACTERS = 120
_UNKNOWN = "?"
_CUT = "…"


@dataclass(frozen=True, kw_only=True, slots=True)
class Letters:
    """The size, in pixels, and the look of a text."""

    size: int
    colour: Colour
    is_bold: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartBox:
    """A part of the picture, in pixels."""

    x: int
    y: int
    width: int
    height: int


class ChartPen:
    """Draws onto one picture. Text that does not fit is cut."""

    def __init__(self, picture: Image.Image) -> None:
        self._picture = picture
        self._draw = ImageDraw.Draw(picture)
        self._typefaces = Typefaces()
        self._shapers = {
            is_bold: Shaper(self._typefaces, _BOLD if is_bold else _PLAIN)
            for is_bold in (False, True)
        }

    def width_of(self, text: str, letters: Letters) -> int:
        """Return the width of a text in pixels."""
        advances = self._shapers[letters.is_bold].advances(self._drawable(text))
        return round(sum(advances) * letters.size)

    def write(self, text: str, x: int, baseline: int, letters: Letters, *, most: int) -> None:
        """Write a text that begins at `x`. `most`: the maximum width in pixels."""
        text = self._fitted(self._drawable(text), letters, most)
        drawn = self._shapers[letters.is_bold].draw(text, base_level(text), letters.size)
        place = (x + drawn.left, baseline + drawn.top)
        for mask in (drawn.letters, drawn.emoji):
            self._picture.paste(letters.colour, place, mask)

    def write_ending(self, text: str, x: int, baseline: int, letters: Letters) -> None:
        """Write a text that ends at `x`."""
        width = self.width_of(text, letters)
        self.write(text, x - width, baseline, letters, most=width)

    def write_centred(self, text: str, x: int, baseline: int, letters: Letters) -> None:
        """Write a text around `x`."""
        width = self.width_of(text, letters)
        self.write(text, x - width // 2, baseline, letters, most=width)

    def line(self, x: int, end: int, y: int, colour: Colour) -> None:
        """Draw a horizontal line."""
        self._draw.line((x, y, end, y), fill=colour, width=2)

    def dashes(self, x: int, end: int, y: int, colour: Colour) -> None:
        """Draw a horizontal dashed line."""
        for start in range(x, end, _DASH + _SPACE):
            self._draw.line((start, y, min(start + _DASH, end), y), fill=colour, width=4)

    def bar(self, box: ChartBox, colour: Colour) -> None:
        """Draw a bar with rounded ends."""
        self._fill(box, colour, radius=box.height // 2, corners=(True, True, True, True))

    def column(self, box: ChartBox, colour: Colour) -> None:
        """Draw a column with a rounded top."""
        radius = min(_COLUMN_RADIUS, box.height // 2)
        self._fill(box, colour, radius=radius, corners=(True, True, False, False))

    def _fill(
        self, box: ChartBox, colour: Colour, *, radius: int, corners: tuple[bool, bool, bool, bool]
    ) -> None:
        wide, high = box.width * _OVERSAMPLING, box.height * _OVERSAMPLING
        mask = Image.new("L", (wide, high))
        ImageDraw.Draw(mask).rounded_rectangle(
            (0, 0, wide - 1, high - 1), radius * _OVERSAMPLING, fill=255, corners=corners
        )
        self._picture.paste(colour, (box.x, box.y), mask.reduce(_OVERSAMPLING))

    def _drawable(self, text: str) -> str:
        line = " ".join(text[:_MOST_CHARACTERS].split())
        return self._typefaces.drawable(clean(line)) or _UNKNOWN

    def _fitted(self, text: str, letters: Letters, most: int) -> str:
        # If the text was measured before, rounding may have made the limit a pixel too small.
        if self.width_of(text, letters) <= most + 1:
            return text
        parts = clusters(text)
        while parts:
            parts.pop()
            cut = "".join(parts).rstrip() + _CUT
            if self.width_of(cut, letters) <= most:
                return cut
        return _CUT
