"""Draws every layer of a clip.

Only to be imported off the event loop: it loads Pillow and the font.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Artwork, Stage
from bot.storyboard.drawing.background import draw_scenery
from bot.storyboard.drawing.layer_files import Easel
from bot.storyboard.drawing.palette import palette_for
from bot.storyboard.drawing.scenes import clean, split_scenes
from bot.storyboard.drawing.text_layers import draw_bar, draw_card, draw_mark
from bot.storyboard.drawing.typesetting import choose_typeface

if TYPE_CHECKING:
    from pathlib import Path


def draw(prompt: str, stage: Stage, folder: Path) -> Artwork:
    """Draw a prompt's clip as PNG files in `folder`: the same prompt, the same pictures."""
    digest = hashlib.sha256(prompt.encode(errors="replace")).digest()
    text = clean(prompt)
    typeface = choose_typeface(text)
    easel = Easel(
        stage=stage,
        palette=palette_for(prompt),
        typeface=typeface,
        digest=digest,
        folder=folder,
    )
    scenes = split_scenes(clean(typeface.drawable(text)), seconds=stage.seconds)
    return Artwork(
        stage=stage,
        scenery=draw_scenery(easel),
        cards=tuple(draw_card(easel, number, text) for number, text in enumerate(scenes, 1)),
        mark=draw_mark(easel),
        tracks=draw_bar(easel, len(scenes), "track", 70),
        fills=draw_bar(easel, len(scenes), "fill", 235),
        phase=digest[8] / 256 * math.tau,
    )
