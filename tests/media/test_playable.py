from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.mp4.playable import Repair, repair_for
from bot.media.mp4.reader import read_mp4
from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.merge_narration import merge, repair
from bot.media.render.narration_options import NarrationFit, NarrationOptions
from tests.support.media import clips
from tests.support.media.measurements import clicks, flashes, packets

if TYPE_CHECKING:
    from pathlib import Path

GOOD = Repair(picture=False, sound=False, container=False)
REORDERED = Repair(picture=False, sound=False, container=True)
NEW_SOUND = Repair(picture=False, sound=True, container=False)
NEW_PICTURE = Repair(picture=True, sound=False, container=False)


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.make_clip(tmp_path_factory.mktemp("inline") / "clip.mp4", seconds=2)


def rewritten(clip: Path, target: Path, *options: str) -> Path:
    """Rewrite `clip` with ffmpeg's `options`, and copy everything else."""
    clips.ffmpeg("-i", str(clip), "-c", "copy", "-movflags", "+faststart", *options, str(target))
    return target


def shortened(clip: Path, target: Path) -> Path:
    target.write_bytes(clip.read_bytes()[:-1000])
    return target


X264 = ("-c:v", "libx264", "-preset", "ultrafast")
ODD = {
    "as it should be": ((), GOOD),
    "no sound": (("-an",), GOOD),
    "mp3 sound": (("-c:a", "libmp3lame"), GOOD),
    "opus sound": (("-c:a", "libopus"), NEW_SOUND),
    "ac-3 sound": (("-c:a", "ac3"), NEW_SOUND),
    "index last": (("-movflags", "0"), REORDERED),
    "fragments": (("-movflags", "empty_moov+frag_keyframe"), REORDERED),
    "two sounds": (("-map", "0:v", "-map", "0:a", "-map", "0:a"), REORDERED),
    "10 bits": ((*X264, "-pix_fmt", "yuv420p10le"), NEW_PICTURE),
    "4:4:4": ((*X264, "-pix_fmt", "yuv444p"), NEW_PICTURE),
    "odd size": ((*X264, "-pix_fmt", "yuv444p", "-vf", "scale=321:181"), NEW_PICTURE),
    "HEVC": (("-c:v", "libx265", "-x265-params", "log-level=0", "-t", "0.4"), NEW_PICTURE),
    "MPEG-4 ASP": (("-c:v", "mpeg4"), NEW_PICTURE),
    "slides": ((*X264, "-vf", "select='lt(n,9)+eq(n,40)'", "-fps_mode", "vfr"), NEW_PICTURE),
}
SOME_VFR = ((*X264, "-vf", "select='mod(n,3)'", "-fps_mode", "vfr"), GOOD)


@pytest.mark.parametrize(("options", "due"), [*ODD.values(), SOME_VFR], ids=[*ODD, "some VFR"])
async def test_an_odd_clip_gets_only_the_repairs_that_it_needs(
    options: tuple[str, ...], due: Repair, clip: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    odd = rewritten(clip, tmp_path / "odd.mp4", *options)
    assert repair_for(read_mp4(odd)) == due
    result = tmp_path / "result.mp4"
    assert await repair(ffmpeg, odd, result) is due.is_needed
    if not due.is_needed:
        assert not result.exists()
        return
    assert repair_for(read_mp4(result)) == GOOD
    assert read_mp4(result).seconds == pytest.approx(read_mp4(odd).seconds, abs=0.1)
    assert (read_mp4(result).audio_codec is None) == (read_mp4(odd).audio_codec is None)
    if not due.picture:
        hashes = [[line.split(",")[-1] for line in packets(f, tmp_path)] for f in (odd, result)]
        assert hashes[0] == hashes[1]


@pytest.mark.parametrize("quarters", [1, 2, 3])
async def test_a_turned_picture_is_stored_upright(
    quarters: int, clip: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    turned = tmp_path / "turned.mp4"
    rotation = ("-display_rotation", str(90 * quarters))
    clips.ffmpeg(*rotation, "-i", str(clip), "-c", "copy", "-movflags", "+faststart", str(turned))
    assert repair_for(read_mp4(turned)) == NEW_PICTURE
    await repair(ffmpeg, turned, tmp_path / "result.mp4")
    before, after = read_mp4(turned), read_mp4(tmp_path / "result.mp4")
    assert (after.width, after.height) == (before.width, before.height)
    assert not after.rotated


async def test_a_repaired_clip_is_in_sync(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clapper = clips.make_clapper(tmp_path / "clip.mp4", seconds=2, at=1)
    odd = rewritten(clapper, tmp_path / "odd.mp4", "-c:v", "mpeg4", "-c:a", "libopus")
    await repair(ffmpeg, odd, tmp_path / "result.mp4")
    result = tmp_path / "result.mp4"
    assert flashes(result) == pytest.approx(clicks(result), abs=0.02)


@pytest.mark.parametrize("fit", NarrationFit)
async def test_a_clip_is_merged_and_repaired_at_once(
    fit: NarrationFit, clip: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    odd = rewritten(clip, tmp_path / "odd.mp4", "-c:v", "mpeg4")
    sound = clips.make_tone(tmp_path / "tone.wav", seconds=5)
    narration = await ingest(ffmpeg, sound, tmp_path / "n.wav", max_seconds=10)
    await merge(ffmpeg, odd, narration, tmp_path / "result.mp4", NarrationOptions(fit=fit))
    info = read_mp4(tmp_path / "result.mp4")
    assert repair_for(info) == GOOD
    assert info.seconds == pytest.approx(2 if fit is NarrationFit.TRIM else 5, abs=0.1)
    # A held picture adds no frames, for any duration.
    assert info.timing.frames == pytest.approx(124 if fit is NarrationFit.LOOP else 50, abs=2)


async def test_an_undecodable_sound_is_left_out(clip: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    odd = clips.make_undecodable(clip, tmp_path / "odd.mp4")
    assert await repair(ffmpeg, odd, tmp_path / "result.mp4")
    info = read_mp4(tmp_path / "result.mp4")
    assert info.audio_codec is None
    assert info.seconds == pytest.approx(2, abs=0.001)


def uneven(target: Path, *, rate: int, times: str) -> Path:
    """Make a clip of four seconds whose frame times are changed by the filter `times`."""
    source = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r={rate}:d=4", "-vf", times)
    exactly = ("-fps_mode", "vfr", "-enc_time_base", "1:90000", "-video_track_timescale", "90000")
    coding = (*X264, "-bf", "0", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
    clips.ffmpeg(*source, *exactly, *coding, str(target))
    return target


def test_one_short_frame_is_no_reason_to_encode_a_clip(tmp_path: Path) -> None:
    early = "setpts='if(eq(N,100),PTS-0.0166/TB,PTS)',settb=1/90000"
    assert repair_for(read_mp4(uneven(tmp_path / "c.mp4", rate=60, times=early))) == GOOD


@pytest.mark.parametrize(("rate", "kept"), [(60, 60), (24, 24), (240, 60)])
async def test_an_uneven_picture_keeps_its_usual_rate(
    rate: int, kept: int, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    pause = "select='lt(t,1)+gte(t,2)'"
    odd = uneven(tmp_path / "odd.mp4", rate=rate, times=pause)
    assert repair_for(read_mp4(odd)) == NEW_PICTURE
    await repair(ffmpeg, odd, tmp_path / "result.mp4")
    info = read_mp4(tmp_path / "result.mp4")
    assert repair_for(info) == GOOD
    assert info.timing.frames == pytest.approx(4 * kept, abs=2)


async def test_an_interlaced_picture_is_deinterlaced(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    interlacing = ("-vf", "tinterlace=interleave_top", "-flags", "+ilme+ildct", "-c:v", "mpeg4")
    source = ("-f", "lavfi", "-i", "testsrc2=s=320x240:r=50:d=2")
    odd = tmp_path / "odd.mp4"
    clips.ffmpeg(*source, *interlacing, "-q:v", "3", "-movflags", "+faststart", str(odd))
    assert interlaced_frames(odd) > 40
    await repair(ffmpeg, odd, tmp_path / "result.mp4")
    # A few frames with little motion are misdetected.
    assert interlaced_frames(tmp_path / "result.mp4") < 10
    assert read_mp4(tmp_path / "result.mp4").timing.frames == read_mp4(odd).timing.frames


def interlaced_frames(path: Path) -> int:
    """Count the interlaced frames."""
    stderr = clips.ffmpeg("-i", str(path), "-vf", "idet", "-f", "null", "-")
    return int(re.findall(r"Multi frame detection: TFF:\s*(\d+)", stderr)[-1])


@pytest.mark.parametrize(
    ("size", "kept"), [("2880x1620", (1920, 1080)), ("2160x3840", (900, 1600))]
)
async def test_a_large_picture_is_encoded_smaller(
    size: str, kept: tuple[int, int], ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    large = tmp_path / "large.mp4"
    source = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=5:d=0.6")
    clips.ffmpeg(*source, "-c:v", "mpeg4", "-movflags", "+faststart", str(large))
    await repair(ffmpeg, large, tmp_path / "result.mp4")
    info = read_mp4(tmp_path / "result.mp4")
    assert (info.width, info.height) == kept


async def test_a_repair_keeps_the_title_and_says_that_the_video_was_generated(
    clip: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    metadata = ("-metadata", "title=A cat\non a roof", "-metadata", "artist=s3cr3t")
    odd = rewritten(clip, tmp_path / "odd.mp4", *metadata, "-movflags", "0")
    assert read_mp4(odd).title == "A cat on a roof"
    await repair(ffmpeg, odd, tmp_path / "result.mp4")
    result = tmp_path / "result.mp4"
    assert read_mp4(result).title == "A cat on a roof"
    content = result.read_bytes()
    assert b"Generated video" in content
    assert b"s3cr3t" not in content


async def test_a_clip_that_was_cut_off_is_not_repaired(
    clip: Path, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    cut = shortened(clip, tmp_path / "cut.mp4")
    with pytest.raises(MediaError, match="cut off"):
        await repair(ffmpeg, cut, tmp_path / "result.mp4")
