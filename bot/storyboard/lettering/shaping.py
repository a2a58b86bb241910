"""Shapes text in any script and direction with HarfBuzz, and draws it.

Pillow itself can only do this if the system has libfribidi, which small containers and macOS lack.
The module loads HarfBuzz and Pillow, so it is only imported in a worker thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import uharfbuzz as hb
from PIL import Image

from bot.storyboard.lettering.directions import base_level, levels, visual_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.storyboard.lettering.typefaces import Style, Typefaces

_PADDING = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Glyph:
    """A glyph and its position on the line, in ems.

    `at`: the index of the glyph's cluster in the text.
    """

    number: int
    at: int
    x: float
    y: float
    advance: float
    font: hb.Font
    is_emoji: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnLine:
    """The masks of a line's letters and emoji.

    `left`, `top`: their offset from the start of the baseline, in pixels.
    """

    letters: Image.Image
    emoji: Image.Image
    left: int
    top: int


class Shaper:
    """Shapes text in one style."""

    def __init__(self, typefaces: Typefaces, style: Style) -> None:
        self._typefaces = typefaces
        self._style = style

    def advances(self, text: str) -> list[float]:
        """Return the width of each character in ems.

        The width of a cluster is counted at its first character.
        """
        found = [0.0] * len(text)
        for glyph in self.shape(text, base_level(text)):
            found[glyph.at] += glyph.advance
        return found

    def shape(self, text: str, base: int) -> list[Glyph]:
        """Return the glyphs of a line from left to right."""
        found: list[Glyph] = []
        x = 0.0
        parts = list(self._parts(text, base))
        for index in visual_order([level for level, *_ in parts]):
            level, start, end, font, is_emoji = parts[index]
            buffer = _shaped(text, start, end, font, level)
            scale = 1 / font.face.upem
            for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
                found.append(
                    Glyph(
                        number=info.codepoint,
                        at=info.cluster,
                        x=x + position.x_offset * scale,
                        y=position.y_offset * scale,
                        advance=position.x_advance * scale,
                        font=font,
                        is_emoji=is_emoji,
                    )
                )
                x += position.x_advance * scale
        return found

    def draw(self, text: str, base: int, size: float) -> DrawnLine:
        """Draw a line of text. `size` is the type size in pixels."""
        glyphs = self.shape(text, base)
        letters = _render([glyph for glyph in glyphs if not glyph.is_emoji], size)
        emoji = _render([glyph for glyph in glyphs if glyph.is_emoji], size)
        drawn = [part for part in (letters, emoji) if part]
        left = min((x for _, x, _ in drawn), default=0) - _PADDING
        top = min((y for _, _, y in drawn), default=0) - _PADDING
        right = max((x + mask.width for mask, x, _ in drawn), default=1) + _PADDING
        lower = max((y + mask.height for mask, _, y in drawn), default=1) + _PADDING
        masks = [Image.new("L", (right - left, lower - top)) for _ in range(2)]
        for sheet, part in zip(masks, (letters, emoji), strict=True):
            if part:
                mask, x, y = part
                sheet.paste(mask, (x - left, y - top))
        return DrawnLine(letters=masks[0], emoji=masks[1], left=left, top=top)

    def _parts(self, text: str, base: int) -> Iterator[tuple[int, int, int, hb.Font, bool]]:
        """Yield the parts of a text, in order. Each part has a single level and typeface."""
        found = levels(text, base)
        for run in self._typefaces.runs(text, self._style):
            for level, group in groupby(range(run.start, run.end), found.__getitem__):
                part = list(group)
                yield level, part[0], part[-1] + 1, run.font, run.is_emoji


def _shaped(text: str, start: int, end: int, font: hb.Font, level: int) -> hb.Buffer:
    """Shape a part of a text in its context. Arabic letters then join, even across typefaces."""
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(char) for char in text], start, end - start)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if level % 2 else "ltr"
    hb.shape(font, buffer)
    return buffer


def _render(glyphs: list[Glyph], size: float) -> tuple[Image.Image, int, int] | None:
    """Return a mask of glyphs and the mask's top left corner, or None if no glyph is visible."""
    raster = hb.RasterDraw()
    for glyph in glyphs:
        scale = size / glyph.font.face.upem
        raster.transform = (scale, 0, 0, scale, glyph.x * size, glyph.y * size)
        raster.draw_glyph(glyph.font, glyph.number)
    image = raster.render()
    if image is None or not image.extents.width or not image.extents.height:
        return None
    box = image.extents
    mask = Image.frombuffer("L", (box.width, box.height), image.buffer, "raw", "L", box.stride, -1)
    return mask, box.x_origin, -(box.y_origin + box.height)
