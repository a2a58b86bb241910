"""Clips in other containers become MP4s, in a confined process."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError, UnconvertedError
from bot.media.clip_format import check_clip, demuxer_of, is_clip
from bot.media.mp4.playable import repair_for
from bot.media.mp4.reader import read_mp4
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.media.render.convert import convert
from bot.media.render.merge_narration import repair
from tests.support.media.clips import make_clip
from tests.support.providers.openai_setup import names_in

if TYPE_CHECKING:
    from pathlib import Path

_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=321x181:rate=12:duration=2")
_QUICK = ("-deadline", "realtime", "-cpu-used", "8")
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
FORMATS = {
    "webm": (*_PICTURE, *_SOUND, "-c:v", "libvpx", *_QUICK, "-c:a", "libopus", "-f", "webm"),
    "vp9": (*_PICTURE, "-c:v", "libvpx-vp9", *_QUICK, "-f", "webm"),
    "mkv": (*_PICTURE, *_SOUND, "-c:v", "mpeg4", "-c:a", "flac", "-f", "matroska"),
    "gif": (*_PICTURE, "-f", "gif"),
    "mov": (*_PICTURE, *_SOUND, "-c:v", "libx264", "-c:a", "pcm_s16le", "-f", "mov"),
    "prores": (*_PICTURE, "-c:v", "prores_ks", "-f", "mov"),
    "avi": (*_PICTURE, *_SOUND, "-c:v", "mjpeg", "-c:a", "mp3", "-f", "avi"),
}


async def make(path: Path, name: str) -> Path:
    binary = await find_ffmpeg()
    command = [str(binary), "-v", "error", "-y", *FORMATS[name], str(path)]
    subprocess.run(command, check=True, timeout=60)  # noqa: S603, ASYNC221 - our own arguments
    return path


@pytest.fixture
async def ffmpeg() -> Ffmpeg:
    return Ffmpeg(await find_ffmpeg(), slots=1)


@pytest.mark.parametrize("name", FORMATS)
async def test_a_clip_in_another_container_becomes_an_mp4_that_plays(
    name: str, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = await make(tmp_path / "clip.mp4", name)
    check_clip(clip)
    assert await convert(ffmpeg, clip)
    info = read_mp4(clip)
    assert (info.width, info.height) == (320, 180)
    assert 1.8 <= info.seconds <= 2.3
    assert (info.audio_codec is not None) == ("sine" in str(FORMATS[name]))
    assert not repair_for(info).is_needed
    assert not await repair(ffmpeg, clip, tmp_path / "result.mp4")
    assert not await convert(ffmpeg, clip)
    assert names_in(tmp_path) == ["clip.mp4"]


async def test_an_mp4_stays_as_it_is(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1)
    before = clip.read_bytes()
    assert not await convert(ffmpeg, clip)
    assert clip.read_bytes() == before


async def test_a_broken_clip_is_refused_and_left_alone(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"GIF89a" + b"\0" * 500)
    with pytest.raises(UnconvertedError):
        await convert(ffmpeg, clip)
    assert names_in(tmp_path) == ["clip.mp4"]


async def test_a_playlist_inside_a_container_name_opens_no_other_file(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    secret = make_clip(tmp_path / "secret.mp4", seconds=1)
    clip = tmp_path / "clip.mp4"
    for text in (f"#EXTM3U\n{secret}\n", f"ffconcat version 1.0\nfile '{secret}'\n"):
        clip.write_text(text)
        assert not is_clip(clip)
        assert not await convert(ffmpeg, clip)


async def test_a_huge_picture_is_made_smaller(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    binary = await find_ffmpeg()
    clip = tmp_path / "clip.mp4"
    source = "testsrc2=size=2560x1440:rate=2:duration=1"
    command = [str(binary), "-v", "error", "-f", "lavfi", "-i", source, "-f", "gif", str(clip)]
    subprocess.run(command, check=True, timeout=60)  # noqa: S603, ASYNC221 - our own arguments
    assert await convert(ffmpeg, clip)
    info = read_mp4(clip)
    assert (info.width, info.height) == (1920, 1080)


def test_formats_are_detected_by_their_first_bytes() -> None:
    for head, demuxer in (
        (b"\0\0\0\x18ftypisom\0\0\0\0", "mov"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0", "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 12, "matroska"),
        (b"GIF89a" + b"\0" * 10, "gif"),
        (b"RIFF\0\0\0\0AVI LIST", "avi"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", None),
        (b"\0\0\0\x18ftypM4A \0\0\0\0", None),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"RIFF\0\0\0\0WEBPVP8 ", None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\0", None),
        (b"\xff\xd8\xff\xe0" + b"\0" * 12, None),
        (b"<html>", None),
        (b'{"url": "x"}', None),
        (b"", None),
    ):
        assert demuxer_of(head) == demuxer, head


def test_a_cut_mp4_is_no_clip(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1)
    clip.write_bytes(clip.read_bytes()[:-200])
    with pytest.raises(MediaError):
        check_clip(clip)
    assert not is_clip(clip)
    assert not is_clip(tmp_path / "absent.mp4")
