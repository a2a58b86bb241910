"""The page docs/cards.md shows all cards as the bot renders them, with every sentence."""

from __future__ import annotations

import re

import pytest

from bot.delivery.views.button_ids import LABELS
from bot.texts import Texts
from docs.cards import PAGE, page

TEXTS = Texts.load()
LANGUAGES = ("en", *TEXTS.translations("card.next"))
# Sentences that are not on cards: those of forms, of the list of videos, and error messages.
ELSEWHERE = {"audio.missing", "state.succeeded"}


def test_the_page_of_cards_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make cards`"


def test_every_heading_is_in_words() -> None:
    headings = re.findall(r"(?m)^## (.*)$", PAGE.read_text(encoding="utf-8"))
    assert len(headings) == len(set(headings)) > 40
    assert [heading for heading in headings if re.search(r"[`_]|\w\.\w", heading)] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", ["card", "state", "trouble", "hold", "note", "failed", "audio"])
def test_every_sentence_of_a_card_stands_on_the_page(section: str, language: str) -> None:
    written = PAGE.read_text(encoding="utf-8")
    keys = {key for key in TEXTS.keys() if key.startswith(f"{section}.")}  # noqa: SIM118 - a method
    for key in keys - ELSEWHERE:
        assert stands_in(written, key, language), f"{key} in {language}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_button_of_a_card_stands_on_the_page(language: str) -> None:
    written = PAGE.read_text(encoding="utf-8")
    for key in (*LABELS.values(), "button.try_again", "button.watch", "button.original"):
        assert stands_in(written, key, language), f"{key} in {language}"


def stands_in(written: str, key: str, language: str) -> bool:
    """Tell whether the page contains a sentence, with any values in its fields."""
    sentence = TEXTS(key, language, **dict.fromkeys(FIELDS, "\0"))
    sentence = sentence.removeprefix("-# ").replace("> ", "┃ ")
    parts = [re.escape(part) for part in sentence.split("\0")]
    return re.search("[^|]+?".join(parts), written) is not None


FIELDS = (
    *(
        "characters",
        "state",
        "prompt",
        "place",
        "bar",
        "percent",
        "since",
        "duration",
        "person",
        "seconds",
    ),
    *("size", "limit", "found", "max_seconds", "max_mb", "price", "words", "when"),
)
