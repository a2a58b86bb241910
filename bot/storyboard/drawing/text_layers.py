"""Draws what is read: the cards, the mark and the progress bar.

Only to be imported off the event loop: it loads Pillow and the font.
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

_MARK = "storyboard preview"
_LEADING = 1.2
_BASELINE = 0.88  # of a line's size, below its top
_PAD = 2
_BAR_HEIGHT = 5
_GAP = 10


def draw_card(layer_files: LayerFiles, number: int, text: str) -> Card:
    """Draw scene `number` of a clip, from 1; the first one is its title."""
    is_title = number == 1
    weight = 800 if is_title else 600
    setting = fit(text, _box(layer_files, is_title=is_title), layer_files.typeface, weight)
    height = len(setting.lines) * setting.size * _LEADING
    top = layer_files.stage.height * (0.38 if layer_files.stage.is_tall else 0.41) - height / 2
    lines = _lines(layer_files, f"card{number}", setting, weight, top)
    return Card(
        lines=lines,
        rule=_rule(layer_files, lines[0].y),
        weight=1 + columns(text) / 60,
    )


def _box(layer_files: LayerFiles, *, is_title: bool) -> TextBox:
    stage = layer_files.stage
    room = stage.width - 2 * stage.margin
    largest = 118 if is_title else 100
    return TextBox(
        width=round(room if stage.is_tall else room * 0.86),
        height=round(stage.height * 0.44),
        largest=largest * stage.unit * (0.86 if stage.is_tall else 1),
        smallest=max(8.0, 30 * stage.unit),
        most_lines=5 if stage.is_tall else 4,
        leading=_LEADING,
    )


def _lines(
    layer_files: LayerFiles, name: str, setting: TextLayout, weight: int, top: float
) -> tuple[Layer, ...]:
    """Draw the lines one below the other into one file, so that each can move by itself."""
    face = layer_files.typeface.at(setting.size, weight)
    masks = [_text(line, face) for line in setting.lines]
    sheet = Image.new(
        "L", (max(mask.width for mask, _, _ in masks), sum(mask.height for mask, _, _ in masks))
    )
    layers: list[Layer] = []
    row = 0
    for number, (mask, _, upper) in enumerate(masks):
        sheet.paste(mask, (0, row))
        baseline = top + setting.size * (_LEADING * number + _BASELINE)
        layers.append(
            Layer(
                file="",
                x=layer_files.stage.margin - _PAD,  # inked edges line up, not side bearings
                y=round(baseline) + upper,
                width=mask.width,
                height=mask.height,
                row=row,
            )
        )
        row += mask.height
    file = layer_files.save(name, tint(sheet, layer_files.palette.ink), 0, 0).file
    return tuple(replace(layer, file=file) for layer in layers)


def _text(text: str, face: FreeTypeFont, alpha: int = 255) -> tuple[Image.Image, int, int]:
    """Return a line's mask, and where its corner is from the start of its baseline."""
    left, upper, right, lower = face.getbbox(text, anchor="ls")
    x, y = math.floor(left) - _PAD, math.floor(upper) - _PAD
    mask = Image.new("L", (math.ceil(right) + _PAD - x, math.ceil(lower) + _PAD - y))
    ImageDraw.Draw(mask).text((-x, -y), text, font=face, fill=alpha, anchor="ls")
    return mask, x, y


def _rule(layer_files: LayerFiles, text_top: int) -> Layer:
    stage = layer_files.stage
    mask = pill(round(64 * stage.unit), max(2, round(6 * stage.unit)), 255)
    y = text_top - 40 * stage.unit
    return layer_files.save("rule", tint(mask, layer_files.palette.accent), stage.margin, y)


def draw_mark(layer_files: LayerFiles) -> Layer:
    """Draw the honest mark: this is a preview."""
    size = max(8.0, 20 * layer_files.stage.unit)
    text, _, upper = _text(_MARK, layer_files.typeface.at(size, 500), 190)
    indent = round(size * 0.75)
    mask = Image.new("L", (text.width + indent, text.height))
    mask.paste(text, (indent, 0))
    dot = max(2, round(size * 0.4))
    mask.paste(pill(dot, dot, 190), (0, round(-upper - size * 0.38 - dot / 2)))
    stage = layer_files.stage
    x = stage.width - stage.margin - mask.width
    return layer_files.save("mark", tint(mask, layer_files.palette.ink), x, stage.margin * 0.6)


def draw_bar(layer_files: LayerFiles, count: int, name: str, alpha: int) -> tuple[Layer, ...]:
    """Draw the progress bar, one segment per scene; all segments share one file."""
    stage = layer_files.stage
    gap = max(2, round(_GAP * stage.unit))
    height = max(2, round(_BAR_HEIGHT * stage.unit))
    width = (stage.width - 2 * stage.margin - gap * (count - 1)) // count
    y = stage.height - stage.margin * 0.6 - height
    first = layer_files.save(
        name, tint(pill(width, height, alpha), layer_files.palette.ink), stage.margin, y
    )
    return tuple(replace(first, x=first.x + n * (width + gap)) for n in range(count))
