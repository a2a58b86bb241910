"""Finds the positions at which text in any script can be broken into lines.

uniseg and PyICU (UAX #14) are not used. They tell where a break is allowed, but not which break
reads best. BudouX tells which break reads best, but only for a few Asian languages.
"""

# ruff: noqa: RUF001  # this module contains the punctuation of many scripts

from __future__ import annotations

import unicodedata
from itertools import accumulate

from bot.storyboard.lettering.clusters import clusters, columns, is_pictograph

# By the Japanese rules (kinsoku), the first set of characters never begins a line, and the second
# set never ends a line.
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
# Thai, Lao, Burmese and Khmer have no spaces between words. A vowel that is written before its
# consonant begins a syllable, and often a word.
_WITHOUT_SPACES = (range(0x0E00, 0x0F00), range(0x1000, 0x10A0), range(0x1780, 0x1800))
_LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")

HYPHENATED = 6.0
"""The penalty for breaking a long word between two syllables, with a hyphen."""

FORBIDDEN = 9.0
"""The penalty for breaking a word anywhere else."""

_VOWELS = frozenset("aeiouyäöüåæøœàáâãèéêëìíîïòóôõùúûýаеёиоуыэюяіїєαεηιουωάέήίόύώ")
# These pairs of letters stand for one consonant.
_DIGRAPHS = frozenset(("ch", "ck", "ph", "th", "sh", "qu", "gn", "ll", "rr", "cz", "sz"))
_LONG_WORD = 12
_SHORTEST_PART = 4

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


def breaks(text: str) -> dict[int, float]:
    """Return the positions at which a text may be broken, each with a penalty.

    A position is the index of the character after the break. The best penalty is 0.
    """
    found: dict[int, float] = {}
    for index in list(accumulate(map(len, clusters(text))))[:-1]:
        penalty = _penalty(text, index)
        if penalty is not None:
            found[index] = penalty
    return found


def word_breaks(text: str) -> dict[int, float]:
    """Return the positions inside words at which a text may be broken if there is no other way."""
    allowed = breaks(text)
    found = {
        index: FORBIDDEN
        for index in list(accumulate(map(len, clusters(text))))[:-1]
        if index not in allowed and " " not in text[index - 1 : index + 1]
    }
    return found | dict.fromkeys(_syllables(text), HYPHENATED)


def _syllables(text: str) -> list[int]:
    """Return the positions at which long words may be hyphenated.

    These are the positions before a consonant that begins a syllable. This rule of thumb is used
    for all languages. A dictionary would require knowing the language of the text.
    """
    found: list[int] = []
    start = 0
    for word in text.lower().split(" "):
        for index in range(start + _SHORTEST_PART, start + len(word) - _SHORTEST_PART + 1):
            letters = text[index - 2 : index + 2].lower()
            if len(word) >= _LONG_WORD and letters.isalpha() and _starts_syllable(letters):
                found.append(index)
        start += len(word) + 1
    return found


def _starts_syllable(letters: str) -> bool:
    """Tell whether a syllable begins between the second and the third of four letters."""
    before, after = letters[1], letters[2:]
    if before + after[0] in _DIGRAPHS or letters[:2] == "sc":
        return False
    consonant_vowel = after[0] not in _VOWELS and after[1] in _VOWELS
    digraph = after in _DIGRAPHS
    return consonant_vowel or (digraph and before in _VOWELS)


def _penalty(text: str, index: int) -> float | None:
    before, after = text[index - 1], text[index]
    if after == " ":
        return None
    if before == " ":
        return _after_space(text, index)
    if after in _NEVER_FIRST or before in _NEVER_LAST:
        return None
    if before in _JOINERS and index > 1 and text[index - 2].isalnum() and after.isalpha():
        return 0.5
    if any(ord(after) in block for block in _WITHOUT_SPACES):
        return 2.5 if after in _LEADING_VOWELS else 5.0
    return _between_scripts(_script(before), _script(after), pause=before in _PAUSE_MARKS)


def _between_scripts(before: str, after: str, *, pause: bool) -> float | None:
    if before == after == "word":
        return None
    return 0.0 if pause else _PENALTIES.get((before, after), 0.8)


def _after_space(text: str, index: int) -> float:
    word = text[: index - 1].rsplit(" ", 1)[-1]
    if word and not word[-1].isalnum():
        return 0.0
    # A preposition or an article should stay with the word that follows it.
    return 0.6 if columns(word) <= _SHORT_WORD_COLUMNS else 0.1


def _script(char: str) -> str:
    code = ord(char)
    if is_pictograph(char):
        return "emoji"
    if code in _HIRAGANA:
        return "kana"
    if code in _KATAKANA:
        return "katakana"
    if code in _HANGUL:
        return "word"  # Korean is written with spaces
    return "kanji" if unicodedata.east_asian_width(char) in "WF" else "word"
