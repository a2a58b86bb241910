from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.storyboard.drawing.artwork import Canvas
from bot.storyboard.drawing.layers import draw
from bot.storyboard.drawing.palette import READABLE, READABLE_LARGE, contrast, oklch, palette_for
from tests.support.storyboard_prompts import PROMPTS

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storyboard.drawing.artwork import Artwork, Layer


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
