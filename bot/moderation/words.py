"""The operator's list of blocked words and phrases, which are matched as whole words."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from bot.errors import StartupError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MAX_BYTES = 1024 * 1024
_MAX_PHRASES = 10_000
# A comment begins at the start of a line or after a space. A # inside a word belongs to the word.
_COMMENT = re.compile(r"(?:^|\s)#.*")
# The scripts that are written without spaces between words: those from Thai to Tibetan, Burmese,
# Khmer, Japanese and Chinese.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class BlockedWords:
    """Finds blocked phrases in texts, ignoring case, character width and invisible characters.

    A phrase matches only whole words. In a script without spaces, it matches anywhere.
    """

    def __init__(self, phrases: Iterable[str] = ()) -> None:
        self._phrases = frozenset(folded for phrase in phrases if (folded := _folded(phrase)))

    def __len__(self) -> int:
        return len(self._phrases)

    def check(self, *texts: str) -> None:
        """Raise UserError if a text contains a blocked phrase.

        The error doesn't name the phrase.
        """
        for text in map(_folded, texts):
            if any(_contains(text, phrase) for phrase in self._phrases):
                raise UserError("prompt.blocked")


def load_words(path: Path) -> BlockedWords:
    """Read a file with one phrase per line. A comment begins with #, and may follow a phrase.

    Raises StartupError if the file can't be read or is too large.
    """
    lines = (_COMMENT.sub("", line).strip() for line in _read(path).splitlines())
    phrases = [line for line in lines if line]
    if len(phrases) > _MAX_PHRASES:
        raise StartupError(
            f"BLOCKED_WORDS_FILE: {path} has more than {_MAX_PHRASES} phrases: shorten it."
        )
    return BlockedWords(phrases)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise StartupError(
                f"BLOCKED_WORDS_FILE: there is no file {path}: "
                "create it, with one word or phrase per line."
            )
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise StartupError(
            f"BLOCKED_WORDS_FILE: {path} can't be read ({error.strerror}): "
            "give the bot read permission."
        ) from error
    if len(content) > _MAX_BYTES:
        raise StartupError(f"BLOCKED_WORDS_FILE: {path} is larger than 1 MiB: shorten it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StartupError(
            f"BLOCKED_WORDS_FILE: {path} is not UTF-8 text: save it as UTF-8."
        ) from None


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    visible = (char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join("".join(visible).split())


def _contains(text: str, phrase: str) -> bool:
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        before, after = text[max(0, start - 1) : start], text[end : end + 1]
        if not (_in_one_word(before, phrase[0]) or _in_one_word(phrase[-1], after)):
            return True
        start = text.find(phrase, start + 1)
    return False


def _in_one_word(left: str, right: str) -> bool:
    """Return whether two adjacent characters belong to the same word."""
    return _is_word_character(left) and _is_word_character(right)


def _is_word_character(char: str) -> bool:
    return bool(char) and unicodedata.category(char)[0] in "LMN" and not _UNSPACED.match(char)
