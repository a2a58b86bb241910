"""Draws all layers of a clip.

Imported only in a worker thread, because it loads Pillow and the fonts.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import Artwork, Canvas
from bot.storyboard.drawing.background import draw_background
from bot.storyboard.drawing.layer_files import LayerFiles
from bot.storyboard.drawing.palette import palette_for
from bot.storyboard.drawing.text_layers import draw_bar, draw_card, draw_watermark
from bot.storyboard.lettering.scenes import clean, split_scenes
from bot.storyboard.lettering.typefaces import Typefaces

if TYPE_CHECKING:
    from pathlib import Path


def draw(prompt: str, canvas: Canvas, folder: Path) -> Artwork:
    """Draw a prompt's clip as PNG files in `folder`; the same prompt gives the same pictures."""
    digest = hashlib.sha256(prompt.encode(errors="replace")).digest()
    text = clean(prompt)
    typefaces = Typefaces()
    layer_files = LayerFiles(
        canvas=canvas,
        palette=palette_for(prompt),
        typefaces=typefaces,
        digest=digest,
        folder=folder,
    )
    scenes = split_scenes(clean(typefaces.drawable(text)), seconds=canvas.seconds)
    return Artwork(
        canvas=canvas,
        background=draw_background(layer_files),
        cards=tuple(draw_card(layer_files, number, text) for number, text in enumerate(scenes, 1)),
        watermark=draw_watermark(layer_files),
        tracks=draw_bar(layer_files, len(scenes), "track", 70),
        fills=draw_bar(layer_files, len(scenes), "fill", 235),
        phase=digest[8] / 256 * math.tau,
    )
