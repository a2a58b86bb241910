"""Draws the layers in the foreground: text, watermark and progress bar.

The module loads Pillow and the fonts, so it is only imported in a worker thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image

from bot.storyboard.drawing.artwork import Layer
from bot.storyboard.drawing.layer_files import pill, tint
from bot.storyboard.lettering.directions import base_level
from bot.storyboard.lettering.shaping import Shaper
from bot.storyboard.lettering.typefaces import Style
from bot.storyboard.lettering.typesetting import TextBox, fit

if TYPE_CHECKING:
    from bot.storyboard.drawing.layer_files import LayerFiles
    from bot.storyboard.drawing.scenery.lights import Light
    from bot.storyboard.lettering.shaping import DrawnLine

_WATERMARK = "storyboard preview"
_TITLE = Style(weight=700, is_display=True)
_TEXT = Style(weight=600)
_SMALL = Style(weight=500)
_LEADING = 1.24
_BASELINE = 0.9  # the distance of the baseline from the top of a line, in type sizes
_BAR_HEIGHT = 5
_GAP = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Lettering:
    """The layers of a card's text."""

    lines: tuple[Layer, ...]
    rule: Layer

    @property
    def area(self) -> tuple[int, int, int, int]:
        """The edges of the text: left, top, right, lower."""
        parts = (*self.lines, self.rule)
        left, top = min(part.x for part in parts), min(part.y for part in parts)
        right = max(part.x + part.width for part in parts)
        return left, top, right, max(part.y + part.height for part in parts)


def draw_text(layer_files: LayerFiles, number: int, text: str) -> Lettering:
    """Draw the text of a scene. The scene with the number 1 is the title."""
    is_title = number == 1
    shaper = Shaper(layer_files.typefaces, _TITLE if is_title else _TEXT)
    layout = fit(text, _box(layer_files, is_title=is_title), shaper)
    height = len(layout.lines) * layout.size * _LEADING
    top = layer_files.canvas.height * (0.31 if layer_files.canvas.is_tall else 0.345) - height / 2
    base = base_level(text)
    if base:  # the watermark is on this side, so the text has to be below it
        top = max(top, layer_files.canvas.margin * 0.6 + 90 * layer_files.canvas.unit)
    drawn = [shaper.draw(line, base, layout.size) for line in layout.lines]
    baselines = [top + layout.size * (_LEADING * n + _BASELINE) for n in range(len(layout.lines))]
    lines = _lines(layer_files, f"card{number}", drawn, baselines, base)
    return Lettering(
        lines=lines, rule=_rule(layer_files, top + layout.size * (_BASELINE - 0.75), base)
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
    layer_files: LayerFiles, name: str, drawn: list[DrawnLine], baselines: list[float], base: int
) -> tuple[Layer, ...]:
    """Draw all lines into one file. Each line is a layer, because each is animated separately.

    Text that is written from right to left is aligned to the right.
    """
    canvas = layer_files.canvas
    sheet = Image.new(
        "RGBA",
        (max(line.letters.width for line in drawn), sum(line.letters.height for line in drawn)),
    )
    layers: list[Layer] = []
    row = 0
    for line, baseline in zip(drawn, baselines, strict=True):
        picture = _coloured(line, layer_files.light)
        sheet.paste(picture, (0, row))
        # Align the visible ink, ignoring the glyphs' side bearings.
        x = canvas.width - canvas.margin - picture.width if base else canvas.margin
        layers.append(
            Layer(
                file="",
                x=x,
                y=round(baseline) + line.top,
                width=picture.width,
                height=picture.height,
                row=row,
            )
        )
        row += picture.height
    file = layer_files.save(name, sheet, 0, 0).file
    return tuple(replace(layer, file=file) for layer in layers)


def _coloured(line: DrawnLine, light: Light) -> Image.Image:
    """Return a line with its letters in the ink colour and its emoji in the accent colour."""
    picture = tint(line.letters, light.ink)
    if line.emoji.getbbox():
        picture.paste(tint(line.emoji, light.accent), mask=line.emoji)
    return picture


def _rule(layer_files: LayerFiles, text_top: float, base: int) -> Layer:
    canvas = layer_files.canvas
    mask = pill(round(64 * canvas.unit), max(2, round(6 * canvas.unit)), 255)
    x = canvas.width - canvas.margin - mask.width if base else canvas.margin
    y = max(2.0, text_top - 40 * canvas.unit)
    return layer_files.save(f"rule{base}", tint(mask, layer_files.light.accent), x, y)


def draw_watermark(layer_files: LayerFiles) -> Layer:
    """Draw the watermark, which says that the video is a preview."""
    size = max(8.0, 20 * layer_files.canvas.unit)
    text = Shaper(layer_files.typefaces, _SMALL).draw(_WATERMARK, 0, size)
    indent = round(size * 0.75)
    mask = Image.new("L", (text.letters.width + indent, text.letters.height))
    mask.paste(text.letters, (indent, 0))
    dot = max(2, round(size * 0.4))
    mask.paste(pill(dot, dot, 255), (0, round(-text.top - size * 0.38 - dot / 2)))
    canvas = layer_files.canvas
    x = canvas.width - canvas.margin - mask.width
    return layer_files.save("mark", tint(mask, layer_files.light.ink), x, canvas.margin * 0.6)


def draw_bar(layer_files: LayerFiles, count: int, name: str, alpha: int) -> tuple[Layer, ...]:
    """Draw the progress bar, with one segment for each scene. All segments share one file."""
    canvas = layer_files.canvas
    gap = max(2, round(_GAP * canvas.unit))
    height = max(2, round(_BAR_HEIGHT * canvas.unit))
    width = (canvas.width - 2 * canvas.margin - gap * (count - 1)) // count
    y = canvas.height - canvas.margin * 0.6 - height
    first = layer_files.save(
        name, tint(pill(width, height, alpha), layer_files.light.ink), canvas.margin, y
    )
    return tuple(replace(first, x=first.x + n * (width + gap)) for n in range(count))
