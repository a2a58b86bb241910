from __future__ import annotations

import string
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot import texts
from bot.errors import ErrorKind
from bot.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLES: Mapping[str, Mapping[str, str]] = {
    "en": {"hello": "Hello {name}", "bye": "Goodbye"},
    "pt": {"hello": "Olá {name}"},
}
TEXTS = Texts(TABLES)
LOCALES = Path(texts.__file__).parent / "locales"


@pytest.fixture(scope="module")
def shipped() -> Texts:
    return Texts.load()


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [("pt-BR", "Olá Ada"), ("pt", "Olá Ada"), ("en-US", "Hello Ada"), ("ja", "Hello Ada")],
)
def test_a_sentence_is_in_the_nearest_language(locale: str, sentence: str) -> None:
    assert TEXTS("hello", locale, name="Ada") == sentence


def test_english_is_spoken_where_nothing_is_said() -> None:
    assert TEXTS("hello", name="Ada") == "Hello Ada"


def test_a_sentence_that_was_not_translated_is_english() -> None:
    assert TEXTS("bye", "pt-BR") == "Goodbye"


def test_a_sentence_that_there_is_not_is_a_bug() -> None:
    with pytest.raises(KeyError):
        TEXTS("nothing", "pt")


def test_what_people_write_is_not_a_template() -> None:
    assert TEXTS("hello", name="{name.__class__} {0}") == "Hello {name.__class__} {0}"


def test_keys_are_listed_by_language() -> None:
    assert TEXTS.keys() == {"hello", "bye"}
    assert TEXTS.keys("pt") == {"hello"}


def fields_of(key: str) -> set[str]:
    """Find out which fields an English sentence takes."""
    section, _, name = key.partition(".")
    tables = tomllib.loads((LOCALES / "en.toml").read_text(encoding="utf-8"))
    parsed = string.Formatter().parse(tables[section][name])
    return {field for _, field, _, _ in parsed if field}


@pytest.mark.parametrize(
    "key",
    [
        *(f"failed.{kind}" for kind in ErrorKind),
        *("failed.timeout", "failed.not_a_video", "failed.unacknowledged"),
        *("note.not_merged", "note.card_gone", "note.held_instead", "note.silent"),
        *("caps.user", "caps.all", "caps.day"),
        *("audio.not_audio", "audio.unreadable", "audio.empty", "audio.too_long"),
        *("audio.no_sound", "audio.too_large", "audio.gone"),
    ],
)
def test_every_reason_that_the_code_gives_has_a_sentence(key: str, shipped: Texts) -> None:
    given = {
        "caps.user": {"limit"},
        "caps.all": {"limit"},
        "caps.day": {"limit"},
        "failed.internal": {"incident"},
        "audio.not_audio": {"found"},
        "audio.unreadable": {"found"},
        "audio.no_sound": {"found"},
        "audio.too_long": {"seconds", "max_seconds"},
        "audio.too_large": {"max_mb"},
    }
    fields = fields_of(key)
    assert fields <= given.get(key, set())
    assert shipped(key, "en", **dict.fromkeys(fields, 1))


def test_the_sentences_are_well_formed(shipped: Texts) -> None:
    for key in sorted(shipped.keys()):
        sentence = shipped(key, "en", **dict.fromkeys(fields_of(key), "X"))
        assert sentence
        assert sentence == sentence.strip()
        assert "{" not in sentence


def test_no_translation_has_a_sentence_that_english_lacks(shipped: Texts) -> None:
    for path in LOCALES.glob("*.toml"):
        assert shipped.keys(path.stem) <= shipped.keys()
