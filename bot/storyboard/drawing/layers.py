"""Draws every layer of a clip.

Only to be imported off the event loop: it loads Pillow and the font.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Artwork, Canvas
from bot.storyboard.drawing.background import draw_scenery
from bot.storyboard.drawing.layer_files import LayerFiles
from bot.storyboard.drawing.palette import palette_for
from bot.storyboard.drawing.scenes import clean, split_scenes
from bot.storyboard.drawing.text_layers import draw_bar, draw_card, draw_mark
from bot.storyboard.drawing.typesetting import choose_typeface

if TYPE_CHECKING:
    from pathlib import Path


def draw(prompt: str, stage: Canvas, folder: Path) -> Artwork:
    """Draw a prompt's clip as PNG files in `folder`: the same prompt, the same pictures."""
    digest = hashlib.sha256(prompt.encode(errors="replace")).digest()
    text = clean(prompt)
    typeface = choose_typeface(text)
    layer_files = LayerFiles(
        stage=stage,
        palette=palette_for(prompt),
        typeface=typeface,
        digest=digest,
        folder=folder,
    )
    scenes = split_scenes(clean(typeface.drawable(text)), seconds=stage.seconds)
    return Artwork(
        stage=stage,
        background=draw_scenery(layer_files),
        cards=tuple(draw_card(layer_files, number, text) for number, text in enumerate(scenes, 1)),
        mark=draw_mark(layer_files),
        tracks=draw_bar(layer_files, len(scenes), "track", 70),
        fills=draw_bar(layer_files, len(scenes), "fill", 235),
        phase=digest[8] / 256 * math.tau,
    )
