"""Sets text: which glyphs there are, where lines break, and which size fits a box.

Only to be imported off the event loop: it loads Pillow and the font.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import manimgx_fonts_cjk  # pyright: ignore[reportMissingTypeStubs]  # only its place is asked for
from PIL import Image, ImageDraw, ImageFont

from bot.storyboard.breaking import FORBIDDEN, breaks

if TYPE_CHECKING:
    from collections.abc import Iterator

_FONT = "NotoSansCJK-VF.otf.ttc"
_JAPANESE_FACE = 0
_REFERENCE = 100
_NOT_A_CHARACTER = "\U0010ffff"
_STEP = 0.94
_UGLY = 1.5
_LINE_COST = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """The room for a text, in pixels, and the bounds of its type."""

    width: int
    height: int
    largest: float
    smallest: float
    most_lines: int
    leading: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A text broken into lines, at a size in pixels."""

    lines: tuple[str, ...]
    size: float


def font(size: float, weight: int) -> ImageFont.FreeTypeFont:
    """Return Noto Sans CJK's Japanese face at a size in pixels and a weight, 100 to 900."""
    path = Path(manimgx_fonts_cjk.__file__).with_name(_FONT)
    face = ImageFont.truetype(str(path), size, index=_JAPANESE_FACE)
    face.set_variation_by_axes([weight])
    return face


def drawable(text: str) -> str:
    """Return the text without the characters that the font has no glyph for."""
    face = font(_REFERENCE, 400)
    missing = _shape(_NOT_A_CHARACTER, face)

    @cache
    def has_glyph(char: str) -> bool:
        return char.isspace() or _shape(char, face) != missing

    return "".join(char for char in text if has_glyph(char))


def _shape(char: str, face: ImageFont.FreeTypeFont) -> bytes:
    picture = Image.new("L", (_REFERENCE * 2, _REFERENCE * 2))
    ImageDraw.Draw(picture).text((0, 0), char, font=face, fill=255)
    return picture.tobytes()


def fit(text: str, box: Box, weight: int) -> Setting:
    """Return the largest setting of a text that fits its box and breaks well.

    What does not fit at the smallest size ends with an ellipsis.
    """
    ruler = _Ruler(text, weight)
    for worst in (_UGLY, FORBIDDEN - 1, FORBIDDEN):
        for size in _sizes(box):
            lines = ruler.lines(box.width / size, worst)
            height = len(lines) * size * box.leading
            if lines and len(lines) <= box.most_lines and height <= box.height:
                return Setting(lines=lines, size=size)
    lines = ruler.lines(box.width / box.smallest, FORBIDDEN)
    room = max(1, min(box.most_lines, int(box.height / box.smallest / box.leading)))
    kept = (*lines[: room - 1], lines[room - 1][:-1] + "…")
    return Setting(lines=kept, size=box.smallest)


def _sizes(box: Box) -> Iterator[float]:
    size = box.largest
    while size > box.smallest:
        yield size
        size *= _STEP
    yield box.smallest


class _Ruler:
    """Breaks one text; widths are in ems, so that one measuring serves every size."""

    def __init__(self, text: str, weight: int) -> None:
        self._text = text
        self._font = font(_REFERENCE, weight)
        advances = (self._font.getlength(char) / _REFERENCE for char in text)
        self._offsets = tuple(accumulate(advances, initial=0.0))
        self._breaks = breaks(text)

    def lines(self, width: float, worst: float) -> tuple[str, ...]:
        """Return the best lines no wider than `width` ems, broken no worse than `worst`, or none.

        A dynamic programme over every break: it minimises raggedness, penalties and lines.
        """
        text = self._text
        ends = {
            index: penalty
            for index in range(1, len(text))
            if (penalty := self._breaks.get(index, FORBIDDEN)) <= worst
        }
        best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
        for end in (*ends, len(text)):
            for start in [at for at in best if at < end]:
                line = self._width(start, end)
                if line > width:
                    continue
                cost, cuts = best[start]
                cost += ((width - line) / width) ** 2 + _LINE_COST + ends.get(end, 0) * 0.12
                if end not in best or cost < best[end][0]:
                    best[end] = cost, (*cuts, end)
        if len(text) not in best:
            return ()
        cuts = best[len(text)][1]
        return tuple(
            text[a:b].strip() for a, b in zip((0, *cuts), cuts, strict=False) if text[a:b].strip()
        )

    def _width(self, start: int, end: int) -> float:
        last = end - 1 if self._text[end - 1] == " " else end
        return self._offsets[last] - self._offsets[start]
