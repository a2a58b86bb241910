from __future__ import annotations

import pytest

from bot.storyboard.drawing.line_breaks import breaks, columns
from bot.storyboard.drawing.scenes import clean, shorten, split_scenes
from tests.support.storyboard_prompts import PROMPTS


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize("seconds", [1, 4, 8, 12, 60])
def test_every_prompt_becomes_two_to_five_readable_scenes(prompt: str, seconds: int) -> None:
    text = clean(prompt)
    scenes = split_scenes(text, seconds=seconds)
    assert 2 <= len(scenes) <= max(2, min(5, seconds // 2))
    assert all(scene.strip() == scene != "" for scene in scenes)
    assert all("\n" not in scene for scene in scenes)
    assert all(columns(scene) <= 97 for scene in scenes)
    assert scenes == split_scenes(text, seconds=seconds)


def test_a_short_prompt_is_the_title_and_its_second_half_follows() -> None:
    assert split_scenes("Explain how rainbows form", seconds=8) == (
        "Explain how rainbows form",
        "rainbows form",
    )


def test_the_items_of_a_list_follow_one_by_one() -> None:
    assert split_scenes("Calm waves, slow gulls, a red boat", seconds=8) == (
        "Calm waves, slow gulls, a red boat",
        "Calm waves",
        "slow gulls",
        "a red boat",
    )


def test_the_first_sentence_is_the_title_and_its_clauses_follow() -> None:
    assert split_scenes(PROMPTS["german"], seconds=8) == (
        "Wie entsteht ein Regenbogen?",
        "Erkläre es Kindern",
        "die noch nie Regen gesehen haben.",
    )
    assert split_scenes(PROMPTS["japanese"], seconds=8) == (
        "雨上がりの空に虹がかかる。",
        "光が水滴で屈折し",
        "七色に分かれる様子をゆっくり見せて。",
    )


def test_a_long_sentence_continues_after_the_title() -> None:
    sentence = (
        "A slow tracking shot through a neon-lit alley at night while rain falls "
        "on empty umbrellas and a lone cat watches trains pass overhead"
    )
    assert " ".join(split_scenes(sentence, seconds=12)) == sentence


def test_abbreviations_and_numbers_do_not_end_a_sentence() -> None:
    text = "Zeige z. B. einen See mit 3.5 m Tiefe und ca. hundert Enten. Dann den Wald im Nebel."
    assert split_scenes(text, seconds=8)[0].endswith("Enten.")


def test_a_text_without_letters_is_untitled() -> None:
    assert split_scenes("", seconds=8) == ("Untitled", "Untitled")


def test_clean_keeps_readable_characters_and_drops_control_characters() -> None:
    assert clean("a\x00b\u202e c\u200d\ufeff\td \r\n\n e") == "a b c d\ne"
    assert clean("e\u0301") == "é"


def test_a_shortened_text_ends_with_an_ellipsis() -> None:
    assert shorten("one two three four", 10) == "one two…"
    assert shorten("one two", 10) == "one two"
    assert columns(shorten("虹" * 50, 21)) <= 21


def test_a_japanese_line_never_starts_with_a_comma_or_ends_with_a_bracket() -> None:
    text = "光が、水滴で「屈折」し、ゃ"
    allowed = breaks(text)
    assert text.index("、") not in allowed
    assert text.index("」") not in allowed
    assert text.index("「") + 1 not in allowed
    assert text.index("ゃ") not in allowed
    assert text.index("水") in allowed


def test_japanese_breaks_better_after_a_particle_than_inside_a_word() -> None:
    text = "空に虹がテスト"
    allowed = breaks(text)
    assert allowed[text.index("虹")] < allowed[text.index("が")]
    assert allowed[text.index("虹")] < allowed[text.index("ス")]


def test_a_word_is_broken_only_at_its_hyphen_and_never_before_an_accent() -> None:
    assert set(breaks("neon-lit")) == {5}
    assert breaks("10-20") == {}
    assert breaks("한국어") == {}
    assert breaks("か\u3099") == {}


def test_a_preposition_stays_with_the_next_word() -> None:
    allowed = breaks("der Weg zu dir. So")
    assert allowed[11] > allowed[8]
    assert allowed[16] == 0
