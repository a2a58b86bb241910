"""The sentences that people read, by key and language.

Babel is not used, because the supported languages need only one plural rule and two number
separators.
"""

from __future__ import annotations

import string
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT = "en"
# The plural categories that Unicode CLDR defines.
_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})


@dataclass(frozen=True, slots=True)
class Plural:
    """A sentence in several plural forms. `by` names the field whose number chooses the form."""

    by: str
    forms: Mapping[str, str]

    def form(self, count: object) -> str:
        """Return the plural form for a number.

        A language with more plural forms, such as Polish, would need a rule of its own here.
        """
        return self.forms["one" if count == 1 and "one" in self.forms else "other"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A Unix time in a sentence. Discord shows it relative to the present."""

    at: int

    def __str__(self) -> str:
        """Return Discord's markup for a relative time, such as "in 5 minutes"."""
        return f"<t:{self.at}:R>"


@dataclass(frozen=True, slots=True)
class Dollars:
    """An amount of US dollars in a sentence. It is shown with cents."""

    amount: float


class Numerals(string.Formatter):
    """Fills in the fields of a sentence, and formats numbers for the sentence's language."""

    def __init__(self, *, decimal: str, group: str, dollars: str) -> None:
        self._separators = str.maketrans({".": decimal, ",": group})
        self._dollars = dollars

    def format_field(self, value: object, format_spec: str) -> str:
        """Format a value. Numbers get at most one decimal place."""
        if isinstance(value, Dollars):
            return self._dollars.format(amount=f"{value.amount:,.2f}".translate(self._separators))
        if isinstance(value, int | float) and not format_spec:
            number = f"{round(value, 1):,}".removesuffix(".0")
            return number.translate(self._separators)
        return format(value, format_spec)


class Texts:
    """The sentences in all languages. Call an instance with a key to get a sentence."""

    def __init__(self, sentences: Mapping[str, Mapping[str, str | Plural]]) -> None:
        self._sentences = sentences
        self._numerals = {
            language: Numerals(
                decimal=str(table.get("format.decimal", ".")),
                group=str(table.get("format.group", ",")),
                dollars=str(table.get("format.dollars", "${amount}")),
            )
            for language, table in sentences.items()
        }

    @classmethod
    def load(cls) -> Texts:
        """Read the sentences from `bot/locales`, which has one TOML file for each language."""
        folder = Path(__file__).parent / "locales"
        return cls({path.stem: _read(path) for path in sorted(folder.glob("*.toml"))})

    def __call__(self, key: str, locale: str = _DEFAULT, **fields: object) -> str:
        """Return the sentence for a key, in the language that is nearest to `locale`.

        If that language lacks the sentence, it is returned in English. Raises KeyError for an
        unknown key.

        Numbers are formatted for the language, so pass an id as a string.
        """
        language = self.nearest(locale)
        if key not in self._sentences[language]:
            language = _DEFAULT
        sentence = self._sentences[language][key]
        if isinstance(sentence, Plural):
            sentence = sentence.form(fields[sentence.by])
        return self._numerals[language].vformat(sentence, (), fields)

    def explain(self, key: str, locale: str, fields: Mapping[str, object]) -> str:
        """Return the sentence that explains an error.

        A file type in the field `found` is translated too.
        """
        word = f"found.{str(fields.get('found')).lower()}"
        if word in self.keys():
            fields = {**fields, "found": self(word, locale)}
        return self(key, locale, **fields)

    def unfilled(self, key: str, locale: str) -> str:
        """Return a sentence whose placeholders are not filled in. Plurals are not supported."""
        language = self.nearest(locale)
        return str(self._sentences[language].get(key) or self._sentences[_DEFAULT][key])

    def translations(self, key: str) -> dict[str, str]:
        """Return the translations of a sentence, keyed by language.

        English is left out. The sentence must not have fields.
        """
        others = self._sentences.keys() - {_DEFAULT}
        return {language: self(key, language) for language in sorted(others)}

    def keys(self, language: str = _DEFAULT) -> frozenset[str]:
        """Return all keys that a language has."""
        return frozenset(self._sentences[language])

    def nearest(self, locale: str) -> str:
        """Return the supported language that is nearest to a locale, or else English."""
        language = locale.partition("-")[0]
        return language if language in self._sentences else _DEFAULT


def _read(path: Path) -> dict[str, str | Plural]:
    with path.open("rb") as file:
        return dict(_flat("", tomllib.load(file)))


def _flat(prefix: str, table: dict[str, Any]) -> list[tuple[str, str | Plural]]:
    entries: list[tuple[str, str | Plural]] = []
    # The keys are interned, because all languages have the same.
    for key, value in table.items():
        if not isinstance(value, dict):
            entries.append((sys.intern(prefix + key), str(value).strip()))
        elif "by" in value:
            entries.append((sys.intern(prefix + key), _plural(cast("dict[str, str]", value))))
        else:
            entries += _flat(f"{prefix}{key}.", cast("dict[str, Any]", value))
    return entries


def _plural(table: dict[str, str]) -> Plural:
    forms = {form: sentence.strip() for form, sentence in table.items() if form in _FORMS}
    return Plural(table["by"], forms)
