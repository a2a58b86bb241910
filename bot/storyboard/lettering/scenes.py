"""Divides a prompt in any language into scenes, the first of which is the title."""

# ruff: noqa: RUF001  # this module contains the punctuation of many scripts

from __future__ import annotations

import math
import re
import unicodedata
from itertools import dropwhile

from bot.storyboard.lettering.clusters import (
    clusters,
    columns,
    is_joint,
    is_mark,
    is_pictograph,
)
from bot.storyboard.lettering.line_breaks import breaks

_UNTITLED = "Untitled"
_MAX_CHARACTERS = 8000
_MAX_CLUSTER = 16  # no real letter or emoji has this many characters
_TITLE_COLUMNS = 64
_PART_COLUMNS = 96
_EASY_COLUMNS = 38
_SHORTEST_HALF = 4
_MIN_LIST_ITEMS = 3
_GOOD_PENALTY = 1.0
_SHORT_SECONDS = 15
_SHORT_SCENES = 5
_LONG_SCENES = 8

_SENTENCE_END = re.compile(r"[.!?…؟۔।։።]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』）]*|\n")
_CLAUSE_END = re.compile(r"[,;:،؛](?=\s)|[、，；：]|(?<=\s)[-–—](?=\s)")
_NUMBER = r"(?:\d{1,2}|[a-z])[.)]|[#№]\d+[.:]?"
_IS_NUMBER = re.compile(rf"\s*(?:{_NUMBER})\s*")
_ITEM = re.compile(r"(?:^|(?<=\s))(\d{1,2})[.)](?=\s)")
_EDGE_CHARACTERS = " \n,;:-–—、，；："
# Characters in these Unicode categories have no picture: format characters, surrogates, private use
# and unassigned characters.
_UNDRAWN = frozenset(("Cf", "Cs", "Co", "Cn"))


def clean(prompt: str) -> str:
    """Remove characters that can't be drawn, and replace several spaces with one.

    Line breaks are kept. Control, format and private-use characters are removed, and so are marks
    without a letter. If a letter or an emoji consists of very many characters, only the first ones
    are kept.
    """
    lines = unicodedata.normalize("NFC", prompt[:_MAX_CHARACTERS]).splitlines()
    cleaned = (" ".join(map(_with_room, _kept(line).split())) for line in lines)
    return "\n".join(" ".join(line.split()) for line in cleaned if line.strip())


def _kept(line: str) -> str:
    categories = ((char, unicodedata.category(char)) for char in line)
    return "".join(
        " " if category[0] in "CZ" and category not in _UNDRAWN else char
        for char, category in categories
        if category not in _UNDRAWN or is_joint(char) or is_pictograph(char)
    )


def _with_room(word: str) -> str:
    """Return a word without marks at its beginning, and with clusters of limited length."""
    begun = "".join(dropwhile(lambda char: is_mark(char) or is_joint(char), word))
    return "".join(cluster[:_MAX_CLUSTER] for cluster in clusters(begun))


def split_scenes(text: str, *, seconds: float) -> tuple[str, ...]:
    """Return 2 to 8 scenes, the first of which is the title. A short clip has fewer scenes.

    A scene ends at the end of a sentence, a line or a list item. `text` must be a result of
    `clean`.
    """
    text = text or _UNTITLED
    part_count = scene_count(seconds) - 1
    sentences = _sentences(text)
    if len(sentences) == 1 and columns(text) <= _TITLE_COLUMNS:
        return (_strip(text), *_repeat(text, part_count))
    title, rest = _title(sentences)
    return (_strip(title), *_groups(rest, part_count))


def scene_count(seconds: float) -> int:
    """Return the maximum number of scenes in a clip.

    A short clip has one scene for every 2 seconds, and a long clip one for every 3 seconds.
    """
    if seconds < _SHORT_SECONDS:
        return max(2, min(_SHORT_SCENES, int(seconds) // 2))
    return min(_LONG_SCENES, int(seconds) // 3)


def shorten(text: str, max_columns: int) -> str:
    """Shorten a text to at most `max_columns`, including an ellipsis.

    The text is cut after a sentence if possible, or else after a clause or a word.
    """
    text = _strip(text)
    if columns(text) <= max_columns:
        return text
    room = _prefix(text, max_columns - 1)
    for pattern in (_SENTENCE_END, _CLAUSE_END):
        ends = [end for end in _ends(text, pattern) if end <= room]
        if ends:
            kept = text[: ends[-1]].rstrip(_EDGE_CHARACTERS)
            return kept + (" …" if pattern is _SENTENCE_END else "…")
    return text[: _cut(text, max_columns - 1)].rstrip(_EDGE_CHARACTERS + ".。") + "…"


def _sentences(text: str) -> list[str]:
    ends = {*_ends(text, _SENTENCE_END), *_item_starts(text)}
    return [part for part in _slices(text, sorted(ends)) if part.strip()]


def _item_starts(text: str) -> list[int]:
    """Return the start of each item of a numbered list in a text. The numbers must begin with 1."""
    found: list[int] = []
    for match in _ITEM.finditer(text):
        if int(match[1]) == len(found) + 1:
            found.append(match.start())
    return [start for start in found if start] if len(found) > 1 else []


def _ends(text: str, pattern: re.Pattern[str]) -> list[int]:
    found: list[int] = []
    for match in pattern.finditer(text):
        start = found[-1] if found else 0
        if _is_end(text, match, start) and text[match.end() :].strip():
            found.append(match.end())
    return [*found, len(text)]


def _is_end(text: str, match: re.Match[str], start: int) -> bool:
    after = text[match.end() : match.end() + 1]
    if is_mark(after) or (after and is_joint(after)):
        return False
    if _IS_NUMBER.fullmatch(text[start : match.end()]):
        return False
    if not match[0].startswith("."):
        return True
    before = text[max(0, match.start() - 2) : match.start()]
    abbreviated = len(re.split(r"[\s.]", before)[-1]) <= 1
    return not abbreviated and not text[match.end() :].lstrip()[:1].islower()


def _title(sentences: list[str]) -> tuple[str, list[str]]:
    """Return the title and the remaining sentences.

    The title ends after a sentence, a clause or a word.
    """
    first, rest = sentences[0], sentences[1:]
    if columns(first) <= _TITLE_COLUMNS:
        return first, rest
    room = _prefix(first, _TITLE_COLUMNS)
    fitting = [end for end in _ends(first, _CLAUSE_END) if end <= room]
    end = fitting[-1] if fitting else _cut(first, _TITLE_COLUMNS)
    return first[:end], [first[end:], *rest]


def _cut(text: str, max_columns: int) -> int:
    """Return the last good position for a break within `max_columns`.

    If there is no good position, return a position inside a word.
    """
    room = _prefix(text, max_columns)
    good = [i for i, penalty in breaks(text[: room + 1]).items() if penalty <= _GOOD_PENALTY]
    late = [i for i in good if i * 2 > room]
    return late[-1] if late else max(1, room)


def _prefix(text: str, max_columns: int) -> int:
    """Return the number of characters that fit in `max_columns`, without dividing a cluster."""
    used = length = 0
    for cluster in clusters(text):
        used += columns(cluster)
        if used > max_columns:
            break
        length += len(cluster)
    return length or len(clusters(text)[0])


def _repeat(text: str, part_count: int) -> tuple[str, ...]:
    """Return the parts of a short prompt that the later scenes repeat.

    These are the items of a list, or the last phrase.
    """
    clauses = _slices(text, _ends(text, _CLAUSE_END))
    if len(clauses) < _MIN_LIST_ITEMS:
        clauses = _halves(max(clauses, key=columns))[-1:]
    return tuple(_strip(clause) for clause in clauses[-part_count:])


def _halves(text: str) -> list[str]:
    widths = _widths(text)
    whole = widths[len(text)]
    good = [
        index
        for index, penalty in breaks(text).items()
        if penalty <= _GOOD_PENALTY and _SHORTEST_HALF <= widths[index] <= whole - _SHORTEST_HALF
    ]
    if not good:
        return [text]
    middle = min(good, key=lambda index: abs(2 * widths[index] - whole))
    return [text[:middle], text[middle:]]


def _widths(text: str) -> dict[int, int]:
    """Return the width of the text before each cluster, keyed by the start of the cluster.

    The width of the whole text is included too, keyed by the end of the text.
    """
    found = {0: 0}
    end = width = 0
    for cluster in clusters(text):
        end, width = end + len(cluster), width + columns(cluster)
        found[end] = width
    return found


def _groups(sentences: list[str], part_count: int) -> tuple[str, ...]:
    """Divide sentences into up to `part_count` groups of about the same width, in their order."""
    width = sum(map(columns, sentences))
    if not width:
        return ()
    wanted = min(part_count, max(len(sentences), math.ceil(width / _EASY_COLUMNS)))
    pieces = sentences
    if width <= wanted * _PART_COLUMNS:
        # All of the text can be shown, so a long sentence may continue in the next scene.
        pieces = [
            part for piece in pieces for part in _pieces(piece, by_clause=wanted > len(sentences))
        ]
    if len(pieces) < wanted:
        pieces = [half for piece in pieces for half in _halves(piece)]
    groups = [""] * min(wanted, len(pieces))
    for index, piece in zip(_shares(pieces, len(groups)), pieces, strict=True):
        groups[index] += piece
    return tuple(shorten(group, _PART_COLUMNS) for group in groups if columns(_strip(group)))


def _shares(pieces: list[str], count: int) -> list[int]:
    """Return the index of each piece's group. No group is empty."""
    total = sum(map(columns, pieces)) or 1
    found: list[int] = []
    seen = 0
    for number, piece in enumerate(pieces):
        middle = seen + columns(piece) / 2
        even = min(count - 1, int(middle * count / total))
        least = count - (len(pieces) - number)
        most = found[-1] + 1 if found else 0
        found.append(min(max(even, least, 0), most))
        seen += columns(piece)
    return found


def _pieces(sentence: str, *, by_clause: bool) -> list[str]:
    """Cut a sentence into pieces, each of which fits in one scene."""
    ends = _ends(sentence, _CLAUSE_END) if by_clause else [len(sentence)]
    parts: list[str] = []
    for clause in _slices(sentence, ends):
        piece = clause
        while columns(piece) > _PART_COLUMNS:
            end = _cut(piece, _PART_COLUMNS)
            parts.append(piece[:end])
            piece = piece[end:]
        parts.append(piece)
    return parts


def _slices(text: str, ends: list[int]) -> list[str]:
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _strip(text: str) -> str:
    return " ".join(text.split()).strip(_EDGE_CHARACTERS) or text.strip()
