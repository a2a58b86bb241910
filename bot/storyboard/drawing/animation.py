"""Writes the ffmpeg arguments that set an artwork in motion: our own file names, and numbers."""

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
_IN = 0.5
_OUT = 0.34
_TRAVEL = 0.85
_STAGGER = 0.12


def arguments(art: Artwork, output: str) -> list[str]:
    """Return the arguments that animate an artwork's files into the MP4 `output`."""
    film = _Film(art)
    film.play_scenery(art.background)
    for card, (start, end) in zip(art.cards, film.times, strict=True):
        film.play_card(card, start, end)
    film.play_bar()
    sound = pad(tuple(start for start, _ in film.times), art.stage.seconds, art.phase)
    graph = ";".join(
        (*film.sources(), *film.steps, f"{film.picture}format=yuv420p[v]", f"{sound}[a]")
    )
    return [
        *("-v", "warning"),
        *film.inputs(),
        *(
            "-filter_complex_threads",
            _THREADS,
            "-filter_complex",
            graph,
            "-map",
            "[v]",
            "-map",
            "[a]",
        ),
        *("-frames:v", str(art.stage.frames), "-t", f"{art.stage.seconds:.4f}"),
        *(
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "19",
            "-threads",
            _THREADS,
            "-pix_fmt",
            "yuv420p",
        ),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-c:a", "aac", "-b:a", "128k", "-map_metadata", "-1"),
        *("-movflags", "+faststart", "-f", "mp4", output),
    ]


class _Film:
    """A filter graph that grows from back to front; `picture` is the label of what there is."""

    def __init__(self, art: Artwork) -> None:
        self.steps: list[str] = []
        self.picture = ""
        self.times = _times(art)
        self._art = art
        self._stage = art.stage
        self._unit = art.stage.unit
        self._uses: dict[str, list[str]] = {}
        self._labels = 0

    def inputs(self) -> list[str]:
        """Return the arguments that open each file once."""
        how = ("-threads", "1", "-framerate", str(FPS), "-f", "image2", "-i")
        return [word for file in self._uses for word in (*how, file)]

    def sources(self) -> list[str]:
        """Return the steps that share each file among its uses."""
        return [
            f"[{number}:v]{_PIXELS},split={len(uses)}{''.join(uses)}"
            for number, uses in enumerate(self._uses.values())
        ]

    def play_scenery(self, background: Background) -> None:
        """Let the sky change, the lights wander, the sun rise and the hills pass."""
        length = self._stage.seconds
        self.picture = self._still(background.sky, "format=yuv420p")
        dusk = self._still(background.dusk)
        dusk = self._chain(f"{dusk}fade=t=in:st=0:d={length:.4f}:alpha=1")
        self._lay(dusk, "0", "0")
        for number, glow in enumerate(background.glows):
            angle = f"{self._art.phase + number * 2:.3f}+t*{0.55 + 0.13 * number:.2f}"
            x = f"{glow.x}+{120 * self._unit:.1f}*sin({angle})"
            y = f"{glow.y}+{70 * self._unit:.1f}*cos(0.8*({angle}))"
            self._lay(self._still(glow), x, y)
        # Whole pixels at an even pace: a disc that moves by fractions of one would tremble.
        pace = max(2, math.ceil(self._stage.frames / (120 * self._unit)))
        rise = f"{background.sun.y + self._stage.frames // pace // 2}-floor(n/{pace})"
        self._lay(self._still(background.sun), str(background.sun.x), rise)
        for hill, speed in zip(background.hills, DRIFT, strict=True):
            self._lay(self._still(hill), f"-{speed}*n", str(hill.y))

    def play_card(self, card: Card, start: float, end: float) -> None:
        """Let a card's rule and lines come in one after the other, and leave together.

        The first card is there from the first frame on, which is what players show of a video.
        """
        stagger = _STAGGER if start else 0.0
        self._enter(card.rule, start, end)
        for number, line in enumerate(card.lines):
            self._enter(line, start + stagger * (number + 0.6), end)

    def play_bar(self) -> None:
        """Fill one segment of the bar per scene; the honest mark stays all the time."""
        self._lay(self._still(self._art.mark), str(self._art.mark.x), str(self._art.mark.y))
        for track, fill, (start, end) in zip(
            self._art.tracks, self._art.fills, self.times, strict=True
        ):
            segment = self._still(track)
            filling = self._still(fill)
            x = f"-w+w*clip((t-{start:.4f})/{end - start:.4f},0,1)"
            segment = self._chain(f"{segment}{filling}overlay=x='{x}':y=0")
            self._lay(segment, str(track.x), str(track.y))

    def _enter(self, layer: Layer, start: float, end: float) -> None:
        start = min(start, end - 1 / FPS)
        stay = end - start
        fade_in, fade_out = min(_IN, stay / 3), min(_OUT, stay / 3)
        come = f"fade=t=in:st={start:.4f}:d={fade_in:.4f}:alpha=1," if start else ""
        moving = self._chain(
            f"{self._open(layer.file)}crop={layer.width}:{layer.height}:0:{layer.row}:exact=1,"
            f"{_held(start, end)},{come}"
            f"fade=t=out:st={end - fade_out:.4f}:d={fade_out:.4f}:alpha=1"
        )
        rise = f"{44 * self._unit:.1f}*pow(1-clip((t-{start:.4f})/{_TRAVEL},0,1),3)"
        rise = rise if start else "0"
        leave = f"{20 * self._unit:.1f}*pow(clip((t-{end - _OUT:.4f})/{_OUT},0,1),2)"
        self._lay(moving, str(layer.x), f"{layer.y}+{rise}-{leave}")

    def _still(self, layer: Layer, *effects: str) -> str:
        """Open a file, and hold it for the whole clip."""
        steps = ",".join((*effects, _held(0, self._stage.seconds)))
        return self._chain(self._open(layer.file) + steps)

    def _open(self, file: str) -> str:
        label = self._label()
        self._uses.setdefault(file, []).append(label)
        return label

    def _lay(self, above: str, x: str, y: str) -> None:
        step = f"{self.picture}{above}overlay=x='{x}':y='{y}':eof_action=pass"
        self.picture = self._chain(step)

    def _chain(self, step: str) -> str:
        label = self._label()
        self.steps.append(step + label)
        return label

    def _label(self) -> str:
        self._labels += 1
        return f"[l{self._labels}]"


def _held(start: float, end: float) -> str:
    """Repeat a single frame from `start` to `end`, without decoding it again."""
    count = max(1, round((end - start) * FPS))
    return f"loop=loop={count - 1}:size=1:start=0,setpts=N/({FPS}*TB)+{start:.4f}/TB"


def _times(art: Artwork) -> tuple[tuple[float, float], ...]:
    """Return when each card starts and ends, in seconds."""
    weights: Sequence[float] = [card.weight for card in art.cards]
    scale = art.stage.seconds / sum(weights)
    ends = [end * scale for end in accumulate(weights)]
    return tuple(zip([0.0, *ends], ends, strict=False))
