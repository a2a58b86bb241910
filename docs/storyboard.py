"""Writes docs/storyboard.md: 24 prompts in three sizes on one sheet, and what a clip costs to make.

`make storyboard` runs it. Every picture is a frame of a clip that was rendered for it.
"""

# ruff: noqa: RUF001  # prompts in many scripts

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
from PIL import Image

from bot.media.process.ffmpeg import Ffmpeg
from bot.storyboard.clip_renderer import ClipRenderer
from bot.storyboard.clip_store import ClipOrder

PAGE = Path(__file__).with_suffix(".md")
SHEET = Path(__file__).with_suffix(".jpg")
_FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())
PROMPTS = (
    "A red boat leaves the harbour at dawn",
    "👩‍🚀🚀🪐 🏳️‍🌈 👍🏽",
    "Rain",
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz",
    "Ein Spaziergang im verschneiten Dorf, bei Nacht",
    "1. A seed falls. 2. It sleeps under snow. 3. A forest grows.",
    "The history of the lighthouse keeper is told by the sea. " * 35,
    "東京の夜の街を電車が走る",
    "彩虹是怎样形成的？",
    "한국의 가을 숲을 걷는 사람",
    "كيف يتشكل قوس قزح بعد المطر؟",
    "איך נולד כוכב בחלל?",
    "Как кит спит под водой?",
    "Πώς γεννιέται μια καταιγίδα με βροχή",
    "ცისარტყელა მთებში",
    "Ծիածան լեռներում",
    "แมวนอนริมหน้าต่างในวันฝนตก",
    "வானவில் எப்படி உருவாகிறது?",
    "इंद्रधनुष कैसे बनता है?",
    "রংধনু কীভাবে তৈরি হয়?",
    "ឥន្ធនូកើតឡើងយ៉ាងដូចម្តេច",
    "ቀስተ ደመና እንዴት ይፈጠራል?",
    "A jazz band plays on a small stage 🎷",
    "Why do leaves change colour? Show the garden in autumn.",
)
_SHAPES = ("640x360", "360x640", "480x480")
_ROW = 150
_COLUMNS = 3
_GAP = 6
_AT = 0.8  # the time in a clip, in seconds, of the frame that is shown
_COSTS = ("640x360", "1280x720", "1920x1080")
_BEFORE = {
    "640x360": "1.3 s, 83 MB",
    "1280x720": "2.9 s, 200 MB",
    "1920x1080": "5.7 s, 385 MB",
}
_INTRO = """\
# The storyboard's pictures

Without a video service, Clapper draws title cards: the words of the prompt over a place that they
name. The sheet shows one frame each of 24 prompts in three sizes. `make storyboard` renders the
clips and writes this page.

![24 prompts in three sizes](storyboard.jpg)

## What a clip costs

A clip of 8 seconds, drawn and encoded: the processor time, a mean of three clips, and the most
memory that ffmpeg takes beside the bot. Version 0.3.0 drew one sun over hills.

| Size | Time | Memory | Version 0.3.0 |
| --- | --- | --- | --- |
"""


def main() -> None:
    """Write the sheet and the page."""
    with TemporaryDirectory() as folder:
        _draw_sheet(Path(folder)).save(SHEET, quality=80, optimize=True, progressive=True)
    rows = [_cost(size) for size in _COSTS]
    PAGE.write_text(_INTRO + "\n".join(rows) + "\n", encoding="utf-8")


def _draw_sheet(folder: Path) -> Image.Image:
    widths = [round(_ROW * wide / high) for wide, high in map(_sides, _SHAPES)]
    block = sum(widths) + _GAP * 4
    lines = -(-len(PROMPTS) // _COLUMNS)
    sheet = Image.new("RGB", (block * _COLUMNS, (_ROW + _GAP) * lines + _GAP), "white")
    for number, prompt in enumerate(PROMPTS):
        x = number // lines * block + _GAP
        y = number % lines * (_ROW + _GAP) + _GAP
        for width, shape in zip(widths, _SHAPES, strict=True):
            sheet.paste(_frame(folder / f"{number}_{shape}", prompt, shape, width), (x, y))
            x += width + _GAP
    return sheet


def _frame(folder: Path, prompt: str, shape: str, width: int) -> Image.Image:
    folder.mkdir()
    clip = asyncio.run(_render(folder, prompt, shape, seconds=4))
    picture = folder / "frame.png"
    command = [str(_FFMPEG), "-v", "error", "-ss", str(_AT), "-i", str(clip)]
    subprocess.run([*command, "-frames:v", "1", str(picture)], check=True)  # noqa: S603  # our own file
    with Image.open(picture) as frame:
        return frame.convert("RGB").resize((width, _ROW), Image.Resampling.LANCZOS)


async def _render(folder: Path, prompt: str, size: str, *, seconds: int) -> Path:
    renderer = ClipRenderer(Ffmpeg(_FFMPEG, slots=1))
    order = ClipOrder(prompt=prompt[:2000], model="storyboard", seconds=seconds, size=size)
    return await renderer.render(order, folder, lambda _: None)


def _cost(size: str) -> str:
    """Measure clips of one size in a process of their own, so that its memory is theirs alone."""
    done = subprocess.run(  # noqa: S603  # this script
        [sys.executable, "-m", "docs.storyboard", size], check=True, capture_output=True, text=True
    )
    seconds, megabytes = done.stdout.split()
    return f"| {size} | {seconds} s | {megabytes} MB | {_BEFORE[size]} |"


def _measure(size: str) -> None:
    began = time.process_time()
    for name in ("one", "two", "three"):
        with TemporaryDirectory(suffix=name) as folder:
            clip = _render(Path(folder), PROMPTS[0] + ". " + PROMPTS[-1], size, seconds=8)
            asyncio.run(clip)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = time.process_time() - began + children.ru_utime + children.ru_stime
    print(f"{took / 3:.1f} {children.ru_maxrss // 1024}")


def _sides(shape: str) -> tuple[int, int]:
    wide, high = shape.split("x")
    return int(wide), int(high)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(sys.argv[1])
    else:
        main()
