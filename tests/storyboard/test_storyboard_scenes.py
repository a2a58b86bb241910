# ruff: noqa: RUF001  # letters of many scripts are the subject here

from __future__ import annotations

import time

import pytest

from bot.storyboard.lettering.clusters import columns
from bot.storyboard.lettering.line_breaks import breaks
from bot.storyboard.lettering.scenes import clean, scene_count, shorten, split_scenes
from tests.support.storyboard_prompts import PROMPTS


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize("seconds", [1, 4, 8, 12, 60])
def test_every_prompt_becomes_a_few_readable_scenes(prompt: str, seconds: int) -> None:
    text = clean(prompt)
    scenes = split_scenes(text, seconds=seconds)
    assert 2 <= len(scenes) <= scene_count(seconds) <= 8
    assert all(scene.strip() == scene != "" for scene in scenes)
    assert all("\n" not in scene for scene in scenes)
    assert all(columns(scene) <= 98 for scene in scenes)
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


@pytest.mark.parametrize(
    "prompt",
    [
        "1. A red boat leaves.\n2. Gulls follow it, crying.\n3. Night falls.",
        "1) A red boat leaves. 2) Gulls follow it, crying. 3) Night falls.",
        "1. A red boat leaves 2. Gulls follow it 3. Night falls",
    ],
)
def test_the_number_of_a_list_item_stays_with_its_line(prompt: str) -> None:
    scenes = split_scenes(clean(prompt), seconds=8)
    assert [scene[:1] for scene in scenes] == ["1", "2", "3"]
    assert [scene.split()[1] for scene in scenes] == ["A", "Gulls", "Night"]


def test_a_number_inside_a_sentence_starts_no_scene() -> None:
    text = "In 1969, 3 men flew. They landed on day 2. It was 3.5 days away."
    assert split_scenes(text, seconds=8) == (
        "In 1969, 3 men flew.",
        "They landed on day 2.",
        "It was 3.5 days away.",
    )


def test_every_line_is_its_own_scene() -> None:
    assert split_scenes("one\ntwo\nthree\nfour", seconds=8) == ("one", "two", "three", "four")


@pytest.mark.parametrize("seconds", [8, 12, 30])
def test_a_long_prompt_is_cut_at_sentences(seconds: int) -> None:
    sentences = [f"Sentence number {n} tells a part of the story." for n in range(44)]
    scenes = split_scenes(clean(" ".join(sentences))[:2000], seconds=seconds)
    for scene in scenes:
        shown = scene.removesuffix(" …").split(". ")
        assert all(f"{part.rstrip('.')}." in sentences for part in shown), scene
    # The end of the story is told, too.
    assert int(scenes[-1].split()[2]) > 15


@pytest.mark.parametrize("unit", ["a, ", "a. ", "日、", "( ", "1. a "])
def test_a_prompt_of_very_many_parts_is_split_in_no_time(unit: str) -> None:
    text = clean(unit * 4000)
    before = time.process_time()
    split_scenes(text, seconds=8)
    # Measuring the text anew for each part took up to half a minute.
    assert time.process_time() - before < 2


def test_abbreviations_and_numbers_do_not_end_a_sentence() -> None:
    text = "Zeige z. B. einen See mit 3.5 m Tiefe und ca. hundert Enten. Dann den Wald im Nebel."
    assert split_scenes(text, seconds=8)[0].endswith("Enten.")


def test_a_text_without_letters_is_untitled() -> None:
    assert split_scenes("", seconds=8) == ("Untitled", "Untitled")


def test_clean_keeps_readable_characters_and_drops_control_characters() -> None:
    assert clean("a\x00b\u202e c\u2060\ufeff\td \r\n\n e") == "a b c d\ne"
    assert clean("می\u200cخواهم 👩\u200d🌾 ❤\ufe0f") == "می\u200cخواهم 👩\u200d🌾 ❤\ufe0f"
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
