"""Draws all layers of a clip.

The module loads Pillow and the fonts, so it is only imported in a worker thread.
"""

from __future__ import annotations

import math
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

from bot.storyboard.drawing.animation import blend_frames
from bot.storyboard.drawing.artwork import Artwork, Canvas, Card
from bot.storyboard.drawing.layer_files import LayerFiles
from bot.storyboard.drawing.scenery.atlas import choose_place
from bot.storyboard.drawing.scenery.painter import Painter, View
from bot.storyboard.drawing.scenery.shade import shade
from bot.storyboard.drawing.text_layers import draw_bar, draw_text, draw_watermark
from bot.storyboard.lettering.clusters import columns
from bot.storyboard.lettering.scenes import clean, split_scenes
from bot.storyboard.lettering.typefaces import Typefaces

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storyboard.drawing.scenery.atlas import Place

_TRANSITIONS = ("fade", "fade", "smoothleft", "smoothright", "smoothup")


def draw(prompt: str, canvas: Canvas, folder: Path, *, seed: str = "") -> Artwork:
    """Draw the clip of a prompt as PNG files in `folder`.

    `seed` varies the pictures.
    """
    place = choose_place(clean(prompt), _random(prompt, seed))
    return draw_at(place, prompt, canvas, folder, seed=seed)


def draw_at(place: Place, prompt: str, canvas: Canvas, folder: Path, *, seed: str = "") -> Artwork:
    """Draw the clip of a prompt at a given place, as PNG files in `folder`."""
    random = _random(prompt, seed)
    typefaces = Typefaces()
    text = clean(typefaces.drawable(clean(prompt)))
    scenes = split_scenes(text, seconds=canvas.seconds)
    lights = place.choose_lights(random, len(scenes))
    files = LayerFiles(canvas=canvas, light=lights[0], typefaces=typefaces, folder=folder)
    # Pictures are painted at most 720 pixels high and then enlarged. Only text has to be sharp.
    zoom = max(1.0, canvas.unit)
    painted = Canvas(
        width=math.ceil(canvas.width / zoom),
        height=math.ceil(canvas.height / zoom),
        frames=canvas.frames,
    )
    cuts = _cuts(scenes, canvas.frames)
    cards: list[Card] = []
    side = random.choice((-1, 1))
    for number, (scene, start, end) in enumerate(zip(scenes, (0, *cuts), cuts, strict=False)):
        lettering = draw_text(files, number + 1, scene)
        frames = end - start + blend_frames(start, end)
        left, top, right, lower = (round(edge / zoom) for edge in lettering.area)
        view = View(
            number=number,
            frames=frames,
            side=side if number % 2 else -side,
            text=(left, top, right, lower),
        )
        painter = Painter(painted, lights[number], view, random)
        place.paint(painter)
        shade(painter, files.light)
        planes = painter.save(files, zoom)
        cards.append(Card(lines=lettering.lines, rule=lettering.rule, planes=planes))
    return Artwork(
        canvas=canvas,
        cards=tuple(cards),
        cuts=cuts,
        watermark=draw_watermark(files),
        tracks=draw_bar(files, len(scenes), "track", 70),
        fills=draw_bar(files, len(scenes), "fill", 235),
        phase=random.random() * math.tau,
        transition=random.choice(_TRANSITIONS),
    )


def _random(prompt: str, seed: str) -> Random:
    return Random(f"{prompt.encode(errors='replace')!r} {seed}")  # noqa: S311  # pictures, no secrets


def _cuts(scenes: tuple[str, ...], frames: int) -> tuple[int, ...]:
    """Return the frames at which the scenes end. A scene with a longer text is shown for longer."""
    weights = [1 + columns(scene) / 60 for scene in scenes]
    scale = frames / sum(weights)
    return tuple(round(end * scale) for end in accumulate(weights))
