"""Draws the pictures of docs/media.md: `python -m tests.proofs.media_pictures`."""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.merge_narration import merge
from bot.media.render.narration_options import NarrationMix, NarrationOptions
from bot.media.render.shrink import shrink_video
from tests.support.media import clips
from tests.support.media.shrink_sources import make_named

DOCS = Path(__file__).parents[2] / "docs" / "media"
MIB = 1024 * 1024
SHOWN = ("fractal", "heavy grain", "cuts, five a second", "small text, sideways")
CROP = (480, 270)
MARGIN = 28
INK, PAPER, GRID = "#1d2433", "#ffffff", "#d9dee8"

# Two phrases with a pause between them.
VOICE = f"({clips.SPEECH})*(between(t,1,5)+between(t,7.5,10.5))"
OWN = "0.25*sin(2*PI*3000*t)"
SPAN = 14.0
FLOOR, CEILING = -60, 0


@dataclass(frozen=True, kw_only=True)
class Curve:
    name: str
    colour: str
    points: list[tuple[float, float]]


def lettering(size: int) -> ImageFont.FreeTypeFont:
    """Return the font for all text, in a size in pixels."""
    font = resources.files("manimgx_fonts") / "NotoSans[wght].ttf"
    return ImageFont.truetype(str(font), size)


async def draw_shrunk(folder: Path, target: Path) -> None:
    """Draw unscaled sections of pictures, before and after shrinking to 10 MiB."""
    ffmpeg = Ffmpeg(clips.binary(), slots=1)
    width, height = CROP
    row = height + MARGIN
    sheet = Image.new("RGB", (2 * width + 4, len(SHOWN) * row), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, name in enumerate(SHOWN):
        clip = await asyncio.to_thread(make_named, name, folder / f"{number}.mp4")
        small = folder / f"{number}.small.mp4"
        shrunk = await shrink_video(ffmpeg, clip, small, limit_bytes=10 * MIB)
        top = number * row
        for column, path in enumerate((clip, shrunk.path)):
            frame = await asyncio.to_thread(_frame, path, folder / "frame.png")
            sheet.paste(frame, (column * (width + 4), top + MARGIN))
            what = name if column == 0 else f"below 10 MiB, {shrunk.height} lines"
            label = f"{what}: {_mebibytes(path):.1f} MiB"
            pen.text((column * (width + 4) + 6, top + 4), label, fill=INK, font=lettering(15))
    sheet.save(target, quality=82)


def _mebibytes(path: Path) -> float:
    return path.stat().st_size / MIB


def _frame(path: Path, target: Path) -> Image.Image:
    cut = f"scale=1280:720:flags=bicubic,crop={CROP[0]}:{CROP[1]}:60:200"
    clips.ffmpeg("-ss", "2.3", "-i", str(path), "-frames:v", "1", "-vf", cut, str(target))
    with Image.open(target) as frame:
        return frame.convert("RGB")


async def draw_duck(folder: Path, target: Path) -> None:
    """Draw the loudness of the clip, the narration and the result over time."""
    ffmpeg = Ffmpeg(clips.binary(), slots=1)
    own = clips.make_sound(folder / "own.wav", OWN, seconds=SPAN)
    clip = folder / "clip.mp4"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25:d={SPAN}")
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")
    clips.ffmpeg(*picture, "-i", str(own), *coded, str(clip))
    voice = clips.make_sound(folder / "voice.wav", VOICE, seconds=11)
    narration = await ingest(ffmpeg, voice, folder / "narration.wav", max_seconds=60)
    options = NarrationOptions(mix=NarrationMix.DUCK)
    await merge(ffmpeg, clip, narration, folder / "duck.mp4", options)
    await merge(ffmpeg, clip, narration, folder / "voice.mp4", NarrationOptions())
    curves = [
        Curve(name="the clip's own sound", colour="#8a93a6", points=loudness(clip)),
        Curve(
            name="the narration, brought to -16 LUFS",
            colour="#e08a1e",
            points=loudness(folder / "voice.mp4"),
        ),
        Curve(
            name="the clip's own sound in the result (its 3 kHz alone)",
            colour="#2f6fde",
            points=loudness(folder / "duck.mp4", "bandpass=f=3000:width_type=h:w=60,"),
        ),
        Curve(name="the result", colour=INK, points=loudness(folder / "duck.mp4")),
    ]
    plot(curves, target)


def loudness(path: Path, before: str = "") -> list[tuple[float, float]]:
    """Return a file's loudness over 400 ms, measured ten times a second: seconds and LUFS."""
    meter = ("-map", "0:a:0", "-af", f"{before}ebur128=framelog=verbose")
    stderr = clips.ffmpeg("-v", "verbose", "-i", str(path), *meter, "-f", "null", "-")
    found = re.findall(r"t:\s*([\d.]+)\s.*?M:\s*(-?[\d.]+|-?inf|nan)", stderr)
    return [(float(second), max(FLOOR, float(level))) for second, level in found]


def plot(curves: list[Curve], target: Path) -> None:
    """Draw the curves into one picture, at twice its final size for smooth lines."""
    width, height, left, top, bottom = 1800, 900, 110, 200, 80
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    small = lettering(26)

    def place(second: float, level: float) -> tuple[float, float]:
        across = left + second / SPAN * (width - left - 40)
        return across, top + (CEILING - level) / (CEILING - FLOOR) * (height - top - bottom)

    for level in range(FLOOR, CEILING + 1, 10):
        pen.line([place(0, level), place(SPAN, level)], fill=GRID, width=2)
        pen.text((14, place(0, level)[1] - 18), f"{level}", fill=INK, font=small)
    for second in range(0, int(SPAN) + 1, 2):
        pen.text((place(second, FLOOR)[0] - 10, height - 70), f"{second} s", fill=INK, font=small)
    pen.text((14, top - 62), "LUFS, over 400 ms", fill=INK, font=small)
    for number, curve in enumerate(curves):
        x, y = 110 + 860 * (number % 2), 20 + 50 * (number // 2)
        pen.line([(x, y + 20), (x + 60, y + 20)], fill=curve.colour, width=8)
        pen.text((x + 80, y), curve.name, fill=INK, font=small)
        pen.line([place(*point) for point in curve.points], fill=curve.colour, width=5)
    sheet.resize((width // 2, height // 2), Image.Resampling.LANCZOS).save(target)


async def main() -> None:
    """Draw both pictures."""
    await asyncio.to_thread(DOCS.mkdir, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clapper-pictures-") as name:
        await draw_duck(Path(name), DOCS / "duck.png")
        await draw_shrunk(Path(name), DOCS / "fit-10mib.jpg")


if __name__ == "__main__":
    asyncio.run(main())
