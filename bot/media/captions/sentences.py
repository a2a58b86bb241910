"""Splits a text into its sentences, and long sentences into parts that fit on the picture."""

from __future__ import annotations

import math
import re
import unicodedata

# A sentence ends at a mark that a space follows, at a mark of a script without spaces, or at the
# end of a line. A closing quote still belongs to the sentence.
_CLOSING = "\"'”’»)\\]」』）"  # noqa: RUF001 - closing marks of other scripts
_END = re.compile(
    rf"(?:[.!?…؟۔।॥]+[{_CLOSING}]*(?=\s)|[。！？｡]+[{_CLOSING}]*|(?=\n))\s*"  # noqa: RUF001
)
# After these, a full stop ends no sentence: "Dr. Who", "z. B.", "am 3. Oktober".
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:\w|\d{1,2}|bzw|ca|dr|etc|jr|mr|mrs|ms|nr|prof|sr|st|vgl|vs)\.\Z", re.IGNORECASE
)
_MAX_COLUMNS = 84  # two lines of subtitles
_CLAUSE_END = re.compile(
    r"(?<=[,;:–—،؛])\s+|(?<=[、，；：])"  # noqa: RUF001 - marks of other scripts
)
_BREAKS = (_CLAUSE_END, re.compile(r"\s+"))
_WIDE = frozenset("WF")
_JOINER = "\u200d"
_NOT_FIRST = frozenset("、。，．！？；：」』）…ー")  # noqa: RUF001 - of other scripts


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text. Marks without a word belong to the sentence before them."""
    sentences: list[str] = []
    start = 0
    for found in _END.finditer(text):
        if _goes_on(text[start : found.end()].rstrip(), text[found.end() :]):
            continue
        _add(sentences, text[start : found.end()])
        start = found.end()
    _add(sentences, text[start:])
    return sentences


def split_clauses(sentence: str) -> list[str]:
    """Return the parts of a sentence between which a voice is likely to pause."""
    return [clause for clause in _CLAUSE_END.split(sentence) if clause]


def _goes_on(sentence: str, rest: str) -> bool:
    """Return whether a sentence goes on after what looks like its end."""
    return bool(_ABBREVIATED.search(sentence)) or (sentence.endswith(".") and rest[:1].islower())


def _add(sentences: list[str], text: str) -> None:
    words = " ".join(text.split())
    if not words:
        return
    has_word = any(map(str.isalnum, words))
    if sentences and not (has_word and any(map(str.isalnum, sentences[-1]))):
        sentences[-1] += f" {words}"
    else:
        sentences.append(words)


def spoken_weight(text: str) -> float:
    """Return the time that it takes to speak a text. The unit is one letter of the Latin script."""
    return sum(map(_weight, text)) or 1.0


def _weight(character: str) -> float:
    if character.isdigit():
        return 4.0
    if not character.isalpha():
        return 0.0
    if unicodedata.east_asian_width(character) not in _WIDE:
        return 1.0
    return 3.0 if "IDEOGRAPH" in unicodedata.name(character, "") else 2.0


def split_to_fit(text: str) -> list[str]:
    """Split a text into parts of about the same width, each of two lines of subtitles at most."""
    parts: list[str] = []
    text = " ".join(text.split())
    while (columns := _columns(text)) > _MAX_COLUMNS:
        count = math.ceil(columns / _MAX_COLUMNS)
        at = _break_before(text, _position(text, columns / count * 1.1))
        parts.append(text[:at].strip())
        text = text[at:].strip()
    return [*parts, text] if text else parts


def _columns(text: str) -> int:
    return sum(map(_column, text))


def _column(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def _position(text: str, columns: float) -> int:
    """Return the last position in a text before which the text is at most `columns` wide."""
    left = min(columns, _MAX_COLUMNS)
    for position, character in enumerate(text):
        left -= _column(character)
        if left < 0:
            return position
    return len(text)


def _break_before(text: str, end: int) -> int:
    """Return the best position to break a text, but none after `end`.

    The end of a clause is best, then the end of a word, and then the end of a character.
    """
    for pattern in _BREAKS:
        found = [match.end() for match in pattern.finditer(text, 0, end + 1)]
        if found and (at := min(found[-1], end)) > end // 2:
            return at
    for at in range(end, end // 2, -1):
        if not _is_inside(text, at):
            return at
    return max(end, 1)


def _is_inside(text: str, at: int) -> bool:
    """Return whether a position is inside of what readers see as one character."""
    following = text[at : at + 1]
    return (
        unicodedata.category(following or " ").startswith("M")
        or _JOINER in {text[at - 1], following}
        or "\U0001f3fb" <= following <= "\U0001f3ff"  # the colour of a skin
        or _is_flag(text, at)
        or following in _NOT_FIRST
    )


def _is_flag(text: str, at: int) -> bool:
    """Return whether a position is between the two letters of a flag."""
    before = 0
    while at - before > 0 and "\U0001f1e6" <= text[at - before - 1] <= "\U0001f1ff":
        before += 1
    return before % 2 == 1 and "\U0001f1e6" <= text[at : at + 1] <= "\U0001f1ff"
