"""Prompts and texts without a visible character."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from bot.presets import checked
from bot.speech.voice import checked_text
from tests.support.blank_texts import BLANK_TEXTS, VISIBLE_TEXTS


@pytest.mark.parametrize("text", BLANK_TEXTS.values(), ids=BLANK_TEXTS)
def test_a_prompt_without_a_visible_character_is_empty(text: str) -> None:
    with pytest.raises(UserError, match=r"prompt\.empty"):
        checked(text)


@pytest.mark.parametrize("text", VISIBLE_TEXTS)
def test_a_prompt_with_a_visible_character_is_accepted_unchanged(text: str) -> None:
    assert checked(text) == text


@pytest.mark.parametrize("text", BLANK_TEXTS.values(), ids=BLANK_TEXTS)
def test_a_text_without_a_visible_character_can_not_be_spoken(text: str) -> None:
    with pytest.raises(UserError, match=r"speech\.empty"):
        checked_text(text)
