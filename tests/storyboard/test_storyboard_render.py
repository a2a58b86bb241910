from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from bot.errors import MediaError
from bot.media.mp4.reader import read_mp4
from bot.media.process.ffmpeg import Ffmpeg
from bot.storyboard.clip_renderer import ClipRenderer
from bot.storyboard.clip_store import ClipOrder
from tests.support.media import clips
from tests.support.storyboard import files, open_board, open_receiver, seen
from tests.support.storyboard_prompts import PROMPTS


@pytest.fixture
def renderer() -> ClipRenderer:
    return ClipRenderer(Ffmpeg(clips.binary(), slots=1))


def order(prompt: str, *, seconds: int = 1, size: str = "160x96") -> ClipOrder:
    return ClipOrder(prompt=prompt, model="storyboard", seconds=seconds, size=size)


async def test_a_clip_is_exactly_as_long_and_as_large_as_it_was_ordered(
    tmp_path: Path, renderer: ClipRenderer
) -> None:
    percents: list[int] = []
    video = await renderer.render(order(PROMPTS["japanese"], seconds=2), tmp_path, percents.append)
    info = read_mp4(video)
    report = clips.ffmpeg("-i", str(video), "-f", "null", "-")
    assert (info.width, info.height) == (160, 96)
    assert info.seconds == pytest.approx(2, abs=0.03)
    assert re.search(r"Video: h264 .*yuv420p", report)
    assert re.search(r"Audio: aac .*48000 Hz, stereo", report)
    assert re.search(r"frame=\s*60 ", report)
    raw = video.read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat")
    assert percents == sorted(percents)
    assert percents[0] < 10
    assert percents[-1] <= 99


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
async def test_every_prompt_can_be_rendered(
    tmp_path: Path, renderer: ClipRenderer, prompt: str
) -> None:
    video = await renderer.render(order(prompt), tmp_path, lambda _: None)
    assert read_mp4(video).seconds == pytest.approx(1, abs=0.03)


async def test_the_pictures_move_and_the_text_changes(
    tmp_path: Path, renderer: ClipRenderer
) -> None:
    video = await renderer.render(
        order("Explain how rainbows form", seconds=4, size="640x360"), tmp_path, lambda _: None
    )
    report = clips.ffmpeg("-i", str(video), "-vf", "mpdecimate,showinfo", "-f", "null", "-")
    assert len(re.findall(r"pts_time:", report)) > 60


async def test_the_first_frame_shows_the_title_because_players_use_it_as_a_preview(
    tmp_path: Path, renderer: ClipRenderer
) -> None:
    video = await renderer.render(order("Rainbows", seconds=4), tmp_path, lambda _: None)
    frames: list[Image.Image] = []
    for name, at in (("first", "0"), ("later", "1")):
        path = tmp_path / f"{name}.png"
        clips.ffmpeg("-ss", at, "-i", str(video), "-frames:v", "1", str(path))
        with Image.open(path) as picture:
            # The area of the title; the sky behind it hardly moves in a second.
            frames.append(picture.convert("L").crop((8, 8, 110, 60)))
    darkest = [frame.getextrema()[0] for frame in frames]
    spread = [ImageStat.Stat(frame).stddev[0] for frame in frames]
    assert spread[0] == pytest.approx(spread[1], rel=0.1)
    assert abs(darkest[0] - darkest[1]) < 12


@pytest.mark.parametrize(("prompt", "seconds"), [("a", 4), ("Why is the sky blue?", 8)])
async def test_the_sound_is_soft_and_never_clips(
    tmp_path: Path, renderer: ClipRenderer, prompt: str, seconds: int
) -> None:
    video = await renderer.render(order(prompt, seconds=seconds), tmp_path, lambda _: None)
    report = clips.ffmpeg("-i", str(video), "-af", "ebur128=peak=true", "-f", "null", "-")
    summary = report[report.rindex("Summary:") :]
    loudness = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert loudness
    assert peak
    assert -27 < float(loudness[1]) < -21
    assert float(peak[1]) < -6


async def test_the_largest_and_the_longest_prompt_needs_no_more_memory_than_allowed(
    tmp_path: Path, renderer: ClipRenderer
) -> None:
    video = await renderer.render(
        order("Long words, many clauses; and more. " * 100, seconds=1, size="1920x1080"),
        tmp_path,
        lambda _: None,
    )
    assert read_mp4(video).width == 1920


async def test_an_ffmpeg_that_fails_is_a_media_error(tmp_path: Path) -> None:
    renderer = ClipRenderer(Ffmpeg(Path("/bin/false"), slots=1))
    with pytest.raises(MediaError):
        await renderer.render(order("a"), tmp_path, lambda _: None)


async def test_a_cancelled_rendering_waits_for_its_last_file(
    tmp_path: Path, renderer: ClipRenderer
) -> None:
    task = asyncio.create_task(renderer.render(order("a"), tmp_path, lambda _: None))
    await seen(lambda: bool(files(tmp_path, "*")))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # This is the last layer, so the thread has finished writing.
    assert files(tmp_path, "fill.png")
    assert not files(tmp_path, "film.mp4")


async def test_a_real_clip_is_rendered_through_the_api(
    tmp_path: Path, renderer: ClipRenderer
) -> None:
    async with open_receiver() as receiver, open_board(tmp_path, renderer, receiver) as board:
        created = await board.create(seconds=1, size="1280x720")
        await receiver.next()
        done = await board.get(created["id"])
        assert (done["status"], done["seconds"], done["size"]) == ("completed", "1", "1280x720")
        content = await board.ask("GET", f"/videos/{created['id']}/content")
    video = tmp_path / "fetched.mp4"
    video.write_bytes(content.raw)
    assert read_mp4(video).width == 1280
