from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.media.mp4.playable import repair_for
from bot.media.mp4.reader import read_mp4
from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.provenance import DigitalSource, append_mark
from bot.media.render.convert import convert
from bot.media.render.encoded_narration import encode_narration
from bot.media.render.merge_narration import merge, repair
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.media.render.shrink import shrink_video
from bot.storyboard.clip_renderer import ClipRenderer
from bot.storyboard.clip_store import ClipOrder
from tests.support.media import clips
from tests.support.media.marks import C2PA, TERMS, append_xmp, ends_with_mark, marks, uuid_box

if TYPE_CHECKING:
    from pathlib import Path

MODEL = TERMS + "trainedAlgorithmicMedia"
CODE = TERMS + "algorithmicMedia"
MIX = TERMS + "composite"
MIX_WITH_MODEL = TERMS + "compositeWithTrainedAlgorithmicMedia"


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clips.make_clip(tmp_path / "clip.mp4")


async def narrated(
    ffmpeg: Ffmpeg, clip: Path, options: NarrationOptions, *, seconds: float = 1
) -> Path:
    folder = clip.parent
    speech = clips.make_speech(folder / "speech.wav", seconds=seconds)
    narration = await ingest(ffmpeg, speech, folder / "narration.wav", max_seconds=30)
    await merge(ffmpeg, clip, narration, folder / "result.mp4", options)
    return folder / "result.mp4"


def weight(path: Path) -> int:
    return path.stat().st_size


def content(path: Path) -> bytes:
    return path.read_bytes()


def appended(path: Path, more: bytes) -> bytes:
    path.write_bytes(path.read_bytes() + more)
    return path.read_bytes()


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def assert_marked(video: Path, source: str) -> None:
    assert marks(video) == [source]
    assert ends_with_mark(video)
    info = read_mp4(video)
    assert info.digital_source == source.removeprefix(TERMS)
    assert info.streamable
    assert not repair_for(info).is_needed


MERGES = {
    "trimmed": NarrationOptions(fit=NarrationFit.TRIM),
    "held": NarrationOptions(fit=NarrationFit.HOLD),
    "looped": NarrationOptions(fit=NarrationFit.LOOP),
    "held because a loop is too large": NarrationOptions(fit=NarrationFit.LOOP, max_bytes=1),
    "ducked": NarrationOptions(mix=NarrationMix.DUCK),
}


@pytest.mark.parametrize("options", MERGES.values(), ids=MERGES)
async def test_a_merged_video_says_that_a_persons_voice_was_laid_over_a_models_picture(
    options: NarrationOptions, ffmpeg: Ffmpeg, clip: Path
) -> None:
    assert_marked(await narrated(ffmpeg, clip, options, seconds=5), MIX_WITH_MODEL)


async def test_a_video_whose_sound_is_copied_is_marked(ffmpeg: Ffmpeg, clip: Path) -> None:
    speech = clips.make_speech(clip.parent / "speech.wav", seconds=1)
    narration = await ingest(ffmpeg, speech, clip.parent / "narration.wav", max_seconds=30)
    await encode_narration(ffmpeg, narration)
    await merge(ffmpeg, clip, narration, clip.parent / "result.mp4", NarrationOptions())
    assert_marked(clip.parent / "result.mp4", MIX_WITH_MODEL)


async def test_a_clip_that_is_encoded_before_it_is_looped_is_marked_once(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clips.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-t", "2", "-c:v", "mpeg4", str(clip)
    )
    looped = await narrated(ffmpeg, clip, NarrationOptions(fit=NarrationFit.LOOP), seconds=5)
    assert_marked(looped, MIX_WITH_MODEL)


async def test_a_machines_voice_leaves_a_models_video_wholly_generated(
    ffmpeg: Ffmpeg, clip: Path
) -> None:
    assert_marked(await narrated(ffmpeg, clip, NarrationOptions(spoken=True)), MODEL)


async def test_a_repaired_clip_is_marked(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = clips.make_clip(tmp_path / "clip.mp4", faststart=False)
    assert await repair(ffmpeg, clip, tmp_path / "result.mp4")
    assert_marked(tmp_path / "result.mp4", MODEL)


async def test_a_clip_with_a_new_picture_is_marked(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = clips.make_clip(tmp_path / "wide.mp4")
    turned = tmp_path / "clip.mp4"
    clips.ffmpeg("-display_rotation", "90", "-i", str(clip), "-c", "copy", str(turned))
    assert await repair(ffmpeg, turned, tmp_path / "result.mp4")
    assert_marked(tmp_path / "result.mp4", MODEL)


async def test_a_converted_clip_is_marked(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    source = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-t", "1")
    clips.ffmpeg(*source, "-c:v", "libvpx", "-f", "webm", str(clip))
    assert await convert(ffmpeg, clip)
    assert_marked(clip, MODEL)


@pytest.mark.parametrize("stated", [None, *DigitalSource])
async def test_a_smaller_copy_says_the_same_as_its_original(
    stated: DigitalSource | None, ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    if stated is not None:
        append_mark(clip, stated)
    limit = weight(clip) * 2 // 3
    shrunk = await shrink_video(ffmpeg, clip, tmp_path / "small.mp4", limit_bytes=limit)
    assert_marked(shrunk.path, TERMS + (stated or "trainedAlgorithmicMedia"))
    assert shrunk.size == weight(shrunk.path) <= limit


async def test_room_for_the_mark_is_left_below_the_limit(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    largest = await shrink_video(ffmpeg, clip, tmp_path / "a.mp4", limit_bytes=weight(clip) - 1)
    # Its picture and sound would fit once more, but not together with the mark.
    limit = largest.size - 1
    smaller = await shrink_video(ffmpeg, clip, tmp_path / "b.mp4", limit_bytes=limit)
    assert_marked(smaller.path, MODEL)
    assert smaller.size == weight(smaller.path) <= limit


@pytest.mark.parametrize(
    ("spoken", "source"), [(False, MIX), (True, MIX_WITH_MODEL)], ids=["person", "machine"]
)
async def test_a_storyboard_is_drawn_by_code_until_a_voice_is_laid_over_it(
    ffmpeg: Ffmpeg, tmp_path: Path, source: str, *, spoken: bool
) -> None:
    order = ClipOrder(prompt="Rainbows", model="storyboard", seconds=1, size="160x96")
    drawn = await ClipRenderer(ffmpeg).render(order, tmp_path, lambda _: None)
    assert_marked(drawn, CODE)
    merged = await narrated(ffmpeg, drawn, NarrationOptions(spoken=spoken))
    assert_marked(merged, source)
    again = await narrated(ffmpeg, merged.rename(tmp_path / "again.mp4"), NarrationOptions())
    assert_marked(again, source)


SAME = DigitalSource.MIX_WITH_MODEL


@pytest.mark.parametrize("spoken", [False, True])
def test_a_mark_never_says_that_less_was_generated_than_before(*, spoken: bool) -> None:
    assert DigitalSource.MIX_WITH_MODEL.with_voice(spoken=spoken) is SAME
    assert DigitalSource.MIX.with_voice(spoken=spoken) is (SAME if spoken else DigitalSource.MIX)


async def test_a_clip_that_plays_as_it_is_is_never_appended_to(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    before = appended(clip, uuid_box(C2PA, b"a signed manifest"))
    assert not await convert(ffmpeg, clip)
    assert not await repair(ffmpeg, clip, tmp_path / "result.mp4")
    limit = len(before)
    shrunk = await shrink_video(ffmpeg, clip, tmp_path / "small.mp4", limit_bytes=limit)
    assert shrunk.path == clip
    assert content(clip) == before
    assert names(tmp_path) == {"clip.mp4"}


STATED = {
    "an attribute": f"<rdf:Description Iptc4xmpExt:DigitalSourceType='{MIX_WITH_MODEL}'/>",
    "a resource": f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{MIX_WITH_MODEL}"/>',
    "over https": f"<a:DigitalSourceType>\n {MIX_WITH_MODEL.replace('http', 'https')}\n</",
}
IGNORED = {
    "a camera": f"<Iptc4xmpExt:DigitalSourceType>{TERMS}digitalCapture</",
    "an unknown term": f"<Iptc4xmpExt:DigitalSourceType>{TERMS}composite2</",
    "a longer term": f"<Iptc4xmpExt:DigitalSourceType>{TERMS}compositeOfThings</",
    "another vocabulary": "<Iptc4xmpExt:DigitalSourceType>http://example.org/composite</",
    "text": f"DigitalSourceType <b>{MIX}",
    "nothing": "",
    "far away": " " * 70_000 + f"<Iptc4xmpExt:DigitalSourceType>{MIX}</",
}


@pytest.mark.parametrize("packet", STATED.values(), ids=STATED)
async def test_what_a_service_states_is_kept(packet: str, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = append_xmp(clips.make_clip(tmp_path / "clip.mp4", faststart=False), packet)
    assert await repair(ffmpeg, clip, tmp_path / "result.mp4")
    assert_marked(tmp_path / "result.mp4", MIX_WITH_MODEL)


@pytest.mark.parametrize("packet", IGNORED.values(), ids=IGNORED)
async def test_a_services_clip_counts_as_generated_whatever_else_it_states(
    packet: str, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = append_xmp(clips.make_clip(tmp_path / "clip.mp4", faststart=False), packet)
    assert await repair(ffmpeg, clip, tmp_path / "result.mp4")
    assert_marked(tmp_path / "result.mp4", MODEL)


def test_an_empty_box_of_an_extended_type_at_the_end_is_no_mark(clip: Path) -> None:
    appended(clip, b"\0\0\0\x08uuid")
    assert read_mp4(clip).digital_source is None
