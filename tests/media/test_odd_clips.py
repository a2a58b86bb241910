"""Clips that play and then break, look wrong, or are only a part: mended or refused."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.clip_format import check_clip
from bot.media.mp4.playable import repair_for
from bot.media.mp4.reader import read_mp4
from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.colours import probe_colours
from bot.media.render.convert import convert
from bot.media.render.merge_narration import merge, repair
from bot.media.render.narration_options import NarrationMix, NarrationOptions
from bot.media.render.poster import extract_poster
from bot.media.render.shrink import shrink_video
from tests.support.media import clips
from tests.support.media.forge import changed, clapper, sound
from tests.support.media.measurements import clicks, flashes
from tests.support.media.mp4_forge import edited, traks
from tests.support.media.odd_clips import (
    cut_between_fragments,
    cut_in_open_media,
    in_hdr,
    open_groups,
    two_parts,
    with_c2pa,
    with_offsets,
    with_thumbnail,
)
from tests.support.providers.openai_setup import names_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.media.forge import Make
    from tests.support.media.mp4_forge import Node


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


def made(make: Make, path: Path) -> Path:
    make(path)
    return path


def first_keyframes_only(moov: Node) -> None:
    stss = traks(moov, b"vide")[0].at(b"mdia", b"minf", b"stbl", b"stss")
    stss.payload = bytes(8)


BREAKING = {
    "two sizes": two_parts(clapper(), clapper("-profile:v", "high", size="640x360")),
    "two pictures": two_parts(clapper(), clapper("-preset", "fast"), b"vide"),
    "two sounds": two_parts(clapper(), clapper("-ac", "2"), b"soun"),
    "mono, then slow": two_parts(clapper(), clapper("-ar", "22050"), b"soun"),
    "open groups": open_groups(),
    "open groups in fragments": open_groups("-movflags", "empty_moov+frag_keyframe"),
    "no keyframe is listed": changed(clapper(), lambda data: edited(data, first_keyframes_only)),
}


@pytest.mark.parametrize("make", BREAKING.values(), ids=BREAKING)
async def test_a_picture_or_sound_that_would_break_midway_is_encoded_anew(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = made(make, tmp_path / "clip.mp4")
    before = read_mp4(clip)
    assert repair_for(before).picture or before.audio_joined
    assert await repair(ffmpeg, clip, tmp_path / "result.mp4")
    after = read_mp4(tmp_path / "result.mp4")
    assert not repair_for(after).is_needed
    assert after.seconds == pytest.approx(before.seconds, abs=0.05)
    seen = flashes(tmp_path / "result.mp4")
    assert seen == pytest.approx(flashes(clip), abs=0.02)
    assert clicks(tmp_path / "result.mp4")[0] == pytest.approx(seen[0], abs=0.02)


async def test_a_narration_over_two_joined_clips_lasts_to_the_end(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = made(BREAKING["two sizes"], tmp_path / "clip.mp4")
    click = "0.8*sin(2*PI*2000*t)*between(mod(t,3),1,1.1)"
    voice = clips.make_sound(tmp_path / "v.wav", click, seconds=6)
    narration = await ingest(ffmpeg, voice, tmp_path / "n.wav", max_seconds=10)
    duck = NarrationOptions(mix=NarrationMix.DUCK)
    await merge(ffmpeg, clip, narration, tmp_path / "result.mp4", duck)
    assert flashes(tmp_path / "result.mp4") == pytest.approx([1, 4], abs=0.001)
    assert clicks(tmp_path / "result.mp4") == pytest.approx([1, 4], abs=0.02)


def test_parameters_that_change_inside_the_stream_are_noticed(tmp_path: Path) -> None:
    parts = [tmp_path / f"{size}.mp4" for size in ("320x180", "640x360")]
    for part in parts:
        clapper("-an", size=part.stem)(part)
        clips.ffmpeg("-i", str(part), "-c", "copy", str(part.with_suffix(".h264")))
    raw = b"".join(part.with_suffix(".h264").read_bytes() for part in parts)
    (tmp_path / "both.h264").write_bytes(raw)
    clip = tmp_path / "clip.mp4"
    layout = ("-movflags", "+faststart")
    clips.ffmpeg("-r", "50", "-i", str(tmp_path / "both.h264"), "-c", "copy", *layout, str(clip))
    assert repair_for(read_mp4(clip)).picture
    assert not repair_for(read_mp4(parts[0])).is_needed


HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=0")
X264 = ("-c:v", "libx264", "-preset", "ultrafast")
WIDE = {
    "PQ in HEVC": in_hdr("smpte2084", *HEVC),
    "PQ in HEVC, named in the stream": in_hdr("smpte2084", *HEVC, tagged=False),
    "PQ in 8 bits": in_hdr("smpte2084", *X264, "-8bit"),
    "PQ in 8 bits, named in the stream": in_hdr("smpte2084", *X264, "-8bit", tagged=False),
    "HLG": in_hdr("arib-std-b67", *HEVC),
    "BT.2020": in_hdr("bt2020-10", *X264),
}
# The stripes of the source: exactly as they were, but for the brightest, which HDR has room above.
STRIPES = [(46, 3), (117, 3), (188, 9), (255, 45), (16, 3)]


def greys(picture: Path) -> list[int]:
    """Return the brightness of a picture's grey stripes."""
    cut = "scale=8:1:flags=area:in_color_matrix=bt709,format=rgb24"
    output = ("-frames:v", "1", "-vf", cut, "-f", "rawvideo", "-")
    command = [clips.binary(), "-v", "error", "-i", picture, *output]
    stripes = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - tests only
    return [stripes[3 * number + 1] for number in (0, 1, 2, 3)]


@pytest.mark.parametrize("make", WIDE.values(), ids=WIDE)
async def test_a_picture_with_wide_colours_keeps_its_brightness(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = made(make, tmp_path / "clip.mp4")
    assert await repair(ffmpeg, clip, tmp_path / "result.mp4")
    after = read_mp4(tmp_path / "result.mp4")
    assert after.colours == (1, 1)
    assert not repair_for(after).is_needed
    for grey, (expected, off) in zip(greys(tmp_path / "result.mp4"), STRIPES, strict=False):
        assert grey == pytest.approx(expected, abs=off)


async def test_wide_colours_are_changed_in_merges_copies_posters_and_conversions(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = made(WIDE["PQ in HEVC"], tmp_path / "clip.mp4")
    voice = made(sound(), tmp_path / "v.wav")
    narration = await ingest(ffmpeg, voice, tmp_path / "n.wav", max_seconds=10)
    await merge(ffmpeg, clip, narration, tmp_path / "merged.mp4", NarrationOptions())
    await asyncio.to_thread(_padded, clip)
    limit = clip.stat().st_size - 1
    await shrink_video(ffmpeg, clip, tmp_path / "fitted.mp4", limit_bytes=limit)
    await extract_poster(ffmpeg, clip, tmp_path / "poster.jpg")
    clips.ffmpeg("-i", str(clip), "-c", "copy", "-f", "matroska", str(tmp_path / "converted.mp4"))
    assert await convert(ffmpeg, tmp_path / "converted.mp4")
    for name in ("merged.mp4", "fitted.mp4", "converted.mp4"):
        assert read_mp4(tmp_path / name).colours == (1, 1)
        assert greys(tmp_path / name)[1] == pytest.approx(117, abs=4)
    assert greys(tmp_path / "poster.jpg")[1] == pytest.approx(117, abs=6)


async def test_metadata_do_not_pass_for_the_colours_of_a_picture(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip, claim = tmp_path / "clip.mkv", ": Video: h264, yuv420p(tv, bt2020nc/bt2020/smpte2084)"
    source = ("-f", "lavfi", "-i", "testsrc2=s=160x90:d=0.2")
    clips.ffmpeg(
        *source, "-c:v", "libx264", "-metadata:s:v", f"title=Stream #0:0{claim}", str(clip)
    )
    assert await probe_colours(ffmpeg, clip, demuxer="matroska", number=0) is None


def _padded(clip: Path) -> None:
    clip.write_bytes(clip.read_bytes() + b"\0\x10\0\x08free" + bytes(0x100000))


@pytest.mark.parametrize(
    "make",
    [with_thumbnail(), with_thumbnail("-c:v:0", "mjpeg"), with_thumbnail(frames=3)],
    ids=["H.264", "JPEG", "three frames"],
)
async def test_the_picture_is_chosen_and_not_its_thumbnail(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = made(make, tmp_path / "clip.mp4")
    info = read_mp4(clip)
    assert (info.width, info.height, info.seconds) == (320, 180, pytest.approx(3, abs=0.05))
    assert await repair(ffmpeg, clip, tmp_path / "repaired.mp4")
    voice = made(sound(), tmp_path / "v.wav")
    narration = await ingest(ffmpeg, voice, tmp_path / "n.wav", max_seconds=10)
    await merge(ffmpeg, clip, narration, tmp_path / "merged.mp4", NarrationOptions())
    for name in ("repaired.mp4", "merged.mp4"):
        assert flashes(tmp_path / name) == pytest.approx([1], abs=0.001)
        assert read_mp4(tmp_path / name).tracks == 2


PARTIAL = {
    "open media, cut": cut_in_open_media(0.6),
    "open media, cut by a byte": changed(cut_in_open_media(1), lambda data: data[:-1]),
    "fragments": cut_between_fragments("-movflags", "empty_moov+frag_keyframe"),
    "one fragment": cut_between_fragments("-movflags", "empty_moov+frag_keyframe", keep=1),
    "fragments and an index": cut_between_fragments("-movflags", "frag_keyframe", keep=1),
    "DASH": cut_between_fragments("-movflags", "dash"),
    "CMAF": cut_between_fragments("-movflags", "cmaf"),
    "one index of segments": cut_between_fragments("-movflags", "dash+global_sidx", "-bitexact"),
    "beyond the end": with_offsets(2**31),
    "just beyond the end": with_offsets(40_000_000),
    "the first chunk": with_offsets(2**30, chunk=0),
    "in the index": with_offsets(8),
    "the sound": with_offsets(2**31, b"soun"),
}


@pytest.mark.parametrize("make", PARTIAL.values(), ids=PARTIAL)
def test_half_a_clip_is_not_taken_for_whole(make: Make, tmp_path: Path) -> None:
    clip = made(make, tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match=r"cut off|points to other things"):
        check_clip(clip)


WHOLE = {
    "open media": cut_in_open_media(1),
    "fragments": clapper("-movflags", "empty_moov+frag_keyframe"),
    "fragments of an unknown writer": cut_between_fragments(
        "-movflags", "empty_moov+frag_keyframe", "-fflags", "+bitexact", keep=3
    ),
    "DASH": clapper("-movflags", "dash", "-g", "25"),
    "separate fragments": clapper("-movflags", "frag_keyframe+separate_moof", "-g", "25"),
    "one index of segments": clapper("-movflags", "dash+global_sidx", "-g", "25"),
}


@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
def test_a_whole_clip_of_an_odd_layout_is_accepted(make: Make, tmp_path: Path) -> None:
    check_clip(made(make, tmp_path / "clip.mp4"))


@pytest.mark.parametrize("layout", ["webm", "avi"])
def test_half_a_clip_in_another_container_is_not_taken_for_whole(
    layout: str, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    coding = ("-c:v", "libvpx", "-deadline", "realtime") if layout == "webm" else ("-c:v", "mjpeg")
    source = ("-f", "lavfi", "-i", "testsrc2=s=160x90:d=1")
    clips.ffmpeg(*source, *coding, "-f", layout, str(clip))
    check_clip(clip)
    clip.write_bytes(clip.read_bytes()[:-500])
    with pytest.raises(MediaError, match="cut off"):
        check_clip(clip)


@pytest.mark.parametrize("make", [clapper(), clapper("-an")], ids=["sound", "no sound"])
async def test_a_clip_that_plays_keeps_its_bytes_and_its_manifest(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = made(changed(make, with_c2pa), tmp_path / "clip.mp4")
    content = clip.read_bytes()
    assert flashes(clip) == [1]
    check_clip(clip)
    assert not await convert(ffmpeg, clip)
    assert not await repair(ffmpeg, clip, tmp_path / "result.mp4")
    fitted = await shrink_video(ffmpeg, clip, tmp_path / "small.mp4", limit_bytes=len(content))
    assert fitted.path.read_bytes() == content
    assert names_in(tmp_path) == ["clip.mp4"]
