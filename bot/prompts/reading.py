"""What can be seen of a prompt by its words: the language, and what is said already."""

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
_SPARSE = 5
_MOST_LINES = 3
_MOST_KINDS = 4
_MOST_TOPIC = 120
_LOOSE_ENDS = " \n.,;:!?¡¿。、！？…\"'“”„«»"  # noqa: RUF001 - as people type them


class DetailKind(StrEnum):
    """What a brief may say of a picture."""

    SETTING = "setting"
    CAMERA = "camera"
    LIGHT = "light"
    MOTION = "motion"
    STYLE = "style"


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """A language by its words, and the sentences that are added in it."""

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
    """What is known of a prompt; `language` is None where nothing can be said of it.

    `named` are the kinds that the person has spoken of. `asks`: it wants something explained,
    namely the `topic`, as far as that can be told. `rich`: there is nothing that it lacks.
    """

    language: Language | None
    named: frozenset[DetailKind] = frozenset()
    asks: bool = False
    topic: str | None = None
    rich: bool = False


class PromptReader:
    """Reads prompts by the word lists of its languages."""

    def __init__(self, languages: Iterable[Language], others: Mapping[str, frozenset[str]]) -> None:
        self._languages = {language.name: language for language in languages}
        self._others = others

    @classmethod
    def load(cls) -> PromptReader:
        """Read the lists in `words`."""
        tables = {path.stem: _table(path) for path in sorted(_FOLDER.glob("*.toml"))}
        others = {name: frozenset(_listed(words)) for name, words in tables.pop(_OTHERS).items()}
        return cls((_language(name, table) for name, table in tables.items()), others)

    def read(self, prompt: str) -> PromptReading:
        """Tell what a prompt says; of one in an unknown language, nothing."""
        text = _folded(prompt)
        language = self._language_of(text)
        if language is None:
            return PromptReading(language=None)
        named = frozenset(kind for kind, words in language.kinds.items() if words.search(text))
        is_long = len(prompt) > language.rich_characters or prompt.count("\n") >= _MOST_LINES
        return PromptReading(
            language=language,
            named=named,
            asks=_asks(language, text),
            topic=_topic(language, prompt),
            rich=is_long or len(named) >= _MOST_KINDS,
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
        if best == 0 or best * _SPARSE < len(words):
            return None  # few of many words may be names
        leading = [name for name, count in hits.items() if count == best]
        if len(leading) == 1:
            return self._languages.get(leading[0])
        return _only([self._languages[n] for n in leading if n in self._languages], text)


def _only(languages: Iterable[Language], text: str) -> Language | None:
    """Return the one language whose words for pictures stand in a text; None: there is none."""
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
    return text.rstrip().endswith("?") or bool(language.asks.search(_begun(text)))


def _topic(language: Language, prompt: str) -> str | None:
    text = _begun(" ".join(prompt.split()))
    for pattern in language.topics:
        if match := pattern.match(_straight(text)):
            topic = text[slice(*match.span(1))].strip(_LOOSE_ENDS)
            return topic if 0 < len(topic) <= _MOST_TOPIC else None
    return None


def _begun(text: str) -> str:
    """Return a text without what may stand before its first word."""
    opening = _OPENING.match(_straight(text))
    return text[opening.end() :] if opening else text


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_straight(folded).split())


def _straight(text: str) -> str:
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
