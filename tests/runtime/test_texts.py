from __future__ import annotations

import re
import string
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot import texts
from bot.errors import ErrorKind
from bot.texts import Plural, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TABLES: Mapping[str, Mapping[str, str | Plural]] = {
    "en": {
        "hello": "Hello {name}",
        "bye": "Goodbye",
        "late": "{minutes} min late",
        "cats": Plural("count", {"one": "{count} cat", "other": "{count} cats"}),
    },
    "pt": {
        "format.decimal": ",",
        "format.group": ".",
        "hello": "Olá {name}",
        "cats": Plural("count", {"one": "{count} gato", "other": "{count} gatos"}),
    },
    "ja": {"cats": Plural("count", {"other": "猫{count}匹"})},
}
TEXTS = Texts(TABLES)
LOCALES = Path(texts.__file__).parent / "locales"
# The plural forms of each language.
NEEDED = {"en": {"one", "other"}, "de": {"one", "other"}, "ja": {"other"}}


@pytest.fixture(scope="module")
def shipped() -> Texts:
    return Texts.load()


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("pt-BR", "Olá Ada"),
        ("pt", "Olá Ada"),
        ("en-US", "Hello Ada"),
        ("ja", "Hello Ada"),
        ("ko", "Hello Ada"),
    ],
)
def test_a_sentence_is_in_the_nearest_language(locale: str, sentence: str) -> None:
    assert TEXTS("hello", locale, name="Ada") == sentence


def test_english_is_the_default_language() -> None:
    assert TEXTS("hello", name="Ada") == "Hello Ada"


def test_a_sentence_that_was_not_translated_is_english() -> None:
    assert TEXTS("bye", "pt-BR") == "Goodbye"


def test_an_unknown_sentence_is_a_bug() -> None:
    with pytest.raises(KeyError):
        TEXTS("nothing", "pt")


def test_what_people_write_is_not_a_template() -> None:
    assert TEXTS("hello", name="{name.__class__} {0}") == "Hello {name.__class__} {0}"


def test_keys_are_listed_by_language() -> None:
    assert TEXTS.keys() == {"hello", "bye", "late", "cats"}
    assert TEXTS.keys("ja") == {"cats"}


@pytest.mark.parametrize(
    ("locale", "count", "sentence"),
    [
        ("en-GB", 1, "1 cat"),
        ("en-GB", 0, "0 cats"),
        ("en-GB", 1.5, "1.5 cats"),
        ("pt-BR", 1, "1 gato"),
        ("pt-BR", 2, "2 gatos"),
        ("ja", 1, "猫1匹"),
        ("ko", 2, "2 cats"),
    ],
)
def test_a_plural_has_the_form_that_the_language_needs(
    locale: str, count: float, sentence: str
) -> None:
    assert TEXTS("cats", locale, count=count) == sentence


@pytest.mark.parametrize(
    ("value", "english", "portuguese"),
    [
        (5.2, "5.2", "5,2"),
        (5.0, "5", "5"),
        (0.04, "0", "0"),
        (1234.56, "1,234.6", "1.234,6"),
        (1234567, "1,234,567", "1.234.567"),
        (100, "100", "100"),
    ],
)
def test_numbers_are_written_as_the_language_does(
    value: float, english: str, portuguese: str
) -> None:
    assert TEXTS("hello", "en-US", name=value) == f"Hello {english}"
    assert TEXTS("hello", "pt-BR", name=value) == f"Olá {portuguese}"


def test_a_sentence_may_want_a_number_in_another_form() -> None:
    assert Texts({"en": {"part": "{done:.0%}"}})("part", done=0.5) == "50%"


def test_an_english_sentence_has_english_numbers() -> None:
    assert TEXTS("late", "pt-BR", minutes=2.5) == "2.5 min late"


# --- the shipped sentences ---


@cache
def forms_of(language: str) -> dict[str, dict[str, str]]:
    """Read a language's sentences in all forms; the form of a sentence without plural is ""."""
    tables = tomllib.loads((LOCALES / f"{language}.toml").read_text(encoding="utf-8"))
    return dict(flat("", tables))


def flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for key, value in table.items():
        if not isinstance(value, dict):
            yield prefix + key, {"": value}
        elif "by" in value:
            yield prefix + key, value
        else:
            yield from flat(f"{prefix}{key}.", value)


def fields_of(key: str, language: str = "en") -> set[str]:
    """Return the names of a sentence's fields."""
    forms = forms_of(language)[key].items()
    return {field for form, sentence in forms if form != "by" for field in fields_in(sentence)}


def fields_in(sentence: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field}


@pytest.mark.parametrize(
    "key",
    [
        *(f"failed.{kind}" for kind in ErrorKind),
        *("failed.timeout", "failed.not_a_video", "failed.unacknowledged"),
        *("note.not_merged", "note.held", "note.held_instead", "note.silent"),
        *("caps.user", "caps.all", "caps.day", "caps.user_day"),
        *("caps.server_day", "caps.home_day", "caps.dm_day", "caps.client_day"),
        *("budget.day", "budget.month", "budget.server", "budget.person"),
        *("caps.member_day", "caps.managers_day"),
        *("audio.not_audio", "audio.unreadable", "audio.empty", "audio.silent", "audio.too_long"),
        *("audio.no_sound", "audio.too_large", "audio.gone", "audio.over_limit"),
    ],
)
def test_every_reason_that_the_code_gives_has_a_sentence(key: str, shipped: Texts) -> None:
    given = {
        "caps.user": {"limit"},
        "caps.all": {"limit"},
        "caps.day": {"limit", "when"},
        "caps.user_day": {"limit", "when"},
        "caps.server_day": {"limit", "when"},
        "caps.home_day": {"limit", "when"},
        "caps.member_day": {"limit", "when"},
        "caps.managers_day": {"limit", "when"},
        "caps.dm_day": {"limit", "when"},
        "caps.client_day": {"limit", "when"},
        "budget.day": {"left", "price", "when"},
        "budget.month": {"left", "price", "when"},
        "budget.server": {"left", "price", "when"},
        "budget.person": {"left", "price", "when"},
        "failed.internal": {"incident"},
        "audio.not_audio": {"found"},
        "audio.unreadable": {"found"},
        "audio.no_sound": {"found"},
        "audio.too_long": {"seconds", "max_seconds"},
        "audio.over_limit": {"max_seconds"},
        "audio.too_large": {"max_mb"},
    }
    fields = fields_of(key)
    assert fields <= given.get(key, set())
    assert shipped(key, "en", **dict.fromkeys(fields, 1))


@pytest.mark.parametrize("language", NEEDED)
def test_the_sentences_are_well_formed(language: str, shipped: Texts) -> None:
    for key, forms in forms_of(language).items():
        fields = dict.fromkeys(fields_of(key, language), 2)
        sentence = shipped(key, language, **fields)
        assert sentence
        assert "{" not in sentence
        assert all(form == form.strip() for form in forms.values()), key


@pytest.mark.parametrize("language", NEEDED)
def test_every_language_says_the_same_with_the_same_fields(language: str) -> None:
    english, translated = forms_of("en"), forms_of(language)
    assert translated.keys() == english.keys()
    for key, forms in translated.items():
        assert fields_of(key, language) == fields_of(key), key
        assert forms.get("by") == english[key].get("by"), key


@pytest.mark.parametrize("language", NEEDED)
def test_plurals_have_the_forms_that_the_language_needs(language: str) -> None:
    for key, forms in forms_of(language).items():
        if "by" in forms:
            assert forms.keys() - {"by"} == NEEDED[language], key
            assert forms["by"] in fields_of(key, language)


# Discord's limits, in characters.
LONGEST = {
    r"button\..*": 80,
    r"form\..*_title": 45,
    r"form\.(edit_prompt|narrate_audio|delete_sure)": 45,
    r"form\..*_hint.*": 100,
}


@pytest.mark.parametrize("language", NEEDED)
def test_discord_takes_every_label_in_full(language: str) -> None:
    for key, forms in forms_of(language).items():
        for pattern, longest in LONGEST.items():
            if re.fullmatch(pattern, key):
                assert all(len(form) <= longest for form in forms.values()), key


@pytest.mark.parametrize("language", NEEDED)
def test_a_command_that_a_sentence_names_has_that_name(language: str) -> None:
    sentences = forms_of(language)
    commands = {
        forms[""] for key, forms in sentences.items() if re.fullmatch(r"command\.\w+\.name", key)
    }
    for key, forms in sentences.items():
        for sentence in forms.values():
            assert set(re.findall(r"(?<!\w)/(\w+)", sentence)) <= commands, key


def test_there_is_a_rule_for_every_language() -> None:
    assert {path.stem for path in LOCALES.glob("*.toml")} == NEEDED.keys()
