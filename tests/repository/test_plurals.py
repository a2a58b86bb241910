"""No sentence has a noun in the plural for every number, as in "Deleted 1 jobs"."""

from __future__ import annotations

import re
import string
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from bot.texts import Plural, Texts
from tests.support.papers import read

if TYPE_CHECKING:
    from collections.abc import Iterator


def words_in(text: str) -> set[str]:
    return set(text.split())


# The fields with a number of things. A new field of a sentence belongs to one of the two sets.
COUNTS = words_in("""
    cards count days entries jobs left limit max_mb max_seconds minutes more narrations orders
    prompts refusals running seconds size texts used videos waiting
""")
OTHERS = words_in("""
    actor address amount backend bar budget channel channels characters choice client date
    description duration field found id incident job language languages limits line link marker
    month name names others page pages parts percent person place places price prompt reason
    remote roles script search server service setting since spent state target time value what
    when words
""")
# The words that may follow any number: most are no nouns, or the plural looks the same. Limits of
# characters are constants, and more than one. An adjective may stand before the noun.
AFTER_ANY_NUMBER = {
    "en": words_in("MB s being characters earlier finished left more of waiting"),
    "de": words_in("MB s Zeichen frei in mehr von übrig"),
}
# A narration that is too long is longer than one second, and a duration is rounded to five seconds.
NEVER_ONE = {("audio.too_long", "seconds"), ("duration.seconds", "count")}


def sentences(language: str) -> dict[str, list[str]]:
    """Return the templates of each key, with the forms of plurals."""
    return dict(_flat("", tomllib.loads(read(f"bot/locales/{language}.toml"))))


def _flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for key, value in table.items():
        if not isinstance(value, dict):
            yield prefix + key, [value]
        elif "by" in value:
            yield prefix + key, [value["one"], value["other"]] if "one" in value else []
        else:
            yield from _flat(f"{prefix}{key}.", value)


def fields_in(template: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(template) if field}


def fixed_nouns(texts: Texts, language: str, key: str, templates: list[str]) -> set[str]:
    """Return the nouns of a sentence that are the same after the numbers 1 and 2."""
    fields = set[str]().union(*map(fields_in, templates))
    fixed = set[str]()
    for field in sorted(fields & COUNTS):
        if (key, field) in NEVER_ONE:
            continue
        # The other numbers may select a form too, and are not judged now.
        values = dict.fromkeys(fields, 3)
        one, two = (words_after(texts(key, language, **values | {field: n}), n) for n in (1, 2))
        fixed |= {word for word in one & two if word not in AFTER_ANY_NUMBER[language]}
    return fixed


def words_after(sentence: str, number: int) -> set[str]:
    """Return the words that directly follow a number."""
    return set(re.findall(rf"(?<![\w.,]){number}[ \u00a0]([^\W\d_]+)", sentence))


@pytest.mark.parametrize("language", AFTER_ANY_NUMBER)
def test_a_noun_after_a_number_has_a_form_for_one_thing(language: str) -> None:
    texts = Texts.load()
    found = {
        key: nouns
        for key, templates in sentences(language).items()
        if (nouns := fixed_nouns(texts, language, key, templates))
    }
    assert found == {}, "turn these into plurals, as described at the top of en.toml"


def test_each_field_is_a_number_of_things_or_none() -> None:
    templates = [each for forms in sentences("en").values() for each in forms]
    fields = set[str]().union(*map(fields_in, templates))
    assert fields - COUNTS - OTHERS == set(), "name these in COUNTS or in OTHERS"
    assert fields >= COUNTS


def test_a_fixed_noun_is_found() -> None:
    plural = Plural(
        "jobs", {"one": "{jobs} job of {days} days", "other": "{jobs} jobs of {days} days"}
    )
    texts = Texts({"en": {"bad": "Deleted {jobs} jobs.", "half": plural, "good": "{jobs} of 3"}})
    assert fixed_nouns(texts, "en", "bad", ["{jobs}"]) == {"jobs"}
    assert fixed_nouns(texts, "en", "half", ["{jobs} {days}"]) == {"days"}
    assert fixed_nouns(texts, "en", "good", ["{jobs}"]) == set()
