from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.storyboard.drawing.artwork import Canvas
from bot.storyboard.drawing.layers import draw
from bot.storyboard.drawing.palette import READABLE, READABLE_LARGE, contrast, oklch, palette_for
from bot.storyboard.drawing.typesetting import TextBox, choose_typeface, fit
from tests.support.storyboard_prompts import PROMPTS

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storyboard.drawing.artwork import Artwork, Layer

CJK = choose_typeface("虹")
BOX = TextBox(width=600, height=300, largest=100, smallest=20, max_lines=3, leading=1.2)


def test_contrast_is_computed_as_the_standard_defines() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


def test_oklch_becomes_srgb_and_loses_chroma_rather_than_hue() -> None:
    assert oklch(1, 0, 0) == (255, 255, 255)
    assert oklch(0, 0.2, 90) == (0, 0, 0)
    assert oklch(0.628, 0.2577, 29.23) == pytest.approx((255, 0, 0), abs=20)


def test_every_palette_is_readable() -> None:
    for number in range(500):
        palette = palette_for(str(number))
        for colour in (*palette.sky, *palette.dusk, *palette.glows):
            assert contrast(palette.ink, colour) >= READABLE, number
        assert contrast(palette.ink, palette.sun) >= READABLE_LARGE, number


def test_texts_have_their_own_colours_and_keep_them() -> None:
    palettes = {palette_for(str(number)) for number in range(100)}
    assert len(palettes) == 100
    assert palette_for("a") == palette_for("a")


def test_the_font_has_latin_cyrillic_and_japanese_and_no_boxes_are_drawn() -> None:
    text = "Straße, žluť, où, señor, радуга, 虹がかかる。"
    assert CJK.drawable(text) == text
    assert CJK.drawable("a🙂b שלום") == "ab "


@pytest.mark.parametrize(
    "text", ["Pokaż żółwia, łódź i łąkę", "Її ґанок, єдина їжа", "Ąžuolas, ğ, ő"]
)
def test_a_text_whose_letters_the_first_typeface_lacks_is_drawn_with_another(text: str) -> None:
    assert CJK.drawable(text) != text
    assert choose_typeface(text).drawable(text) == text


def test_a_text_with_japanese_is_drawn_with_the_typeface_that_has_it() -> None:
    assert choose_typeface("虹の Regenbogen") == CJK


@pytest.mark.parametrize("text", ["Explain how rainbows form", "虹はどうやってできるのか", "i"])
def test_a_text_fits_its_box_at_the_largest_size_that_does(text: str) -> None:
    layout = fit(text, BOX, CJK, 700)
    font = CJK.at(layout.size, 700)
    assert max(font.getlength(line) for line in layout.lines) <= BOX.width
    assert len(layout.lines) * layout.size * BOX.leading <= BOX.height
    assert "".join(layout.lines).replace(" ", "") == text.replace(" ", "")
    assert layout.size > 60


def test_lines_are_balanced() -> None:
    assert fit("Explain how rainbows form", BOX, CJK, 700).lines == ("Explain how", "rainbows form")


def test_a_word_is_made_smaller_before_it_is_broken() -> None:
    word = "Donaudampfschifffahrtsgesellschaft"
    layout = fit(word, BOX, CJK, 700)
    assert layout.lines == (word,)
    assert 20 < layout.size < 50


def test_a_word_wider_than_its_box_is_broken_and_the_rest_is_left_out() -> None:
    broken = fit("x" * 100, BOX, CJK, 700)
    assert "".join(broken.lines) == "x" * 100
    cut = fit("x" * 300, BOX, CJK, 700)
    assert len(cut.lines) == BOX.max_lines
    assert cut.lines[-1].endswith("…")
    assert cut.size == BOX.smallest


def _layers(art: Artwork) -> list[Layer]:
    background = art.background
    cards = [layer for card in art.cards for layer in (*card.lines, card.rule)]
    around = [background.sky, background.dusk, *background.glows, background.sun, *background.hills]
    return [*around, *cards, art.watermark, *art.tracks, *art.fills]


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize(("width", "height"), [(160, 96), (96, 160)])
def test_every_prompt_is_drawn_inside_the_picture(
    tmp_path: Path, prompt: str, width: int, height: int
) -> None:
    canvas = Canvas(width=width, height=height, frames=120)
    art = draw(prompt, canvas, tmp_path)
    assert len(art.cards) == len(art.tracks) == len(art.fills) >= 2
    for card in art.cards:
        for line in card.lines:
            assert line.x >= 0
            assert line.y > 0
            assert line.x + line.width <= width
            assert line.y + line.height < art.fills[0].y
    for layer in _layers(art):
        with Image.open(tmp_path / layer.file) as picture:
            assert picture.width >= layer.width
            assert picture.height >= layer.row + layer.height
    assert art.tracks[-1].x + art.tracks[-1].width <= width


def test_the_same_prompt_gives_the_same_layers(tmp_path: Path) -> None:
    canvas = Canvas(width=160, height=96, frames=30)
    arts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        arts.append(draw("Explain how rainbows form", canvas, tmp_path / name))
    assert arts[0] == arts[1]
    for file in ("card1.png", "hill0.png", "sun.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_text_has_no_dark_fringe(tmp_path: Path) -> None:
    art = draw("Explain", Canvas(width=320, height=180, frames=30), tmp_path)
    with Image.open(tmp_path / art.cards[0].lines[0].file) as picture:
        colours = {colour[:3] for _, colour in picture.convert("RGBA").getcolors(100_000) or []}
    assert colours == {palette_for("Explain").ink}
