from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.storyboard.drawing.animation import arguments
from bot.storyboard.drawing.artwork import FPS, Canvas
from bot.storyboard.drawing.layers import draw, draw_at
from bot.storyboard.drawing.scenery.atlas import PLACES, choose_place
from bot.storyboard.drawing.scenery.colours import READABLE, contrast
from bot.storyboard.drawing.scenery.words import WORDS
from tests.support.media import clips
from tests.support.storyboard_prompts import PROMPTS

if TYPE_CHECKING:
    from bot.storyboard.drawing.artwork import Artwork, Layer
    from bot.storyboard.drawing.scenery.atlas import Place
    from bot.storyboard.drawing.scenery.colours import Rgb
    from bot.storyboard.drawing.scenery.lights import Light

LIGHTS = {light for place in PLACES for light in (*place.dark, *place.light)}


def test_contrast_is_computed_as_the_standard_defines() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


def test_ink_and_accent_are_readable_on_the_sky_of_every_light() -> None:
    for light in LIGHTS:
        assert contrast(light.ink, light.top) >= 9, light
        assert contrast(light.accent, light.top) >= READABLE, light


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("A red boat leaves the harbour", "sea"),
        ("Nordseestrand bei Ebbe", "sea"),
        ("Un zorro en el bosque", "forest"),
        ("Une fusée vers la lune", "space"),
        ("東京の街を走る電車", "city"),
        ("猫が窓辺で眠る", "interior"),
        ("كيف يتشكل قوس قزح", "sky"),
        ("🐳", "underwater"),
        ("A season of species, originally", "abstract"),
        ("Explain tax law", "abstract"),
    ],
)
def test_the_words_of_a_prompt_choose_the_place(text: str, place: str) -> None:
    assert choose_place(text, Random(1)).name == place  # noqa: S311  # no secret


def test_every_place_but_the_last_has_words() -> None:
    assert [place.name for place in PLACES][:-1] == sorted(WORDS, key=list(WORDS).index)
    assert len(PLACES) >= 14


def _layers(art: Artwork) -> list[Layer]:
    cards = [
        layer
        for card in art.cards
        for layer in (*card.lines, card.rule, *(plane.layer for plane in card.planes))
    ]
    return [*cards, art.watermark, *art.tracks, *art.fills]


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize(("width", "height"), [(160, 96), (96, 160)])
def test_every_prompt_is_drawn_inside_the_picture(
    tmp_path: Path, prompt: str, width: int, height: int
) -> None:
    canvas = Canvas(width=width, height=height, frames=120)
    art = draw(prompt, canvas, tmp_path)
    assert len(art.cards) == len(art.tracks) == len(art.fills) >= 2
    assert art.cuts[-1] == canvas.frames
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


def _drawn(folder: Path, seed: str) -> tuple[Artwork, dict[str, bytes]]:
    folder.mkdir()
    canvas = Canvas(width=160, height=96, frames=30)
    art = draw("Explain how rainbows form", canvas, folder, seed=seed)
    return art, {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_job_is_always_drawn_alike_and_another_job_of_the_same_prompt_is_not(
    tmp_path: Path,
) -> None:
    one, again, other = (
        _drawn(tmp_path / name, seed) for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))
    )
    assert one == again
    assert one[1]["view0_sky.png"] != other[1]["view0_sky.png"]


def _ink(folder: Path, art: Artwork) -> Rgb:
    """Return the colour of the solid pixels of a text."""
    with Image.open(folder / art.cards[0].lines[0].file) as picture:
        colours = picture.convert("RGBA").getcolors(1_000_000) or []
    solid = max((entry for entry in colours if entry[1][3] == 255), key=lambda entry: entry[0])
    assert solid[1][:3] in {light.ink for light in LIGHTS}
    return solid[1][:3]


def test_text_has_no_dark_fringe(tmp_path: Path) -> None:
    art = draw("Explain", Canvas(width=320, height=180, frames=30), tmp_path)
    with Image.open(tmp_path / art.cards[0].lines[0].file) as picture:
        colours = {
            colour[:3]
            for _, colour in picture.convert("RGBA").getcolors(100_000) or []
            if colour[3]
        }
    assert colours == {_ink(tmp_path, art)}


def test_a_large_picture_is_painted_smaller_and_its_text_is_not(tmp_path: Path) -> None:
    art = draw("Explain", Canvas(width=1920, height=1080, frames=30), tmp_path)
    sky = art.cards[0].planes[0].layer
    assert (sky.width, sky.height, sky.is_enlarged) == (1920, 1080, True)
    with Image.open(tmp_path / sky.file) as picture:
        assert picture.size == (1280, 720)
    assert not art.cards[0].lines[0].is_enlarged


def _frames(art: Artwork, numbers: list[int]) -> dict[int, Image.Image]:
    """Return some frames of a clip without its sound, which takes as long as the picture."""
    options = arguments(art, "bare.mp4")
    graph = options.index("-filter_complex") + 1
    options[graph] = options[graph].rpartition(";")[0]
    sound = options.index("[a]")
    clips.ffmpeg(*options[: sound - 1], *options[sound + 1 :])
    chosen = "+".join(f"eq(n,{number})" for number in numbers)
    raw = ("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "raw")
    clips.ffmpeg("-i", "bare.mp4", "-vf", f"select='{chosen}'", *raw)
    pixels = Path("raw").read_bytes()
    width, height = art.canvas.width, art.canvas.height
    size = width * height * 3
    return {
        number: Image.frombytes("RGB", (width, height), pixels[at * size : (at + 1) * size])
        for at, number in enumerate(sorted(numbers))
    }


@pytest.mark.parametrize(
    ("place", "lights"),
    [
        pytest.param(place, lights, id=f"{name}-{place.name}")
        for place in PLACES
        for name, lights in (("dark", place.dark), ("light", place.light))
        if lights
    ],
)
def test_text_is_readable_on_the_drawn_pixels_of_every_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place, lights: tuple[Light, ...]
) -> None:
    chosen = replace(place, dark=lights, light=())
    canvas = Canvas(width=320, height=180, frames=180)
    prompt = "First the long shot of it all. Then it is near. Then far again."
    art = draw_at(chosen, prompt, canvas, tmp_path)
    ink = _ink(tmp_path, art)
    bare = replace(art, cards=tuple(replace(card, lines=()) for card in art.cards))
    monkeypatch.chdir(tmp_path)
    seen = [(start + FPS // 2, end - FPS // 2) for start, end in art.spans]
    frames = _frames(bare, [at for both in seen for at in both])
    for card, both in zip(art.cards, seen, strict=True):
        for at in both:
            for line in card.lines:
                box = (line.x, line.y, line.x + line.width, line.y + line.height)
                area = frames[at].crop(box)
                values = sorted(
                    (contrast(ink, colour), count)
                    for count, colour in area.getcolors(area.width * area.height) or []
                )
                low = sum(count for value, count in values if value < READABLE)
                assert low <= 0.005 * area.width * area.height, (at, values[0])
