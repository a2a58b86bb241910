"""Sets text: chooses its typeface, its line breaks and the size at which it fits a box.

Written by hand: Pillow draws lines but does not break them, and Pango, which does, is a system
library. Imported only in a worker thread, because it loads Pillow and the fonts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from bot.storyboard.drawing.line_breaks import FORBIDDEN, breaks

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFERENCE_SIZE = 100
_NOT_A_CHARACTER = "\U0010ffff"
_SIZE_STEP = 0.94
# The worst line-break penalty in a good and in a fair layout, and how many times larger a fair
# layout's type must be for it to be preferred.
_GOOD = 1.5
_FAIR = 2.5
_FAIR_GAIN = 1.3
_RAGGED_COST = 1.5
_LINE_COST = 0.02
_BREAK_COST = 0.12


@dataclass(frozen=True, kw_only=True, slots=True)
class Typeface:
    """A variable font: face `index` of a file; `widths` are the axis values after the weight."""

    path: Path
    index: int = 0
    widths: tuple[int, ...] = ()

    def at(self, size: float, weight: int) -> ImageFont.FreeTypeFont:
        """Return the font at a size in pixels and a weight, 100 to 900."""
        font = ImageFont.truetype(str(self.path), size, index=self.index)
        font.set_variation_by_axes([weight, *self.widths])
        return font

    def drawable(self, text: str) -> str:
        """Return the text without the characters for which the font has no glyph."""
        font = self.at(_REFERENCE_SIZE, 400)
        missing = _shape(_NOT_A_CHARACTER, font)

        @cache
        def has_glyph(char: str) -> bool:
            return char.isspace() or _shape(char, font) != missing

        return "".join(char for char in text if has_glyph(char))


def _shape(char: str, font: ImageFont.FreeTypeFont) -> bytes:
    picture = Image.new("L", (_REFERENCE_SIZE * 2, _REFERENCE_SIZE * 2))
    ImageDraw.Draw(picture).text((0, 0), char, font=font, fill=255)
    return picture.tobytes()


def choose_typeface(text: str) -> Typeface:
    """Return the typeface that has glyphs for the most characters of a text.

    Noto Sans CJK covers Japanese, Western European languages and Russian. Noto Sans, if it is
    installed, covers all of Latin, Cyrillic and Greek.
    """
    return max(_typefaces(), key=lambda typeface: len(typeface.drawable(text)))


def _typefaces() -> Iterator[Typeface]:
    """Yield the typefaces in order of preference."""
    folder = _folder("manimgx_fonts_cjk")
    yield Typeface(path=folder / "NotoSansCJK-VF.otf.ttc")
    if find_spec("fontpkg_noto_sans"):
        file = _folder("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"
        yield Typeface(path=file, widths=(100,))


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the font package {package} is not installed")
    return Path(spec.origin).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class TextBox:
    """The area for a text, in pixels, and the limits on its type size and number of lines."""

    width: int
    height: int
    largest: float
    smallest: float
    max_lines: int
    leading: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TextLayout:
    """A text broken into lines, with its type size in pixels."""

    lines: tuple[str, ...]
    size: float


def fit(text: str, box: TextBox, typeface: Typeface, weight: int) -> TextLayout:
    """Return a layout that fits the box, with large type, even lines and good line breaks.

    A word is broken only if it doesn't fit at the smallest size. A text that doesn't fit at that
    size is cut and ends with an ellipsis.
    """
    breaker = _LineBreaker(text, typeface.at(_REFERENCE_SIZE, weight))
    good = _best(breaker, box, _GOOD)
    fair = _best(breaker, box, _FAIR)
    if good and fair:
        return fair if fair.size > good.size * _FAIR_GAIN else good
    found = fair or _best(breaker, box, FORBIDDEN - 1) or _best(breaker, box, FORBIDDEN)
    return found or _cut(breaker.lines(box.width / box.smallest, FORBIDDEN), box)


def _best(breaker: _LineBreaker, box: TextBox, worst: float) -> TextLayout | None:
    best: TextLayout | None = None
    best_score = 0.0
    for size in _sizes(box):
        lines = breaker.lines(box.width / size, worst)
        fits = len(lines) <= box.max_lines and len(lines) * size * box.leading <= box.height
        if lines and fits and (score := size * breaker.evenness(lines)) > best_score:
            best, best_score = TextLayout(lines=lines, size=size), score
    return best


def _cut(lines: tuple[str, ...], box: TextBox) -> TextLayout:
    room = max(1, min(box.max_lines, int(box.height / box.smallest / box.leading)))
    return TextLayout(lines=(*lines[: room - 1], lines[room - 1][:-1] + "…"), size=box.smallest)


def _sizes(box: TextBox) -> Iterator[float]:
    size = box.largest
    while size > box.smallest:
        yield size
        size *= _SIZE_STEP
    yield box.smallest


class _LineBreaker:
    """Breaks one text into lines; widths are in ems, so one measurement serves every size."""

    def __init__(self, text: str, font: ImageFont.FreeTypeFont) -> None:
        self._text = text
        self._font = font
        advances = (font.getlength(char) / _REFERENCE_SIZE for char in text)
        self._offsets = tuple(accumulate(advances, initial=0.0))
        self._breaks = breaks(text)

    def evenness(self, lines: tuple[str, ...]) -> float:
        """Return a score of 1 for lines of equal width, less if some are much shorter."""
        widths = [self._font.getlength(line) for line in lines]
        gaps = [(1 - width / max(widths)) ** 2 for width in widths]
        return 1 - _RAGGED_COST * sum(gaps) / len(gaps)

    def lines(self, width: float, worst: float) -> tuple[str, ...]:
        """Return the best lines of at most `width` ems, without breaks of a penalty above `worst`.

        An empty result means that there are none. Dynamic programming over all breaks minimises
        raggedness, penalties and the number of lines.
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
                cost += ((width - line) / width) ** 2 + _LINE_COST
                cost += ends.get(end, 0) * _BREAK_COST
                if end not in best or cost < best[end][0]:
                    best[end] = cost, (*cuts, end)
        if len(text) not in best:
            return ()
        cuts = best[len(text)][1]
        lines = (text[a:b].strip() for a, b in zip((0, *cuts), cuts, strict=False))
        return tuple(line for line in lines if line)

    def _width(self, start: int, end: int) -> float:
        last = end - 1 if self._text[end - 1] == " " else end
        return self._offsets[last] - self._offsets[start]
