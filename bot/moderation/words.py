"""The operator's list of blocked words and phrases, matched as whole words."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from bot.errors import StartupError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MOST_BYTES = 1024 * 1024
_MOST_PHRASES = 10_000
# Scripts without spaces: Thai to Tibetan, Burmese, Khmer, and those of Japanese and Chinese.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class BlockedWords:
    """Knows phrases in any spelling of theirs: case, width and invisible characters don't count.

    A phrase is found where it stands between the ends of words; in a script without spaces,
    anywhere.
    """

    def __init__(self, phrases: Iterable[str] = ()) -> None:
        self._phrases = frozenset(folded for phrase in phrases if (folded := _folded(phrase)))

    def __len__(self) -> int:
        return len(self._phrases)

    def check(self, *texts: str) -> None:
        """UserError: one of the texts has a blocked phrase in it; which, is not told."""
        for text in map(_folded, texts):
            if any(_stands_in(phrase, text) for phrase in self._phrases):
                raise UserError("prompt.blocked")


def load_words(path: Path) -> BlockedWords:
    """Read a file with a phrase a line; lines that begin with # are comments.

    StartupError: it can't be read, or is too large.
    """
    lines = (line.strip() for line in _read(path.expanduser()).splitlines())
    phrases = [line for line in lines if line and not line.startswith("#")]
    if len(phrases) > _MOST_PHRASES:
        raise StartupError(
            f"BLOCKED_WORDS_FILE: {path} has more than {_MOST_PHRASES} lines: shorten it."
        )
    return BlockedWords(phrases)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise StartupError(
                f"BLOCKED_WORDS_FILE: there is no file {path}: write one, a word or phrase a line."
            )
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise StartupError(
            f"BLOCKED_WORDS_FILE: {path} can't be read ({error.strerror}): let the bot read it."
        ) from error
    if len(content) > _MOST_BYTES:
        raise StartupError(f"BLOCKED_WORDS_FILE: {path} is larger than 1 MiB: shorten it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StartupError(
            f"BLOCKED_WORDS_FILE: {path} is not UTF-8 text: save it as that."
        ) from None


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    visible = (char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join("".join(visible).split())


def _stands_in(phrase: str, text: str) -> bool:
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        before, after = text[max(0, start - 1) : start], text[end : end + 1]
        if not (_are_one_word(before, phrase[0]) or _are_one_word(phrase[-1], after)):
            return True
        start = text.find(phrase, start + 1)
    return False


def _are_one_word(before: str, after: str) -> bool:
    """Tell whether two neighbours belong to one word, as far as spaces would show that."""
    return all(map(_is_of_a_word, (before, after)))


def _is_of_a_word(char: str) -> bool:
    return bool(char) and unicodedata.category(char)[0] in "LMN" and not _UNSPACED.match(char)
