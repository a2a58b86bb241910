"""Builds the arguments with which ffmpeg animates an artwork.

The arguments contain only numbers and this program's own file names, but no text from the prompt.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.storyboard.drawing.artwork import FPS
from bot.storyboard.drawing.sound import pad

if TYPE_CHECKING:
    from bot.storyboard.drawing.artwork import Artwork, Card, Layer, Motion, Plane

_THREADS = "2"
_PIXELS = "scale={size}out_color_matrix=bt709:out_range=tv,format=yuva420p"
_GRAIN = "noise=c0s=5:c0_seed=7"  # reduces banding, and is the same in every frame
_ENCODING = {
    "-c:v": "libx264",
    "-preset": "veryfast",
    "-crf": "20",
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
# The seconds in which the clip fades in.
_FADE_IN = 0.5
_FADE_OUT = 0.34
_RISE = 0.85
_STAGGER = 0.12
_BLEND = 14
"""One picture blends into the next during this many frames."""
_SPARE = 2
"""Each picture needs this many additional frames, because a transition rounds its start."""


def arguments(art: Artwork, output: str) -> list[str]:
    """Return the arguments with which ffmpeg animates an artwork and writes `output`, an MP4."""
    graph = _FilterGraph(art)
    graph.add_pictures()
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
    """A filter graph for ffmpeg, built from the back to the front of the picture.

    `picture` is the label of the result so far.
    """

    def __init__(self, art: Artwork) -> None:
        self.steps: list[str] = []
        self.picture = ""
        self.times = tuple((start / FPS, end / FPS) for start, end in art.spans)
        self._art = art
        self._canvas = art.canvas
        self._unit = art.canvas.unit
        self._uses: dict[str, list[str]] = {}
        self._enlarged: dict[str, Layer] = {}
        self._labels = 0

    def inputs(self) -> list[str]:
        """Return the arguments that open each file once."""
        options = ("-threads", "1", "-framerate", str(FPS), "-f", "image2", "-i")
        return [word for file in self._uses for word in (*options, file)]

    def sources(self) -> list[str]:
        """Return the steps that copy each file's stream, so that each use has its own copy."""
        return [
            f"[{number}:v]{self._pixels(file)},split={len(uses)}{''.join(uses)}"
            for number, (file, uses) in enumerate(self._uses.items())
        ]

    def _pixels(self, file: str) -> str:
        layer = self._enlarged.get(file)
        return _PIXELS.format(size=f"w={layer.width}:h={layer.height}:" if layer else "")

    def add_pictures(self) -> None:
        """Add the moving pictures behind the text. Each picture blends into the next."""
        blends = [blend_frames(start, end) for start, end in self._art.spans[1:]]
        for card, (start, end), before, after in zip(
            self._art.cards, self._art.spans, [0, *blends], [*blends, 0], strict=True
        ):
            earlier = self.picture
            self._add_picture(card.planes, end - start + before - before // 2 + after // 2 + _SPARE)
            if earlier:
                offset = (start - (before - before // 2)) / FPS
                self.picture = self._add_step(
                    f"{earlier}{self.picture}xfade=transition={self._art.transition}"
                    f":duration={before / FPS:.6f}:offset={offset:.6f}"
                )

    def _add_picture(self, planes: tuple[Plane, ...], frames: int) -> None:
        self.picture = self._add_step(
            f"{self._use_whole(planes[0].layer)}format=yuv420p,{_GRAIN},{_hold(0, frames / FPS)}"
        )
        for plane in planes[1:]:
            layer = self._add_step(f"{self._use_whole(plane.layer)}{_hold(0, frames / FPS)}")
            self._overlay(layer, *_path(plane.layer, plane.motion))

    def add_card(self, card: Card, start: float, end: float) -> None:
        """Add a scene's card.

        The card's rule and lines of text appear one after another, and disappear together.

        The first card is visible in the first frame already, because players show that frame as a
        preview.
        """
        stagger = _STAGGER if start else 0.0
        self._add_animated(card.rule, start, end)
        for number, line in enumerate(card.lines):
            self._add_animated(line, start + stagger * (number + 0.6), end)

    def add_progress_bar(self) -> None:
        """Add the watermark and the progress bar.

        Both are always visible. Each scene fills one segment of the bar.
        """
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
        """Show a file as a still picture during the whole clip."""
        steps = ",".join((*effects, _hold(0, self._canvas.seconds)))
        return self._add_step(self._use(layer.file) + steps)

    def _use_whole(self, layer: Layer) -> str:
        if layer.is_enlarged:
            self._enlarged[layer.file] = layer
        return self._use(layer.file)

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
    """Return a filter that decodes one frame, and repeats it from `start` to `end`."""
    count = max(1, round((end - start) * FPS))
    return f"loop=loop={count - 1}:size=1:start=0,setpts=N/({FPS}*TB)+{start:.4f}/TB"


def blend_frames(start: int, end: int) -> int:
    """Return the number of frames in which the previous picture blends into a card's picture."""
    return max(2, min(_BLEND, (end - start) // 2))


def _path(layer: Layer, motion: Motion) -> tuple[str, str]:
    """Return the expressions for the position of a moving layer."""
    angle = f"{math.tau / motion.period:.4f}*t+{motion.phase:.2f}"
    x = f"{layer.x}" + _pace(motion.dx) + (f"+{motion.sway:.1f}*sin({angle})" * (motion.sway > 0))
    y = f"{layer.y}" + _pace(motion.dy) + (f"+{motion.bob:.1f}*cos({angle})" * (motion.bob > 0))
    return x, y


def _pace(speed: float) -> str:
    return f"+floor(n*{speed:.5f}+0.001)" if speed else ""
