"""Sets text: in which face, with which glyphs, where lines break, and which size fits a box.

Only to be imported off the event loop: it loads Pillow and the fonts.
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

_REFERENCE = 100
_NOT_A_CHARACTER = "\U0010ffff"
_STEP = 0.94
_GOOD = 1.5
_FAIR = 2.5
_FAIR_GAIN = 1.3
_RAGGED_COST = 1.5
_LINE_COST = 0.02
_BREAK_COST = 0.12


@dataclass(frozen=True, kw_only=True, slots=True)
class Typeface:
    """A variable font file: `index` is the face in it, `widths` the axes after its weight."""

    path: Path
    index: int = 0
    widths: tuple[int, ...] = ()

    def at(self, size: float, weight: int) -> ImageFont.FreeTypeFont:
        """Return the face at a size in pixels and a weight, 100 to 900."""
        face = ImageFont.truetype(str(self.path), size, index=self.index)
        face.set_variation_by_axes([weight, *self.widths])
        return face

    def drawable(self, text: str) -> str:
        """Return the text without the characters that the face has no glyph for."""
        face = self.at(_REFERENCE, 400)
        missing = _shape(_NOT_A_CHARACTER, face)

        @cache
        def has_glyph(char: str) -> bool:
            return char.isspace() or _shape(char, face) != missing

        return "".join(char for char in text if has_glyph(char))


def _shape(char: str, face: ImageFont.FreeTypeFont) -> bytes:
    picture = Image.new("L", (_REFERENCE * 2, _REFERENCE * 2))
    ImageDraw.Draw(picture).text((0, 0), char, font=face, fill=255)
    return picture.tobytes()


def choose_typeface(text: str) -> Typeface:
    """Return the face that can draw the most of a text.

    Noto Sans CJK has Japanese, Western European and Russian letters; Noto Sans, where it is
    installed, all of Latin, Cyrillic and Greek.
    """
    return max(_typefaces(), key=lambda typeface: len(typeface.drawable(text)))


def _typefaces() -> Iterator[Typeface]:
    """Yield the faces; of two that can draw the same, the first is taken."""
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
    """The room for a text, in pixels, and the bounds of its type."""

    width: int
    height: int
    largest: float
    smallest: float
    most_lines: int
    leading: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TextLayout:
    """A text broken into lines, at a size in pixels."""

    lines: tuple[str, ...]
    size: float


def fit(text: str, box: TextBox, typeface: Typeface, weight: int) -> TextLayout:
    """Return a large and even setting of a text that fits its box and breaks well.

    A word is broken only if it can't be set small enough; what does not fit at the smallest size
    ends with an ellipsis.
    """
    ruler = _Ruler(text, typeface.at(_REFERENCE, weight))
    good = _best(ruler, box, _GOOD)
    fair = _best(ruler, box, _FAIR)
    if good and fair:
        return fair if fair.size > good.size * _FAIR_GAIN else good
    found = fair or _best(ruler, box, FORBIDDEN - 1) or _best(ruler, box, FORBIDDEN)
    return found or _cut(ruler.lines(box.width / box.smallest, FORBIDDEN), box)


def _best(ruler: _Ruler, box: TextBox, worst: float) -> TextLayout | None:
    best: TextLayout | None = None
    most = 0.0
    for size in _sizes(box):
        lines = ruler.lines(box.width / size, worst)
        fits = len(lines) <= box.most_lines and len(lines) * size * box.leading <= box.height
        if lines and fits and (score := size * ruler.evenness(lines)) > most:
            best, most = TextLayout(lines=lines, size=size), score
    return best


def _cut(lines: tuple[str, ...], box: TextBox) -> TextLayout:
    room = max(1, min(box.most_lines, int(box.height / box.smallest / box.leading)))
    return TextLayout(lines=(*lines[: room - 1], lines[room - 1][:-1] + "…"), size=box.smallest)


def _sizes(box: TextBox) -> Iterator[float]:
    size = box.largest
    while size > box.smallest:
        yield size
        size *= _STEP
    yield box.smallest


class _Ruler:
    """Breaks one text; widths are in ems, so that one measuring serves every size."""

    def __init__(self, text: str, face: ImageFont.FreeTypeFont) -> None:
        self._text = text
        self._face = face
        advances = (face.getlength(char) / _REFERENCE for char in text)
        self._offsets = tuple(accumulate(advances, initial=0.0))
        self._breaks = breaks(text)

    def evenness(self, lines: tuple[str, ...]) -> float:
        """Return how even the lines are: 1, or less if some are much shorter than the longest."""
        widths = [self._face.getlength(line) for line in lines]
        gaps = [(1 - width / max(widths)) ** 2 for width in widths]
        return 1 - _RAGGED_COST * sum(gaps) / len(gaps)

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
