from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.mp4.reader import read_mp4
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.provenance import MARK_BYTES
from bot.media.render.shrink import TooLittleRoomError, shrink_video
from bot.media.render.shrink_plan import ShrinkSource, make_plan
from tests.support.child_processes import children
from tests.support.media import clips
from tests.support.media.progress import Started

if TYPE_CHECKING:
    from pathlib import Path

NATURES = {
    "shapes": "testsrc2=s=640x360:r=25",
    "fractal": "mandelbrot=s=640x360:r=25",
    "grain": "mandelbrot=s=640x360:r=25,noise=alls=20:allf=t",
    "noise": "color=gray:s=640x360:r=25,noise=alls=100:allf=t",
    "black, then noise": "color=black:s=640x360:r=25,noise=alls=90:allf=t:enable='gt(t,1)'",
}
HD = ShrinkSource(width=1280, height=720, seconds=8, moving=8, longest=1920, sound=True)
MIB = 1024 * 1024
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shrink")


@pytest.fixture(scope="module", params=NATURES)
def large(request: pytest.FixtureRequest, folder: Path) -> Path:
    return make_large(folder / f"{request.param}.mp4", NATURES[request.param])


@pytest.fixture(scope="module")
def grain(folder: Path) -> Path:
    return make_large(folder / "clip.mp4", NATURES["grain"])


def make_large(path: Path, picture: str, *, sound: bool = True) -> Path:
    """Make a nearly lossless MP4 of two seconds."""
    source = ("-f", "lavfi", "-i", picture)
    tone = ("-f", "lavfi", "-i", "sine=f=1000", "-c:a", "aac") if sound else ()
    return clips.make(path, *source, *tone, "-t", "2", *X264, "-crf", "3")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def size(path: Path) -> int:
    return path.stat().st_size


def shortened(clip: Path, target: Path) -> Path:
    target.write_bytes(clip.read_bytes()[:-1000])
    return target


def sound_starts(path: Path) -> float:
    """Return the time at which a file's sound starts after silence."""
    detect = "silencedetect=noise=-40dB:duration=0.1"
    stderr = clips.ffmpeg("-i", str(path), "-map", "0:a:0", "-af", detect, "-f", "null", "-")
    return float(re.findall(r"silence_end: (\S+)", stderr)[0])


def picture_flashes(path: Path) -> float:
    """Return the time from which a file's picture is not black."""
    detect = "blackdetect=d=0.1"
    stderr = clips.ffmpeg("-i", str(path), "-map", "0:v:0", "-vf", detect, "-f", "null", "-")
    return float(re.findall(r"black_end:(\S+)", stderr)[0])


@pytest.mark.parametrize("limit", [250_000, 1_000_000])
async def test_every_kind_of_picture_stays_below_the_limit(
    limit: int, large: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    assert size(large) > limit
    target = tmp_path / "small.mp4"
    try:
        shrunk = await shrink_video(ffmpeg, large, target, limit_bytes=limit)
    except TooLittleRoomError:
        assert "noise" in large.name
        assert names(tmp_path) == set()
        return
    info = read_mp4(target)
    assert shrunk.path == target
    assert shrunk.size == size(target) <= limit
    assert (shrunk.width, shrunk.height) == (info.width, info.height)
    assert info.seconds == pytest.approx(read_mp4(large).seconds, abs=0.05)
    assert (info.video_codec, info.audio_codec, info.streamable) == ("avc1", "mp4a", True)
    assert names(tmp_path) == {"small.mp4"}


async def test_a_clip_that_would_look_bad_is_still_shrunk_on_request(
    large: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    with pytest.raises(TooLittleRoomError):
        await shrink_video(ffmpeg, large, tmp_path / "small.mp4", limit_bytes=90_000)
    shrunk = await shrink_video(
        ffmpeg, large, tmp_path / "small.mp4", limit_bytes=90_000, decent=False
    )
    assert shrunk.size <= 90_000


async def test_an_impossible_limit_is_refused_and_leaves_the_target_alone(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    target = tmp_path / "small.mp4"
    target.write_bytes(b"old")
    with pytest.raises(TooLittleRoomError, match="5000 bytes are too few for 2 s"):
        await shrink_video(ffmpeg, grain, target, limit_bytes=5_000, decent=False)
    assert target.read_bytes() == b"old"


async def test_a_picture_of_nothing_but_blocks_is_refused_although_it_would_fit(
    folder: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    noise = make_large(folder / "blocks.mp4", NATURES["noise"])
    with pytest.raises(TooLittleRoomError, match="such a picture"):
        await shrink_video(ffmpeg, noise, tmp_path / "small.mp4", limit_bytes=250_000)
    shrunk = await shrink_video(
        ffmpeg, noise, tmp_path / "small.mp4", limit_bytes=250_000, decent=False
    )
    assert shrunk.size <= 200_000


async def test_a_clip_without_sound_stays_silent(
    folder: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    silent = make_large(folder / "silent.mp4", NATURES["fractal"], sound=False)
    await shrink_video(ffmpeg, silent, tmp_path / "small.mp4", limit_bytes=300_000)
    assert read_mp4(tmp_path / "small.mp4").audio_codec is None


async def test_a_small_clip_is_returned_untouched(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    limit = size(grain)
    shrunk = await shrink_video(ffmpeg, grain, tmp_path / "small.mp4", limit_bytes=limit)
    assert (shrunk.path, shrunk.size, shrunk.passes) == (grain, limit, 0)
    assert names(tmp_path) == set()


async def test_only_the_title_and_the_mark_survive(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    marked = tmp_path / "clip.mp4"
    told = ("-metadata", "title=A walk", "-metadata", "artist=s3cr3t")
    clips.ffmpeg("-i", str(grain), "-c", "copy", *told, str(marked))
    shrunk = await shrink_video(ffmpeg, marked, tmp_path / "small.mp4", limit_bytes=500_000)
    content = shrunk.path.read_bytes()
    assert read_mp4(shrunk.path).title == "A walk"
    assert b"Generated video" in content
    assert b"s3cr3t" not in content


async def test_sound_and_picture_stay_in_sync(folder: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clap = folder / "clap.mp4"
    flash = "color=black:s=640x360:r=50,noise=alls=99:allf=t:enable='gte(t,1)'"
    click = "aevalsrc='0.5*sin(2*PI*999*t)*gte(t,1)':s=48000"
    inputs = ("-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", click)
    clips.ffmpeg(*inputs, "-t", "2", *X264, str(clap))
    await shrink_video(ffmpeg, clap, tmp_path / "s.mp4", limit_bytes=500_000, decent=False)
    assert picture_flashes(tmp_path / "s.mp4") == pytest.approx(1, abs=0.02)
    assert sound_starts(tmp_path / "s.mp4") == pytest.approx(1, abs=0.02)


async def test_a_held_last_frame_stays_held_and_costs_nothing(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    held = tmp_path / "held.mp4"
    inputs = ("-i", str(grain), "-f", "lavfi", "-i", "sine", "-map", "0:v", "-map", "1:a")
    hold = ("-bsf:v", "setts=duration='if(eq(N,49),DURATION+58/TB,DURATION)'")
    clips.ffmpeg(*inputs, "-t", "60", "-c:v", "copy", *hold, "-c:a", "aac", str(held))
    assert read_mp4(held).moving == pytest.approx(3, abs=0.1)
    shrunk = await shrink_video(ffmpeg, held, tmp_path / "small.mp4", limit_bytes=1_500_000)
    assert shrunk.height == 360
    assert read_mp4(tmp_path / "small.mp4").seconds == pytest.approx(60, abs=0.1)


async def test_progress_is_a_share_that_never_decreases(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    progress = Started()
    await shrink_video(ffmpeg, grain, tmp_path / "s.mp4", limit_bytes=500_000, on_progress=progress)
    assert progress.seconds == sorted(progress.seconds)
    assert progress.seconds[-1] == pytest.approx(1, abs=0.1)


async def test_cancelling_an_encode_leaves_no_child_and_no_file(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    encoding = Started()
    running = asyncio.create_task(
        shrink_video(ffmpeg, grain, tmp_path / "s.mp4", limit_bytes=500_000, on_progress=encoding)
    )
    await encoding.event.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert children() == {}
    assert names(tmp_path) == set()


async def test_cancelling_at_any_moment_leaves_no_child_and_no_file(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    for moment in range(20):
        running = asyncio.create_task(
            shrink_video(ffmpeg, grain, tmp_path / "s.mp4", limit_bytes=500_000)
        )
        for _ in range(moment * moment):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert children() == {}
        assert names(tmp_path) == set()


async def test_a_damaged_clip_fails_and_leaves_nothing(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    damaged = shortened(grain, tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match="cut off"):
        await shrink_video(ffmpeg, damaged, tmp_path / "small.mp4", limit_bytes=500_000)
    assert names(tmp_path) == {"clip.mp4"}


async def test_a_second_pass_aims_lower_and_two_are_enough(
    grain: Path, tmp_path: Path, folder: Path
) -> None:
    # A fake ffmpeg that ignores its rates for the number of passes in the file `stubborn`.
    stubborn = folder / "ffmpeg"
    stubborn.write_text(
        "#!/bin/sh\n"
        "for part; do :; done; part=${part#file:}; echo x >> passes\n"
        '[ "$(wc -l < passes)" -le "$(cat stubborn)" ] && size=600000 || size=400000\n'
        'head -c $size /dev/zero > "$part"\n'
    )
    stubborn.chmod(0o700)
    (tmp_path / "stubborn").write_text("1")
    shrunk = await shrink_video(
        Ffmpeg(stubborn, slots=1), grain, tmp_path / "s.mp4", limit_bytes=500_000
    )
    assert (shrunk.passes, shrunk.size) == (2, 400_000 + MARK_BYTES)
    (tmp_path / "s.mp4").unlink()
    (tmp_path / "stubborn").write_text("9")
    with pytest.raises(TooLittleRoomError, match="the result has 601024 bytes"):
        await shrink_video(
            Ffmpeg(stubborn, slots=1), grain, tmp_path / "s.mp4", limit_bytes=500_000
        )
    assert names(tmp_path) == {"stubborn", "passes"}


def test_the_rates_are_those_that_never_exceeded_the_limit() -> None:
    plan = make_plan(HD, 10 * MIB, decent=True)
    assert plan is not None
    assert (plan.width, plan.height, plan.sound_rate) == (1280, 720, 128_000)
    assert plan.max_rate == pytest.approx(9_545_324, rel=0.005)
    assert plan.buffer == pytest.approx(plan.max_rate / 2, abs=1)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(10, (1280, 720)), (2, (1280, 720)), (1.5, (960, 540)), (0.6, (640, 360)), (0.4, None)],
)
def test_fewer_bytes_give_fewer_pixels_until_the_clip_is_refused(
    limit: float, expected: tuple[int, int] | None
) -> None:
    plan = make_plan(HD, int(limit * MIB), decent=True)
    assert (plan and (plan.width, plan.height)) == expected


def test_a_picture_too_large_for_the_encoders_memory_is_reduced_at_any_limit() -> None:
    plan = make_plan(replace(HD, width=3840, height=2160), 400 * MIB, decent=True)
    assert plan is not None
    assert (plan.width, plan.height) == (1920, 1080)
    huge = make_plan(replace(HD, width=2160, height=3840, longest=1600), 400 * MIB, decent=True)
    assert huge is not None
    assert (huge.width, huge.height) == (900, 1600)


def test_an_upright_picture_keeps_its_shape_and_is_never_enlarged() -> None:
    upright = replace(HD, width=1080, height=1920)
    plan = make_plan(upright, 2 * MIB, decent=True)
    assert plan is not None
    assert plan.width < plan.height
    assert plan.width / plan.height == pytest.approx(9 / 16, rel=0.01)
    tiny = make_plan(replace(HD, width=65, height=33), 2 * MIB, decent=True)
    assert tiny is not None
    assert (tiny.width, tiny.height) == (64, 32)


def test_the_sound_takes_a_fifth_of_the_bits_at_most_down_to_its_lowest_rate() -> None:
    long = replace(HD, seconds=600, moving=8)
    held = make_plan(long, 10 * MIB, decent=True)
    assert held is not None
    assert held.sound_rate == 64_000
    poor = make_plan(replace(HD, seconds=600, moving=600), 10 * MIB, decent=False)
    assert poor is not None
    assert (poor.sound_rate, poor.height) == (32_000, 144)


async def test_a_clip_in_fragments_counts_as_moving(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    fragments = tmp_path / "fragments.mp4"
    layout = ("-movflags", "frag_keyframe", "-c:v", "libx264", "-crf", "3", "-g", "10")
    clips.ffmpeg("-i", str(grain), "-preset", "ultrafast", *layout, str(fragments))
    assert read_mp4(fragments).moving == pytest.approx(2, abs=0.1)
    shrunk = await shrink_video(ffmpeg, fragments, tmp_path / "small.mp4", limit_bytes=500_000)
    assert shrunk.size <= 500_000


async def test_an_undecodable_sound_is_left_out(
    grain: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    undecodable = clips.make_undecodable(grain, tmp_path / "clip.mp4")
    shrunk = await shrink_video(ffmpeg, undecodable, tmp_path / "small.mp4", limit_bytes=500_000)
    assert shrunk.size <= 500_000
    assert read_mp4(shrunk.path).audio_codec is None


async def test_a_first_pass_that_writes_without_end_is_followed_by_a_second(
    grain: Path, tmp_path: Path, folder: Path
) -> None:
    endless = folder / "endless"
    endless.write_text(
        "#!/bin/sh\n"
        "for part; do :; done; part=${part#file:}\n"
        'test -e once && exec head -c 400000 /dev/zero > "$part"\n'
        'touch once; exec cat /dev/zero > "$part"\n'
    )
    endless.chmod(0o700)
    shrunk = await shrink_video(
        Ffmpeg(endless, slots=1), grain, tmp_path / "s.mp4", limit_bytes=500_000
    )
    assert (shrunk.passes, shrunk.size) == (2, 400_000 + MARK_BYTES)
