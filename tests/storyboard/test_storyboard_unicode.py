"""Every text can be drawn, whatever its characters are."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING
from unicodedata import category

import pytest

from bot.storyboard.drawing.artwork import Canvas
from bot.storyboard.drawing.layers import draw
from bot.storyboard.lettering.clusters import columns
from bot.storyboard.lettering.scenes import clean, split_scenes

if TYPE_CHECKING:
    from pathlib import Path

CANVAS = Canvas(width=96, height=64, frames=120)
# Each of these is 0 columns wide, or has a part that is.
NARROW = [
    "\ufe0f",
    "\u0301",
    "\u20e3",
    "1\ufe0f\u20e3",
    "\u0e31",
    "\u0e48\u0e49",
    "\u093f",
    "\u3099",
    "\u200d",
    "\u200b",
    "\u2060",
    "\u00ad",
    "\u034f",
    "\u115f",
    "\u3164",
    "\u180b",
    "\u202e",
    "\u2066\u2069",
    "\U000e0067\U000e0062\U000e007f",
    "\U000e0100",
    "\U0001f3fb",
    "\U0001f1e6",
    "❤\ufe0f",
    "👩\u200d👩\u200d👧",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
]
FRAMES = [
    "{}",
    "{}{}{}",
    "A cat. {}",
    "{}. A cat",
    "Cat,{} dog",
    "猫。{}",
    "x\n{}",
    "{}\nx",
    "- {}\n1. {}",
]


@pytest.mark.parametrize("narrow", NARROW, ids=ascii)
def test_a_text_with_parts_that_have_no_width_is_drawn(tmp_path: Path, narrow: str) -> None:
    for frame in FRAMES:
        art = draw(frame.replace("{}", narrow), CANVAS, tmp_path)
        assert all(line.width > 0 for card in art.cards for line in card.lines)


def test_every_text_is_split_into_scenes_that_are_wide_enough_to_read() -> None:
    pick = random.Random(15)  # noqa: S311  # the same texts in every run
    blocks = [*range(0x20, 0x3000, 7), *range(0x1F000, 0x1FB00, 5), *range(0xE0000, 0xE01F0, 3)]
    joints = [". ", "。", ", ", "\n", " ", "\ufe0f", "\u0301", "\u200d", "1) ", "", "! \u20e3"]
    for _ in range(1500):
        text = "".join(
            chr(pick.choice(blocks)) + pick.choice(joints) for _ in range(pick.randint(1, 12))
        )
        scenes = split_scenes(clean(text), seconds=pick.choice((1, 4, 8, 60)))
        assert scenes, ascii(text)
        assert all(columns(scene) > 0 for scene in scenes), ascii(text)


def test_every_mark_and_every_character_without_a_picture_may_follow_a_sentence() -> None:
    odd = [char for char in map(chr, range(sys.maxunicode + 1)) if category(char)[0] in "MCZ"]
    for char in odd[:: len(odd) // 3000]:
        for text in (char, f"A cat. {char}", f"猫。{char}"):
            assert all(map(columns, split_scenes(clean(text), seconds=8))), ascii(char)


ENDLESS = {
    "joined letters": "a\u200d" * 1000,
    "joined emoji": "👩\u200d" * 1000,
    "tones": "👍" + "🏽" * 1000,
    "consonants": "क्" * 1000,
    "vowels": "क" + "ा" * 1000,
    "Thai vowels": "ก" + "ำ" * 1000,
    "voicing marks": "カ" + "ﾞ" * 1000,
}


@pytest.mark.parametrize("size", [(640, 360), (64, 64)], ids=["usual", "tiny"])
@pytest.mark.parametrize("prompt", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_letter_is_drawn_in_part(
    prompt: str, size: tuple[int, int], tmp_path: Path
) -> None:
    assert 0 < len(clean(prompt)) <= 16
    width, height = size
    art = draw(prompt, Canvas(width=width, height=height, frames=100), tmp_path)
    assert all(1 <= len(card.lines) <= 4 for card in art.cards)
