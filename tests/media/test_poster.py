from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.errors import MediaError
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.poster import extract_poster
from tests.support.media import clips

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


def make_video(path: Path, source: str, *options: str) -> Path:
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    clips.ffmpeg("-f", "lavfi", "-i", source, *coding, *options, str(path))
    return path


def look(path: Path) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Return a JPEG's size, and the colour in its middle."""
    with Image.open(path) as image:
        assert image.format == "JPEG"
        middle = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
        assert isinstance(middle, tuple)
        return image.size, tuple(int(part) for part in middle)


async def test_the_first_frame_that_is_not_black_becomes_the_poster(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    colours = "enable='between(t,0.5,0.9)',drawbox=c=blue:t=fill:enable='gte(t,0.9)'"
    clip = make_video(
        tmp_path / "c.mp4", f"color=black:s=320x180:d=2,drawbox=c=red:t=fill:{colours}"
    )
    await extract_poster(ffmpeg, clip, tmp_path / "poster.jpg")
    size, (red, green, blue) = look(tmp_path / "poster.jpg")
    assert size == (320, 180)
    assert red > 200
    assert max(green, blue) < 60


async def test_the_first_frame_of_a_black_clip_becomes_the_poster(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = make_video(tmp_path / "c.mp4", "color=black:s=320x180:d=1")
    await extract_poster(ffmpeg, clip, tmp_path / "poster.jpg")
    assert max(look(tmp_path / "poster.jpg")[1]) < 10


async def test_the_size_of_a_poster_is_limited(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = make_video(tmp_path / "c.mp4", "color=gray:s=2560x1440:d=0.1,noise=alls=100:allf=t")
    await extract_poster(ffmpeg, clip, tmp_path / "poster.jpg")
    assert look(tmp_path / "poster.jpg")[0] == (1280, 720)
    assert (tmp_path / "poster.jpg").stat().st_size < 1024**2


async def test_a_turned_clip_has_an_upright_poster(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    turned = tmp_path / "turned.mp4"
    clip = make_video(tmp_path / "c.mp4", "testsrc2=s=320x180:d=0.5")
    clips.ffmpeg("-display_rotation", "90", "-i", str(clip), "-c", "copy", str(turned))
    await extract_poster(ffmpeg, turned, tmp_path / "poster.jpg")
    assert look(tmp_path / "poster.jpg")[0] == (180, 320)


async def test_a_file_that_is_no_clip_has_no_poster(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "c.mp4").write_bytes, b"<html></html>" * 9)
    with pytest.raises(MediaError):
        await extract_poster(ffmpeg, tmp_path / "c.mp4", tmp_path / "poster.jpg")
    assert not (tmp_path / "poster.jpg").exists()
