"""Builds the ffmpeg arguments that animate an artwork.

They contain only numbers and our own file names, never text from the prompt.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import DRIFT, FPS
from bot.storyboard.drawing.sound import pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.storyboard.drawing.artwork import Artwork, Background, Card, Layer

_THREADS = "2"
_PIXELS = "scale=out_color_matrix=bt709:out_range=tv,format=yuva420p"
_ENCODING = {
    "-c:v": "libx264",
    "-preset": "veryfast",
    "-crf": "19",
    "-threads": _THREADS,
    "-pix_fmt": "yuv420p",
    "-colorspace": "bt709",
    "-color_primaries": "bt709",
    "-color_trc": "bt709",
    "-c:a": "aac",
    "-b:a": "128k",
    "-map_metadata": "-1",
    "-movflags": "+faststart",
    "-f": "mp4",
}
# In seconds.
_FADE_IN = 0.5
_FADE_OUT = 0.34
_RISE = 0.85
_STAGGER = 0.12


def arguments(art: Artwork, output: str) -> list[str]:
    """Return ffmpeg's arguments for animating an artwork into the MP4 `output`."""
    graph = _FilterGraph(art)
    graph.add_background(art.background)
    for card, (start, end) in zip(art.cards, graph.times, strict=True):
        graph.add_card(card, start, end)
    graph.add_progress_bar()
    sound = pad(tuple(start for start, _ in graph.times), art.canvas.seconds, art.phase)
    steps = (*graph.sources(), *graph.steps, f"{graph.picture}format=yuv420p[v]", f"{sound}[a]")
    options = {
        "-filter_complex_threads": _THREADS,
        "-filter_complex": ";".join(steps),
        **_ENCODING,
        "-frames:v": str(art.canvas.frames),
        "-t": f"{art.canvas.seconds:.4f}",
    }
    written = [word for option in options.items() for word in option]
    return ["-v", "warning", *graph.inputs(), *written, "-map", "[v]", "-map", "[a]", output]


class _FilterGraph:
    """A filter graph that is built from back to front; `picture` labels the result so far."""

    def __init__(self, art: Artwork) -> None:
        self.steps: list[str] = []
        self.picture = ""
        self.times = _times(art)
        self._art = art
        self._canvas = art.canvas
        self._unit = art.canvas.unit
        self._uses: dict[str, list[str]] = {}
        self._labels = 0

    def inputs(self) -> list[str]:
        """Return the arguments that open each file once."""
        options = ("-threads", "1", "-framerate", str(FPS), "-f", "image2", "-i")
        return [word for file in self._uses for word in (*options, file)]

    def sources(self) -> list[str]:
        """Return the steps that split each file's stream into one copy per use."""
        return [
            f"[{number}:v]{_PIXELS},split={len(uses)}{''.join(uses)}"
            for number, uses in enumerate(self._uses.values())
        ]

    def add_background(self, background: Background) -> None:
        """Add the fading sky, the drifting glows, the rising sun and the passing hills."""
        length = self._canvas.seconds
        self.picture = self._still(background.sky, "format=yuv420p")
        dusk = self._still(background.dusk)
        dusk = self._add_step(f"{dusk}fade=t=in:st=0:d={length:.4f}:alpha=1")
        self._overlay(dusk, "0", "0")
        for number, glow in enumerate(background.glows):
            angle = f"{self._art.phase + number * 2:.3f}+t*{0.55 + 0.13 * number:.2f}"
            x = f"{glow.x}+{120 * self._unit:.1f}*sin({angle})"
            y = f"{glow.y}+{70 * self._unit:.1f}*cos(0.8*({angle}))"
            self._overlay(self._still(glow), x, y)
        # The sun moves by whole pixels at an even pace, because fractions would make it jitter.
        pace = max(2, math.ceil(self._canvas.frames / (120 * self._unit)))
        rise = f"{background.sun.y + self._canvas.frames // pace // 2}-floor(n/{pace})"
        self._overlay(self._still(background.sun), str(background.sun.x), rise)
        for hill, speed in zip(background.hills, DRIFT, strict=True):
            self._overlay(self._still(hill), f"-{speed}*n", str(hill.y))

    def add_card(self, card: Card, start: float, end: float) -> None:
        """Add a card whose rule and lines appear one after the other and disappear together.

        The first card is visible from the first frame, which players show as a preview.
        """
        stagger = _STAGGER if start else 0.0
        self._add_animated(card.rule, start, end)
        for number, line in enumerate(card.lines):
            self._add_animated(line, start + stagger * (number + 0.6), end)

    def add_progress_bar(self) -> None:
        """Add the progress bar, which fills one segment per scene, and the permanent watermark."""
        self._overlay(
            self._still(self._art.watermark), str(self._art.watermark.x), str(self._art.watermark.y)
        )
        for track, fill, (start, end) in zip(
            self._art.tracks, self._art.fills, self.times, strict=True
        ):
            segment = self._still(track)
            filling = self._still(fill)
            x = f"-w+w*clip((t-{start:.4f})/{end - start:.4f},0,1)"
            segment = self._add_step(f"{segment}{filling}overlay=x='{x}':y=0")
            self._overlay(segment, str(track.x), str(track.y))

    def _add_animated(self, layer: Layer, start: float, end: float) -> None:
        start = min(start, end - 1 / FPS)
        stay = end - start
        fade_in, fade_out = min(_FADE_IN, stay / 3), min(_FADE_OUT, stay / 3)
        appear = f"fade=t=in:st={start:.4f}:d={fade_in:.4f}:alpha=1," if start else ""
        moving = self._add_step(
            f"{self._use(layer.file)}crop={layer.width}:{layer.height}:0:{layer.row}:exact=1,"
            f"{_hold(start, end)},{appear}"
            f"fade=t=out:st={end - fade_out:.4f}:d={fade_out:.4f}:alpha=1"
        )
        rise = f"{44 * self._unit:.1f}*pow(1-clip((t-{start:.4f})/{_RISE},0,1),3)"
        rise = rise if start else "0"
        fall = f"{20 * self._unit:.1f}*pow(clip((t-{end - _FADE_OUT:.4f})/{_FADE_OUT},0,1),2)"
        self._overlay(moving, str(layer.x), f"{layer.y}+{rise}-{fall}")

    def _still(self, layer: Layer, *effects: str) -> str:
        """Show a file as a still picture for the whole clip."""
        steps = ",".join((*effects, _hold(0, self._canvas.seconds)))
        return self._add_step(self._use(layer.file) + steps)

    def _use(self, file: str) -> str:
        label = self._label()
        self._uses.setdefault(file, []).append(label)
        return label

    def _overlay(self, above: str, x: str, y: str) -> None:
        step = f"{self.picture}{above}overlay=x='{x}':y='{y}':eof_action=pass"
        self.picture = self._add_step(step)

    def _add_step(self, step: str) -> str:
        label = self._label()
        self.steps.append(step + label)
        return label

    def _label(self) -> str:
        self._labels += 1
        return f"[l{self._labels}]"


def _hold(start: float, end: float) -> str:
    """Return the filter that decodes a frame once and repeats it from `start` to `end`."""
    count = max(1, round((end - start) * FPS))
    return f"loop=loop={count - 1}:size=1:start=0,setpts=N/({FPS}*TB)+{start:.4f}/TB"


def _times(art: Artwork) -> tuple[tuple[float, float], ...]:
    """Return when each card starts and ends, in seconds."""
    weights: Sequence[float] = [card.weight for card in art.cards]
    scale = art.canvas.seconds / sum(weights)
    ends = [end * scale for end in accumulate(weights)]
    return tuple(zip([0.0, *ends], ends, strict=False))
