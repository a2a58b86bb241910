"""Finds where text in any script can be broken into lines, and measures its width in columns.

Written by hand: uniseg and PyICU (UAX #14) tell where a break is allowed, but not which break reads
best. BudouX does, but only for a few Asian languages.
"""

# ruff: noqa: RUF001  # the punctuation of many scripts is the subject here

from __future__ import annotations

import unicodedata

# Kinsoku: characters that Japanese never puts at the start or the end of a line.
_NEVER_FIRST = frozenset(
    "、。，．,.!?！？…‥・:;：；)]}）］｝」』】〉》〕”’»%％々ー〜～"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
)
_NEVER_LAST = frozenset("([{（［｛「『【〈《〔“‘«„¿¡$¥€£#＃")
_PAUSE_MARKS = frozenset("、。，．！？：；")
_HIRAGANA = range(0x3040, 0x30A0)
_KATAKANA = range(0x30A0, 0x3100)
_HANGUL = range(0xAC00, 0xD7B0)
_SHORT_WORD_COLUMNS = 2  # as in "of", "в" and "zu"
_JOINERS = frozenset("-–—/")

FORBIDDEN = 9.0
"""The penalty for breaking a word, which is done only if the word is wider than a line."""

_PENALTIES = {
    ("kana", "kanji"): 0.3,
    ("kana", "katakana"): 0.3,
    ("kana", "kana"): 2.0,
    ("kanji", "kanji"): 2.0,
    ("kanji", "katakana"): 1.0,
    ("katakana", "kanji"): 1.0,
    ("kanji", "kana"): 4.0,
    ("katakana", "kana"): 4.0,
    ("katakana", "katakana"): 5.0,
}


def columns(text: str) -> int:
    """Return the width of a text: 2 for each wide character, 0 for combining marks, else 1."""
    return sum(_columns_of(char) for char in text)


def is_mark(char: str) -> bool:
    """Tell whether a character is drawn on the one before it; False for an empty string."""
    return unicodedata.category(char).startswith("M") if char else False


def _columns_of(char: str) -> int:
    if is_mark(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def breaks(text: str) -> dict[int, float]:
    """Return the indexes before which the text may be broken, each with a penalty (0 is best)."""
    found: dict[int, float] = {}
    for index in range(1, len(text)):
        penalty = _penalty(text, index)
        if penalty is not None:
            found[index] = penalty
    return found


def _penalty(text: str, index: int) -> float | None:
    before, after = text[index - 1], text[index]
    if after == " " or is_mark(after):
        return None
    if before == " ":
        return _after_space(text, index)
    if after in _NEVER_FIRST or before in _NEVER_LAST:
        return None
    if before in _JOINERS and index > 1 and text[index - 2].isalnum() and after.isalpha():
        return 0.5
    return _between_scripts(_script(before), _script(after), pause=before in _PAUSE_MARKS)


def _between_scripts(before: str, after: str, *, pause: bool) -> float | None:
    if before == after == "word":
        return None
    return 0.0 if pause else _PENALTIES.get((before, after), 0.8)


def _after_space(text: str, index: int) -> float:
    word = text[: index - 1].rsplit(" ", 1)[-1]
    if word and not word[-1].isalnum():
        return 0.0
    # A preposition or an article belongs to the word after it.
    return 0.6 if columns(word) <= _SHORT_WORD_COLUMNS else 0.1


def _script(char: str) -> str:
    code = ord(char)
    if code in _HIRAGANA:
        return "kana"
    if code in _KATAKANA:
        return "katakana"
    if code in _HANGUL:
        return "word"  # Korean is written with spaces
    return "kanji" if unicodedata.east_asian_width(char) in "WF" else "word"
