"""Text of any script, in both directions, is set and drawn."""

# ruff: noqa: RUF001  # letters of many scripts are the subject here

from __future__ import annotations

import random

import pytest
from bidi import get_display

from bot.storyboard.lettering.clusters import clusters, columns, is_emoji
from bot.storyboard.lettering.directions import base_level, levels, visual_order
from bot.storyboard.lettering.shaping import Shaper
from bot.storyboard.lettering.typefaces import Style, Typefaces
from bot.storyboard.lettering.typesetting import TextBox, fit

BOX = TextBox(width=600, height=300, largest=100, smallest=20, max_lines=4, leading=1.2)
STYLE = Style(weight=700)
SCRIPTS = {
    "latin": "Straße, žluť, où, señor, Pokaż łódź, Tiếng Việt",
    "cyrillic": "Її ґанок, радуга",
    "greek": "Ουράνιο τόξο",
    "arabic": "كيف يتشكل قوس قزح",
    "persian": "می‌خواهم رنگین‌کمان",
    "hebrew": "איך נוצרת קשת",
    "georgian": "ცისარტყელა",
    "armenian": "Ծիածան",
    "thai": "รุ้งกินน้ำเกิดขึ้น",
    "lao": "ຮຸ້ງກິນນ້ຳ",
    "tamil": "வானவில் எப்படி",
    "devanagari": "इंद्रधनुष क्षत्रिय",
    "bengali": "রংধনু কীভাবে",
    "khmer": "ឥន្ធនូ",
    "burmese": "သက်တံ့",
    "sinhala": "දේදුන්න",
    "amharic": "ቀስተ ደመና",
    "japanese": "虹がかかる。",
    "chinese": "彩虹如何形成",
    "korean": "무지개는 어떻게",
    "symbols": "∑ √ → ★ ♫ ½ € ₿",
}
EMOJI = [
    *("🌈", "👩\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈", "🇩🇪", "👍🏽", "❤\ufe0f", "1\ufe0f\u20e3"),
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
]


@pytest.fixture
def typefaces() -> Typefaces:
    return Typefaces()


@pytest.fixture
def shaper(typefaces: Typefaces) -> Shaper:
    return Shaper(typefaces, STYLE)


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
@pytest.mark.parametrize("is_display", [False, True])
def test_no_script_is_drawn_as_boxes(typefaces: Typefaces, text: str, *, is_display: bool) -> None:
    shaper = Shaper(typefaces, Style(weight=700, is_display=is_display))
    assert typefaces.missing(text) == []
    glyphs = shaper.shape(text, base_level(text))
    assert all(glyph.number for glyph in glyphs)
    assert shaper.draw(text, base_level(text), 40).letters.getbbox()


@pytest.mark.parametrize("emoji", EMOJI, ids=ascii)
def test_an_emoji_is_one_glyph_however_many_characters_it_has(
    typefaces: Typefaces, shaper: Shaper, emoji: str
) -> None:
    assert clusters(emoji) == [emoji]
    assert is_emoji(emoji)
    assert columns(emoji) == 2
    assert typefaces.missing(emoji) == []
    wide = [glyph for glyph in shaper.shape(emoji, 0) if glyph.advance]
    assert len(wide) == 1
    assert wide[0].is_emoji
    line = shaper.draw(emoji, 0, 40)
    assert line.emoji.getbbox()
    assert not line.letters.getbbox()


def test_a_joiner_or_a_style_is_never_drawn(shaper: Shaper) -> None:
    text = "👩\u200d🌾 نمی\u200cخواهم ❤\ufe0f a\ufe0f"
    assert all(glyph.number for glyph in shaper.shape(text, 0))


def test_letters_of_arabic_join(shaper: Shaper) -> None:
    joined = {glyph.number for glyph in shaper.shape("ببب", 1)}
    apart = {glyph.number for glyph in shaper.shape("ب\u200cب\u200cب", 1)}
    assert len(joined - apart) >= 2


def test_what_no_typeface_has_is_named_once_and_left_out(typefaces: Typefaces) -> None:
    assert typefaces.missing("a ᏣᎳᎩ Ꮳ b") == ["Ꮳ", "Ꮃ", "Ꭹ"]
    assert typefaces.drawable("a ᏣᎳᎩ b") == "a  b"


def test_text_in_both_directions_is_ordered_as_python_bidi_orders_it() -> None:
    pick = random.Random(9)  # noqa: S311  # the same texts in every run
    for _ in range(3000):
        text = "".join(pick.choices("abcאבגجده ١٢123.,-+()[]%$!? ", k=pick.randint(1, 16)))
        base = base_level(text)
        order = visual_order(levels(text, base))
        assert "".join(text[index] for index in order) == get_display(text, base_dir="LR"[base])


def test_a_line_that_runs_to_the_left_starts_at_the_right(shaper: Shaper) -> None:
    text = "שלום abc"
    assert base_level(text) == 1
    places = {glyph.at: glyph.x for glyph in shaper.shape(text, 1)}
    assert places[5] < places[6] < places[3] < places[0]


@pytest.mark.parametrize("text", ["Explain how rainbows form", "虹はどうやってできるのか", "i"])
def test_a_text_fits_its_box_at_the_largest_size_that_does(shaper: Shaper, text: str) -> None:
    layout = fit(text, BOX, shaper)
    assert max(sum(shaper.advances(line)) * layout.size for line in layout.lines) <= BOX.width
    assert len(layout.lines) * layout.size * BOX.leading <= BOX.height
    assert "".join(layout.lines).replace(" ", "") == text.replace(" ", "")
    assert layout.size > 60


def test_lines_are_balanced(shaper: Shaper) -> None:
    assert fit("Explain how rainbows form", BOX, shaper).lines == ("Explain how", "rainbows form")


@pytest.mark.parametrize(
    "word",
    [
        "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz",
        "Donaudampfschifffahrtsgesellschaftskapitän",
    ],
)
def test_a_compound_is_hyphenated_before_it_becomes_small(shaper: Shaper, word: str) -> None:
    layout = fit(f"{word} im Licht", BOX, shaper)
    assert layout.size > 35
    assert layout.lines[0].endswith("-")
    assert "".join(layout.lines).replace("-", "").replace(" ", "") == f"{word}imLicht"


def test_a_word_without_syllables_is_broken_and_the_rest_is_left_out(shaper: Shaper) -> None:
    broken = fit("x" * 60, BOX, shaper)
    assert "".join(broken.lines) == "x" * 60
    cut = fit("x" * 300, BOX, shaper)
    assert len(cut.lines) == BOX.max_lines
    assert cut.lines[-1].endswith("…")
    assert cut.size == BOX.smallest


@pytest.mark.parametrize(
    "text", ["👩\u200d👩\u200d👧" * 30, "🇩🇪" * 40, "กี่" * 60, "क्षि" * 60], ids=ascii
)
def test_what_is_drawn_as_one_is_never_broken(shaper: Shaper, text: str) -> None:
    whole = clusters(text)[0]
    for line in fit(text, BOX, shaper).lines:
        assert set(clusters(line.rstrip("…"))) == {whole}
