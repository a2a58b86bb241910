"""Finds out the language of a prompt and the details that it names, by means of word lists."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FOLDER = Path(__file__).parent / "words"
_OTHERS = "others"
_WORD = re.compile(r"[^\W\d_]+")
_KANA = re.compile(r"[\u3041-\u309f\u30a0-\u30ff\uff66-\uff9f]")
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[a-z\u00df-\u024f]")
_JAPANESE = "ja"
_OPENING = re.compile(
    r"[\s¿¡\"'“„«»(\[]*(?:(?:please|bitte|por favor|s'il te plaît)[,:]? )?", re.IGNORECASE
)
_WORDS_PER_HIT = 5
_RICH_LINES = 3
_RICH_KINDS = 4
_MAX_TOPIC = 120
_TRIMMED = " \n.,;:!?¡¿。、！？…\"'“”„«»"  # noqa: RUF001 - as people type them


class DetailKind(StrEnum):
    """A kind of detail that a prompt may name. A prompt writer may add a detail that is missing."""

    SETTING = "setting"
    CAMERA = "camera"
    LIGHT = "light"
    MOTION = "motion"
    STYLE = "style"


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """The word lists of a language, and its sentences that can be added to prompts.

    The file `words/en.toml` explains each field.
    """

    name: str
    common: frozenset[str]
    asks: re.Pattern[str]
    topics: tuple[re.Pattern[str], ...]
    kinds: Mapping[DetailKind, re.Pattern[str]]
    question: Mapping[str, str]
    scene: Mapping[str, str]
    rich_characters: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptReading:
    """The result of analysing a prompt.

    `language`: the language of the prompt, or None if it is unknown.
    `named`: the kinds of details that the prompt names.
    `asks`: whether the prompt asks for an explanation. `topic`: the topic to explain, if found.
    `rich`: whether the prompt is so detailed that nothing is added.
    """

    language: Language | None
    named: frozenset[DetailKind] = frozenset()
    asks: bool = False
    topic: str | None = None
    rich: bool = False


class PromptReader:
    """Analyses prompts with the word lists of `languages`.

    `others`: the common words of other languages, by the name of the language. Prompts in these
    languages are not analysed.
    """

    def __init__(self, languages: Iterable[Language], others: Mapping[str, frozenset[str]]) -> None:
        self._languages = {language.name: language for language in languages}
        self._others = others

    @classmethod
    def load(cls) -> PromptReader:
        """Load the word lists in the folder `words`."""
        tables = {path.stem: _table(path) for path in sorted(_FOLDER.glob("*.toml"))}
        others = {name: frozenset(_listed(words)) for name, words in tables.pop(_OTHERS).items()}
        return cls((_language(name, table) for name, table in tables.items()), others)

    def read(self, prompt: str) -> PromptReading:
        """Analyse a prompt. If its language is unknown, the result is empty."""
        text = _folded(prompt)
        language = self._language_of(text)
        if language is None:
            return PromptReading(language=None)
        named = frozenset(kind for kind, words in language.kinds.items() if words.search(text))
        is_long = len(prompt) > language.rich_characters or prompt.count("\n") >= _RICH_LINES
        return PromptReading(
            language=language,
            named=named,
            asks=_asks(language, text),
            topic=_topic(language, prompt),
            rich=is_long or len(named) >= _RICH_KINDS,
        )

    def _language_of(self, text: str) -> Language | None:
        if _is_japanese(text):
            return self._languages[_JAPANESE]
        words = _WORD.findall(text)
        known = {name: language.common for name, language in self._languages.items()}
        hits = {
            name: sum(word in common for word in words)
            for name, common in (known | dict(self._others)).items()
        }
        best = max(hits.values())
        if best == 0 or best * _WORDS_PER_HIT < len(words):
            return None  # so few of the words match that they may just be names
        leading = [name for name, count in hits.items() if count == best]
        if len(leading) == 1:
            return self._languages.get(leading[0])
        return _only_match([self._languages[n] for n in leading if n in self._languages], text)


def _only_match(languages: Iterable[Language], text: str) -> Language | None:
    """Return the language if the text has words for details of exactly one language.

    Returns None otherwise.
    """
    found = [
        language
        for language in languages
        if any(words.search(text) for words in language.kinds.values())
    ]
    return found[0] if len(found) == 1 else None


def _is_japanese(text: str) -> bool:
    kana = len(_KANA.findall(text))
    return kana > 0 and kana + len(_IDEOGRAPH.findall(text)) >= len(_LATIN.findall(text))


def _asks(language: Language, text: str) -> bool:
    return text.rstrip().endswith("?") or bool(language.asks.search(_without_opening(text)))


def _topic(language: Language, prompt: str) -> str | None:
    text = _without_opening(" ".join(prompt.split()))
    for pattern in language.topics:
        if match := pattern.match(_straight_quotes(text)):
            topic = text[slice(*match.span(1))].strip(_TRIMMED)
            return topic if 0 < len(topic) <= _MAX_TOPIC else None
    return None


def _without_opening(text: str) -> str:
    """Remove punctuation and a "please" from the beginning of a text."""
    opening = _OPENING.match(_straight_quotes(text))
    return text[opening.end() :] if opening else text


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_straight_quotes(folded).split())


def _straight_quotes(text: str) -> str:
    return text.replace("’", "'")  # noqa: RUF001 - as people type it


def _table(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def _language(name: str, table: Mapping[str, Any]) -> Language:
    spaced = bool(table.get("spaced", True))
    kinds = cast("Mapping[str, str]", table["kinds"])
    asks = _any_of(_listed(table["asks"]), spaced=spaced)
    return Language(
        name=name,
        common=frozenset(_listed(table["common"])),
        asks=re.compile(rf"^(?:{asks})" if spaced else asks),
        topics=tuple(re.compile(topic, re.IGNORECASE) for topic in table["topics"]),
        kinds={
            kind: re.compile(_any_of(_listed(kinds[kind]), spaced=spaced)) for kind in DetailKind
        },
        question=table["question"],
        scene=table["scene"],
        rich_characters=int(table["rich_characters"]),
    )


def _listed(words: str) -> list[str]:
    return [_folded(word) for word in words.split(",") if word.strip()]


def _any_of(words: Iterable[str], *, spaced: bool) -> str:
    patterns = (re.escape(word).replace(r"\*", r"\w*") for word in words)
    joined = "|".join(patterns)
    return rf"(?<!\w)(?:{joined})(?!\w)" if spaced else joined
