"""Sets text: chooses its line breaks, and the type size at which it fits a box.

Pillow draws lines, but does not break text into lines. Pango does both, but is a system library.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

from bot.storyboard.lettering.line_breaks import FORBIDDEN, HYPHENATED, breaks, word_breaks

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIZE_STEP = 0.94
_HYPHEN = "-"
# Tiers of layouts, from good to bad. The first number is the worst penalty of a line break that the
# tier allows. The second number is a factor: a layout is preferred to one of a better tier only if
# its type is larger by this factor.
_TIERS = ((1.5, 1.0), (2.5, 1.3), (HYPHENATED, 1.5), (FORBIDDEN, 1.8))
_RAGGED_COST = 1.5
_LINE_COST = 0.02
_BREAK_COST = 0.12


class Measure(Protocol):
    """Measures the width of text."""

    def advances(self, text: str) -> list[float]:
        """Return the width of each character in ems."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TextBox:
    """The area for a text in pixels, and the limits on its type size and its number of lines."""

    width: int
    height: int
    largest: float
    smallest: float
    max_lines: int
    leading: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TextLayout:
    """A text that is broken into lines, with its type size in pixels."""

    lines: tuple[str, ...]
    size: float


def fit(text: str, box: TextBox, measure: Measure) -> TextLayout:
    """Return a layout that fits the box, with large type, even lines and good line breaks.

    A long word is hyphenated or broken if the type would otherwise be much smaller. A text that
    doesn't fit at the smallest size is cut, and ends with an ellipsis.
    """
    breaker = _LineBreaker(text, measure)
    best: TextLayout | None = None
    for worst, gain in _TIERS:
        found = _best(breaker, box, worst)
        if found and (best is None or found.size > best.size * gain):
            best = found
    return best or _cut(breaker, box)


def _best(breaker: _LineBreaker, box: TextBox, worst: float) -> TextLayout | None:
    best: TextLayout | None = None
    best_score = 0.0
    for size in _sizes(box):
        lines = breaker.lines(box.width / size, worst)
        fits = len(lines) <= box.max_lines and len(lines) * size * box.leading <= box.height
        if lines and fits and (score := size * breaker.evenness(lines)) > best_score:
            best, best_score = TextLayout(lines=breaker.texts(lines), size=size), score
    return best


def _cut(breaker: _LineBreaker, box: TextBox) -> TextLayout:
    lines = breaker.texts(breaker.lines(box.width / box.smallest, FORBIDDEN))
    if not lines:  # the box is narrower than a letter
        return TextLayout(lines=("…",), size=box.smallest)
    room = max(1, min(box.max_lines, int(box.height / box.smallest / box.leading)))
    return TextLayout(lines=(*lines[: room - 1], lines[room - 1][:-1] + "…"), size=box.smallest)


def _sizes(box: TextBox) -> Iterator[float]:
    size = box.largest
    while size > box.smallest:
        yield size
        size *= _SIZE_STEP
    yield box.smallest


class _LineBreaker:
    """Breaks a text into lines.

    Widths are in ems, so the text is measured only once for all sizes.
    """

    def __init__(self, text: str, measure: Measure) -> None:
        self._text = text
        self._offsets = tuple(accumulate(measure.advances(text), initial=0.0))
        self._hyphen = sum(measure.advances(_HYPHEN))
        self._breaks = word_breaks(text) | breaks(text)

    def evenness(self, lines: tuple[tuple[int, int], ...]) -> float:
        """Return 1 for lines of equal width, or less if some lines are much shorter."""
        widths = [self._width(start, end) for start, end in lines]
        gaps = [(1 - width / max(widths)) ** 2 for width in widths]
        return 1 - _RAGGED_COST * sum(gaps) / len(gaps)

    def texts(self, lines: tuple[tuple[int, int], ...]) -> tuple[str, ...]:
        """Return the text of each line, with a hyphen if the line ends inside a word."""
        return tuple(
            self._text[start:end].strip() + (_HYPHEN if self._is_hyphenated(end) else "")
            for start, end in lines
        )

    def lines(self, width: float, worst: float) -> tuple[tuple[int, int], ...]:
        """Return the best lines of at most `width` ems.

        Breaks with a higher penalty than `worst` are not used. The result is empty if the text
        can't be broken that way.

        Dynamic programming over all breaks minimises raggedness, penalties and the number of lines.
        """
        ends = {
            index: penalty for index, penalty in sorted(self._breaks.items()) if penalty <= worst
        }
        best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
        first = 0
        for end in (*ends, len(self._text)):
            starts = [at for at in best if at >= first]
            for start in starts:
                line = self._width(start, end)
                if line > width:
                    # A line with this start and a later end would be even longer.
                    first = max(first, start + 1) if start == min(starts) else first
                    continue
                cost, cuts = best[start]
                cost += ((width - line) / width) ** 2 + _LINE_COST
                cost += ends.get(end, 0) * _BREAK_COST
                if end not in best or cost < best[end][0]:
                    best[end] = cost, (*cuts, end)
        if len(self._text) not in best:
            return ()
        cuts = best[len(self._text)][1]
        lines = zip((0, *cuts), cuts, strict=False)
        return tuple((start, end) for start, end in lines if self._text[start:end].strip())

    def _width(self, start: int, end: int) -> float:
        last = end - 1 if self._text[end - 1] == " " else end
        hyphen = self._hyphen if self._is_hyphenated(end) else 0.0
        return self._offsets[last] - self._offsets[start] + hyphen

    def _is_hyphenated(self, end: int) -> bool:
        return self._breaks.get(end) == HYPHENATED
