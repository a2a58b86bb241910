"""Draws the foreground: the text cards, the watermark and the progress bar.

Imported only in a worker thread, because it loads Pillow and the fonts.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from bot.storyboard.drawing.artwork import Card, Layer
from bot.storyboard.drawing.layer_files import pill, tint
from bot.storyboard.drawing.line_breaks import columns
from bot.storyboard.drawing.typesetting import TextBox, fit

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

    from bot.storyboard.drawing.layer_files import LayerFiles
    from bot.storyboard.drawing.typesetting import TextLayout

_WATERMARK = "storyboard preview"
_LEADING = 1.2
_BASELINE = 0.88  # the distance from a line's top, relative to the type size
_PADDING = 2
_BAR_HEIGHT = 5
_GAP = 10


def draw_card(layer_files: LayerFiles, number: int, text: str) -> Card:
    """Draw the card of scene `number`, counted from 1; the first is the title."""
    is_title = number == 1
    weight = 800 if is_title else 600
    layout = fit(text, _box(layer_files, is_title=is_title), layer_files.typeface, weight)
    height = len(layout.lines) * layout.size * _LEADING
    top = layer_files.canvas.height * (0.38 if layer_files.canvas.is_tall else 0.41) - height / 2
    lines = _lines(layer_files, f"card{number}", layout, weight, top)
    return Card(
        lines=lines,
        rule=_rule(layer_files, lines[0].y),
        weight=1 + columns(text) / 60,
    )


def _box(layer_files: LayerFiles, *, is_title: bool) -> TextBox:
    canvas = layer_files.canvas
    room = canvas.width - 2 * canvas.margin
    largest = 118 if is_title else 100
    return TextBox(
        width=round(room if canvas.is_tall else room * 0.86),
        height=round(canvas.height * 0.44),
        largest=largest * canvas.unit * (0.86 if canvas.is_tall else 1),
        smallest=max(8.0, 30 * canvas.unit),
        max_lines=5 if canvas.is_tall else 4,
        leading=_LEADING,
    )


def _lines(
    layer_files: LayerFiles, name: str, layout: TextLayout, weight: int, top: float
) -> tuple[Layer, ...]:
    """Draw the lines into one file, each as its own layer, because each is animated separately."""
    font = layer_files.typeface.at(layout.size, weight)
    masks = [_text(line, font) for line in layout.lines]
    sheet = Image.new(
        "L", (max(mask.width for mask, _, _ in masks), sum(mask.height for mask, _, _ in masks))
    )
    layers: list[Layer] = []
    row = 0
    for number, (mask, _, top_offset) in enumerate(masks):
        sheet.paste(mask, (0, row))
        baseline = top + layout.size * (_LEADING * number + _BASELINE)
        layers.append(
            Layer(
                file="",
                x=layer_files.canvas.margin - _PADDING,  # aligns the ink, not the side bearings
                y=round(baseline) + top_offset,
                width=mask.width,
                height=mask.height,
                row=row,
            )
        )
        row += mask.height
    file = layer_files.save(name, tint(sheet, layer_files.palette.ink), 0, 0).file
    return tuple(replace(layer, file=file) for layer in layers)


def _text(text: str, font: FreeTypeFont, alpha: int = 255) -> tuple[Image.Image, int, int]:
    """Return a line's mask, and its top left corner's offset from the start of the baseline."""
    left, top_offset, right, lower = font.getbbox(text, anchor="ls")
    x, y = math.floor(left) - _PADDING, math.floor(top_offset) - _PADDING
    mask = Image.new("L", (math.ceil(right) + _PADDING - x, math.ceil(lower) + _PADDING - y))
    ImageDraw.Draw(mask).text((-x, -y), text, font=font, fill=alpha, anchor="ls")
    return mask, x, y


def _rule(layer_files: LayerFiles, text_top: int) -> Layer:
    canvas = layer_files.canvas
    mask = pill(round(64 * canvas.unit), max(2, round(6 * canvas.unit)), 255)
    y = text_top - 40 * canvas.unit
    return layer_files.save("rule", tint(mask, layer_files.palette.accent), canvas.margin, y)


def draw_watermark(layer_files: LayerFiles) -> Layer:
    """Draw the watermark that says that the video is a preview."""
    size = max(8.0, 20 * layer_files.canvas.unit)
    text, _, top_offset = _text(_WATERMARK, layer_files.typeface.at(size, 500), 190)
    indent = round(size * 0.75)
    mask = Image.new("L", (text.width + indent, text.height))
    mask.paste(text, (indent, 0))
    dot = max(2, round(size * 0.4))
    mask.paste(pill(dot, dot, 190), (0, round(-top_offset - size * 0.38 - dot / 2)))
    canvas = layer_files.canvas
    x = canvas.width - canvas.margin - mask.width
    return layer_files.save("mark", tint(mask, layer_files.palette.ink), x, canvas.margin * 0.6)


def draw_bar(layer_files: LayerFiles, count: int, name: str, alpha: int) -> tuple[Layer, ...]:
    """Draw the progress bar with one segment per scene; all segments share one file."""
    canvas = layer_files.canvas
    gap = max(2, round(_GAP * canvas.unit))
    height = max(2, round(_BAR_HEIGHT * canvas.unit))
    width = (canvas.width - 2 * canvas.margin - gap * (count - 1)) // count
    y = canvas.height - canvas.margin * 0.6 - height
    first = layer_files.save(
        name, tint(pill(width, height, alpha), layer_files.palette.ink), canvas.margin, y
    )
    return tuple(replace(first, x=first.x + n * (width + gap)) for n in range(count))
