"""Divides text into clusters: characters that are drawn together, such as a letter with its marks.

Libraries for UAX #29 are not used. They split Indic conjuncts or contain tables of their own. The
clusters of this module are also chosen so that a line may be broken between any two of them.
"""

from __future__ import annotations

import unicodedata

ZERO_WIDTH_NON_JOINER = "\u200c"
ZERO_WIDTH_JOINER = "\u200d"
_TEXT_STYLE = "\ufe0e"
_EMOJI_STYLE = "\ufe0f"
_STYLES = frozenset((_TEXT_STYLE, _EMOJI_STYLE))
_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_TAGS = range(0xE0020, 0xE0080)
_PICTOGRAPHS = range(0x1F000, 0x1FB00)
_VIRAMA = 9  # the combining class of the sign that joins two Indic letters
# Unicode classifies these characters as letters, but they are drawn on the previous letter: the
# vowel AM of Thai and Lao, and the voicing marks of half-width katakana.
_ATTACHED = frozenset("\u0e33\u0eb3\uff9e\uff9f")


def is_mark(char: str) -> bool:
    """Tell whether a character is drawn on the previous one. Returns False for ""."""
    return unicodedata.category(char).startswith("M") if char else False


def is_pictograph(char: str) -> bool:
    """Tell whether a character is an emoji, even if it is newer than Python's Unicode tables."""
    return ord(char) in _PICTOGRAPHS


def is_joint(char: str) -> bool:
    """Tell whether a character is invisible, but changes how its neighbours are drawn."""
    return (
        char in _STYLES or char in (ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER) or ord(char) in _TAGS
    )


def is_emoji(cluster: str) -> bool:
    """Tell whether a cluster is drawn as an emoji rather than as text."""
    if _TEXT_STYLE in cluster:
        return False
    first = cluster[0]
    wide_symbol = unicodedata.category(first) == "So" and unicodedata.east_asian_width(first) == "W"
    return _EMOJI_STYLE in cluster or is_pictograph(first) or wide_symbol


def clusters(text: str) -> list[str]:
    """Divide a text into clusters. Joined together, they are the text again."""
    found: list[str] = []
    for char in text:
        if found and _joins(found[-1], char):
            found[-1] += char
        else:
            found.append(char)
    return found


def _joins(cluster: str, char: str) -> bool:
    last = cluster[-1]
    if last.isspace() or char.isspace():
        return False
    if is_mark(char) or is_joint(char) or char in _ATTACHED or ord(char) in _TONES:
        return True
    if last == ZERO_WIDTH_JOINER:
        return True
    if ord(char) in _FLAG_LETTERS:
        return len(cluster) == 1 and ord(cluster) in _FLAG_LETTERS
    return unicodedata.combining(last) == _VIRAMA and unicodedata.category(char) == "Lo"


def columns(text: str) -> int:
    """Return the width of a text in columns.

    A wide cluster takes 2 columns, a mark without a letter 0, and any other cluster 1.
    """
    return sum(_columns_of(cluster) for cluster in clusters(text))


def _columns_of(cluster: str) -> int:
    first = cluster[0]
    if is_mark(first) or unicodedata.category(first) == "Cf":
        return 0
    return 2 if is_emoji(cluster) or unicodedata.east_asian_width(first) in "WF" else 1
