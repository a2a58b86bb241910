"""Splits a prompt in any language into a title and a few further parts."""

# ruff: noqa: RUF001  # the punctuation of many scripts is the subject here

from __future__ import annotations

import math
import re
import unicodedata
from itertools import dropwhile

from bot.storyboard.drawing.line_breaks import breaks, columns, is_mark

_UNTITLED = "Untitled"
_MAX_CHARACTERS = 8000
_MAX_SCENES = 5
_SECONDS_PER_SCENE = 2
_TITLE_COLUMNS = 64
_PART_COLUMNS = 96
_EASY_COLUMNS = 38
_SHORTEST_HALF = 4
_MIN_LIST_ITEMS = 3
_GOOD_PENALTY = 1.0

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』）]*|\n")
_CLAUSE_END = re.compile(r"[,;:](?=\s)|[、，；：]|(?<=\s)[-–—](?=\s)")
_EDGE_CHARACTERS = " \n,;:-–—、，；："
# The general categories of what has no picture: format, surrogate, private use, unassigned.
_UNDRAWN = frozenset(("Cf", "Cs", "Co", "Cn"))


def clean(prompt: str) -> str:
    """Remove what can't be drawn from a prompt, and put single spaces; line breaks stay.

    These are control, format and private-use characters, and marks without a letter below them.
    """
    lines = unicodedata.normalize("NFC", prompt[:_MAX_CHARACTERS]).splitlines()
    cleaned = (" ".join(map(_without_lone_marks, _kept(line).split())) for line in lines)
    return "\n".join(" ".join(line.split()) for line in cleaned if line.strip())


def _kept(line: str) -> str:
    categories = ((char, unicodedata.category(char)) for char in line)
    return "".join(
        " " if category[0] in "CZ" else char
        for char, category in categories
        if category not in _UNDRAWN
    )


def _without_lone_marks(word: str) -> str:
    """Return a word without the marks at its start, which are 0 columns wide."""
    return "".join(dropwhile(is_mark, word))


def split_scenes(text: str, *, seconds: float) -> tuple[str, ...]:
    """Return 2 to 5 scenes, the title first; a shorter clip has fewer.

    `text` must already be cleaned by `clean`.
    """
    text = text or _UNTITLED
    part_count = max(1, min(_MAX_SCENES, int(seconds) // _SECONDS_PER_SCENE) - 1)
    ends = _ends(text, _SENTENCE_END)
    if len(ends) == 1 and columns(text) <= _TITLE_COLUMNS:
        return (_strip(text), *_repeat(text, part_count))
    title_end = _title_end(text, ends)
    rest = text[title_end:].strip()
    return (_strip(text[:title_end]), *_groups(rest, part_count))


def shorten(text: str, max_columns: int) -> str:
    """Return the text, cut and ended with an ellipsis if it is wider than `max_columns`."""
    text = _strip(text)
    if columns(text) <= max_columns:
        return text
    return text[: _cut(text, max_columns - 1)].rstrip(_EDGE_CHARACTERS + ".。") + "…"


def _ends(text: str, pattern: re.Pattern[str]) -> list[int]:
    found = [match.end() for match in pattern.finditer(text) if _is_end(text, match)]
    return [end for end in found if text[end:].strip()] + [len(text)]


def _is_end(text: str, match: re.Match[str]) -> bool:
    if is_mark(text[match.end() : match.end() + 1]):
        return False
    if not match[0].startswith("."):
        return True
    abbreviated = len(re.split(r"[\s.]", text[: match.start()])[-1]) <= 1
    return not abbreviated and not text[match.end() :].lstrip()[:1].islower()


def _title_end(text: str, sentence_ends: list[int]) -> int:
    """Return the index where the title ends: after a sentence, else a clause, else a word."""
    first = sentence_ends[0]
    if columns(text[:first]) <= _TITLE_COLUMNS and first < len(text):
        return first
    clauses = [end for end in _ends(text[:first], _CLAUSE_END) if end < first]
    fitting = [end for end in clauses if columns(text[:end]) <= _TITLE_COLUMNS]
    return fitting[-1] if fitting else _cut(text, _TITLE_COLUMNS)


def _cut(text: str, max_columns: int) -> int:
    """Return the last good break within `max_columns`, or a break inside an overlong word."""
    room = _prefix(text, max_columns)
    good = [i for i, penalty in breaks(text[: room + 1]).items() if penalty <= _GOOD_PENALTY]
    late = [i for i in good if i * 2 > room]
    return late[-1] if late else max(1, room)


def _prefix(text: str, max_columns: int) -> int:
    """Return the number of characters that fit in `max_columns`."""
    used = 0
    for index, char in enumerate(text):
        used += columns(char)
        if used > max_columns:
            return index
    return len(text)


def _repeat(text: str, part_count: int) -> tuple[str, ...]:
    """Return the parts of a short prompt to repeat: its list items, else its final phrase."""
    clauses = _slices(text, _ends(text, _CLAUSE_END))
    if len(clauses) < _MIN_LIST_ITEMS:
        clauses = _halves(max(clauses, key=columns))[-1:]
    return tuple(_strip(clause) for clause in clauses[-part_count:])


def _halves(text: str) -> list[str]:
    good = [
        index
        for index, penalty in breaks(text).items()
        if penalty <= _GOOD_PENALTY
        and min(columns(text[:index]), columns(text[index:])) >= _SHORTEST_HALF
    ]
    if not good:
        return [text]
    middle = min(good, key=lambda index: abs(columns(text[:index]) - columns(text[index:])))
    return [text[:middle], text[middle:]]


def _groups(text: str, part_count: int) -> tuple[str, ...]:
    """Group the clauses, in order, into up to `part_count` parts of about the same width."""
    if not columns(text):
        return ()
    ends = sorted({*_ends(text, _SENTENCE_END), *_ends(text, _CLAUSE_END)})
    pieces = [part for piece in _slices(text, ends) for part in _pieces(piece)]
    wanted = min(part_count, math.ceil(columns(text) / _EASY_COLUMNS))
    if len(pieces) < wanted:
        pieces = [half for piece in pieces for half in _halves(piece)]
    count = min(wanted, len(pieces))
    total = sum(map(columns, pieces))
    groups = [""] * count
    seen = 0
    for piece in pieces:
        middle = seen + columns(piece) / 2
        groups[min(count - 1, int(middle * count / total))] += piece
        seen += columns(piece)
    return tuple(shorten(group, _PART_COLUMNS) for group in groups if _strip(group))


def _pieces(piece: str) -> list[str]:
    """Cut a clause into pieces that each fit in one part."""
    parts: list[str] = []
    while columns(piece) > _PART_COLUMNS:
        end = _cut(piece, _PART_COLUMNS)
        parts.append(piece[:end])
        piece = piece[end:]
    return [*parts, piece]


def _slices(text: str, ends: list[int]) -> list[str]:
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _strip(text: str) -> str:
    return " ".join(text.split()).strip(_EDGE_CHARACTERS) or text.strip()
