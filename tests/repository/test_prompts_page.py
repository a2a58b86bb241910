"""Tests that the page of written prompts is up to date and complete."""

from __future__ import annotations

from bot.prompts.reading import PromptReader
from docs.prompts import PAGE, PROMPTS, page


async def test_the_page_of_prompts_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == await page(), "run `make prompts`"


def test_the_page_has_twenty_prompts_in_five_languages() -> None:
    prompts = [prompt for group in PROMPTS.values() for prompt in group]
    assert len(set(prompts)) == 20
    reader = PromptReader.load()
    found = {
        title: {getattr(reader.read(prompt).language, "name", None) for prompt in group}
        for title, group in PROMPTS.items()
    }
    assert found == {
        "English": {"en"},
        "Deutsch": {"de"},
        "日本語": {"ja"},
        "Español": {"es"},
        "Français": {"fr"},
    }
