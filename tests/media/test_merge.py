from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.mp4.reader import read_mp4
from bot.media.narration.ingest import Narration
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.merge_narration import merge
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from tests.support.media import clips
from tests.support.media.measurements import (
    clicks,
    flashes,
    level,
    loudness,
    packets,
    sound_seconds,
    true_peak,
)
from tests.support.media.narrations import make_narration

if TYPE_CHECKING:
    from pathlib import Path

TRIM = NarrationOptions(fit=NarrationFit.TRIM)
AAC_FRAME = 1024 / 48_000  # older decoders play the whole last frame


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.make_clip(tmp_path_factory.mktemp("merge") / "clip.mp4", seconds=4)


async def merged(
    ffmpeg: Ffmpeg,
    clip: Path,
    sound: Path,
    folder: Path,
    options: NarrationOptions = TRIM,
    *,
    ahead: bool = True,
) -> Path:
    """Merge a sound into a clip; `ahead`: whether it is encoded before, as jobs do it."""
    narration = await make_narration(ffmpeg, sound, folder / "narration.wav", is_encoded=ahead)
    await merge(ffmpeg, clip, narration, folder / "result.mp4", options)
    return folder / "result.mp4"


def shortened(clip: Path, target: Path) -> Path:
    target.write_bytes(clip.read_bytes()[:-500])
    return target


def weight(path: Path) -> int:
    return path.stat().st_size


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("seconds", [1.5, 4, 9])
async def test_the_result_is_as_long_as_the_clip_with_its_picture_unchanged(
    *, ahead: bool, seconds: float, ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    sound = clips.make_speech(tmp_path / "speech.ogg", seconds=seconds)
    result = await merged(ffmpeg, clip, sound, tmp_path, ahead=ahead)
    info = read_mp4(result)
    assert info.seconds == read_mp4(clip).seconds
    assert sound_seconds(result) == pytest.approx(4, abs=AAC_FRAME)
    assert (info.video_codec, info.audio_codec) == ("avc1", "mp4a")
    assert info.streamable
    assert packets(result, tmp_path) == packets(clip, tmp_path)


async def test_a_fragmented_clip_becomes_a_plain_one(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    fragmented = tmp_path / "clip.mp4"
    layout = ("-movflags", "empty_moov+frag_keyframe")
    clips.ffmpeg("-i", str(clip), "-c", "copy", *layout, str(fragmented))
    result = await merged(ffmpeg, fragmented, clips.make_speech(tmp_path / "s.ogg"), tmp_path)
    assert b"moof" not in result.read_bytes()
    assert read_mp4(result).seconds == pytest.approx(4, abs=0.001)
    assert sound_seconds(result) == pytest.approx(4, abs=AAC_FRAME)


async def test_a_short_narration_is_followed_by_silence(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    result = await merged(ffmpeg, clip, clips.make_tone(tmp_path / "t.wav", seconds=2), tmp_path)
    assert level(result, 0.2, 1.6) > -25
    assert level(result, 2.2, 1.7) < -70


async def test_a_long_narration_fades_out_at_the_clips_end(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    result = await merged(ffmpeg, clip, clips.make_tone(tmp_path / "t.wav", seconds=9), tmp_path)
    full = level(result, 2, 1)
    assert level(result, 3.2, 0.2) == pytest.approx(full, abs=0.5)
    assert level(result, 3.7, 0.1) < full - 3
    assert level(result, 3.92, 0.07) < full - 12


async def test_a_narration_as_long_as_the_clip_is_not_faded(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    result = await merged(ffmpeg, clip, clips.make_tone(tmp_path / "t.wav", seconds=4), tmp_path)
    assert level(result, 3.8, 0.15) == pytest.approx(level(result, 2, 1), abs=0.5)


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("volume", [0.02, 0.3, 1.0])
async def test_every_voice_is_equally_loud_in_the_result(
    *, ahead: bool, volume: float, ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    sound = clips.make_sound(tmp_path / "s.wav", f"{volume}*2*{clips.SPEECH}", seconds=4)
    result = await merged(ffmpeg, clip, sound, tmp_path, ahead=ahead)
    assert loudness(result) == pytest.approx(-16, abs=1)


async def test_silence_stays_silence(ffmpeg: Ffmpeg, clip: Path, tmp_path: Path) -> None:
    result = await merged(ffmpeg, clip, clips.make_silence(tmp_path / "s.wav"), tmp_path)
    assert level(result, 0, 4) == float("-inf")


async def test_a_murmur_is_amplified_by_a_limited_gain(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    murmur = clips.make_tone(tmp_path / "t.wav", seconds=4, volume=0.001)
    result = await merged(ffmpeg, clip, murmur, tmp_path)
    assert loudness(result) < -25


async def test_a_silent_clip_gets_the_voice(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    silent = clips.make_clip(tmp_path / "clip.mp4", sound=False)
    result = await merged(ffmpeg, silent, clips.make_speech(tmp_path / "s.wav"), tmp_path)
    assert read_mp4(result).audio_codec == "mp4a"


async def test_metadata_of_the_inputs_does_not_survive(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    marked = tmp_path / "clip.mp4"
    clips.ffmpeg("-i", str(clip), "-c", "copy", "-metadata", "comment=s3cr3t", str(marked))
    assert b"s3cr3t" in marked.read_bytes()
    result = await merged(ffmpeg, marked, clips.make_tone(tmp_path / "t.wav"), tmp_path)
    assert b"s3cr3t" not in result.read_bytes()


async def test_a_failed_merge_leaves_the_old_result_alone(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    result = tmp_path / "result.mp4"
    result.write_bytes(b"old")
    gone = Narration(path=tmp_path / "gone.wav", seconds=1, loudness=None)
    with pytest.raises(MediaError) as failed:
        await merge(ffmpeg, clip, gone, result, TRIM)
    assert "gone.wav" in failed.value.stderr_tail
    assert names(tmp_path) == {"result.mp4"}
    assert result.read_bytes() == b"old"


async def test_a_cut_off_clip_is_refused(ffmpeg: Ffmpeg, clip: Path, tmp_path: Path) -> None:
    cut = shortened(clip, tmp_path / "clip.mp4")
    narration = Narration(path=tmp_path / "n.wav", seconds=1, loudness=None)
    with pytest.raises(MediaError, match="cut off"):
        await merge(ffmpeg, cut, narration, tmp_path / "result.mp4", TRIM)


# Narrations that are longer than the clip


def options(
    fit: NarrationFit = NarrationFit.HOLD, mix: NarrationMix = NarrationMix.REPLACE
) -> NarrationOptions:
    return NarrationOptions(fit=fit, mix=mix)


@pytest.mark.parametrize("ahead", [True, False])
async def test_the_last_picture_is_held_until_a_long_narration_ends(
    *, ahead: bool, ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    sound = clips.make_tone(tmp_path / "t.wav", seconds=9)
    result = await merged(ffmpeg, clip, sound, tmp_path, options(), ahead=ahead)
    assert read_mp4(result).seconds == pytest.approx(9, abs=0.001)
    assert sound_seconds(result) == pytest.approx(9, abs=AAC_FRAME)
    assert level(result, 8.7, 0.2) == pytest.approx(level(result, 2, 1), abs=0.5)
    # All frames have their own times, and only the last one has another duration.
    kept, own = packets(result, tmp_path), packets(clip, tmp_path)
    assert kept[:-1] == own[:-1]
    assert kept[-1].split(",")[-1] == own[-1].split(",")[-1]


async def test_a_looped_clip_repeats_its_picture_unchanged(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    sound = clips.make_tone(tmp_path / "t.wav", seconds=9)
    result = await merged(ffmpeg, clip, sound, tmp_path, options(NarrationFit.LOOP))
    # Copied frames depend on each other, so the loop may end a few frames early, but never late.
    assert 8.9 <= read_mp4(result).seconds <= 9
    assert sound_seconds(result) == pytest.approx(9, abs=AAC_FRAME)
    once, looped = ([p.split(",")[-1] for p in packets(f, tmp_path)] for f in (clip, result))
    assert looped[: 2 * len(once)] == once + once


async def test_a_clip_is_held_instead_if_its_loop_would_be_too_large(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    sound = clips.make_tone(tmp_path / "t.wav", seconds=9)
    narration = await make_narration(ffmpeg, sound, tmp_path / "n.wav")
    small = NarrationOptions(fit=NarrationFit.LOOP, max_bytes=2 * weight(clip))
    result = tmp_path / "result.mp4"
    assert (await merge(ffmpeg, clip, narration, result, small)).held_instead
    assert read_mp4(result).seconds == pytest.approx(9, abs=0.001)
    assert weight(result) < 2 * weight(clip)
    roomy = NarrationOptions(fit=NarrationFit.LOOP)
    assert not (await merge(ffmpeg, clip, narration, result, roomy)).held_instead


async def test_a_looped_picture_that_has_to_be_encoded_respects_the_size_limit(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    rough = tmp_path / "clip.mp4"
    grain = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1,noise=alls=40:allf=t")
    clips.ffmpeg(*grain, "-c:v", "mpeg4", "-q:v", "31", "-movflags", "+faststart", str(rough))
    sound = clips.make_tone(tmp_path / "t.wav", seconds=6)
    narration = await make_narration(ffmpeg, sound, tmp_path / "n.wav")
    # The original is small enough to be looped, but its encoded version is not.
    limit = 7 * weight(rough) + 6 * 20_000
    result = tmp_path / "result.mp4"
    small = NarrationOptions(fit=NarrationFit.LOOP, max_bytes=limit)
    assert (await merge(ffmpeg, rough, narration, result, small)).held_instead
    assert weight(result) < limit
    roomy = NarrationOptions(fit=NarrationFit.LOOP)
    assert not (await merge(ffmpeg, rough, narration, result, roomy)).held_instead
    assert weight(result) > limit
    assert 5.8 <= read_mp4(result).seconds <= 6
    assert names(tmp_path) == {"clip.mp4", "t.wav", "n.wav", "n.json", "result.mp4"}


# Narrations over the clip's own sound


async def test_the_clips_own_sound_is_lowered_under_the_voice_and_restored(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = clips.make_clip(tmp_path / "clip.mp4", seconds=6)
    voice = clips.make_sound(tmp_path / "v.wav", "0.3*sin(2*PI*200*t)*lt(t,3)", seconds=3)
    result = await merged(ffmpeg, clip, voice, tmp_path, options(mix=NarrationMix.DUCK))
    own = tmp_path / "own.wav"
    clips.ffmpeg("-i", str(result), "-af", "highpass=f=700:poles=2,highpass=f=700", str(own))
    clips.ffmpeg("-i", str(clip), "-ac", "2", str(tmp_path / "native.wav"))
    native = level(tmp_path / "native.wav", 4, 1)
    assert level(own, 1, 1.5) < native - 6
    assert level(own, 5, 0.9) == pytest.approx(native, abs=2)


async def test_ducking_continues_while_the_last_picture_is_held(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    sound = clips.make_tone(tmp_path / "t.wav", seconds=7)
    result = await merged(ffmpeg, clip, sound, tmp_path, options(mix=NarrationMix.DUCK))
    assert read_mp4(result).seconds == pytest.approx(7, abs=0.001)
    assert level(result, 6, 0.8) > -25


async def test_a_clip_without_sound_gets_only_the_voice(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    silent = clips.make_clip(tmp_path / "clip.mp4", sound=False)
    voice = clips.make_tone(tmp_path / "v.wav", seconds=1)
    result = await merged(ffmpeg, silent, voice, tmp_path, options(mix=NarrationMix.DUCK))
    assert level(result, 0.2, 0.6) > -25
    assert level(result, 1.2, 0.7) < -70


async def test_an_undecodable_sound_is_replaced_instead_of_ducked(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    voice = clips.make_tone(tmp_path / "v.wav", seconds=1)
    undecodable = clips.make_undecodable(clip, tmp_path / "clip.mp4")
    result = await merged(ffmpeg, undecodable, voice, tmp_path, options(mix=NarrationMix.DUCK))
    assert level(result, 0.2, 0.6) > -25
    assert level(result, 1.2, 0.7) < -70


@pytest.mark.parametrize("mix", NarrationMix)
async def test_the_loudest_sound_stays_below_the_peak(
    mix: NarrationMix, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = clips.make_clip(tmp_path / "clip.mp4", seconds=4)
    noise = "4*random(0)*lt(mod(t,1.5),0.7)-2"
    voice = clips.make_sound(tmp_path / "v.wav", noise, seconds=4)
    result = await merged(ffmpeg, clip, voice, tmp_path, options(mix=mix))
    assert true_peak(result) < -1


HOT = {
    "noise": "random(0)*2-1",
    "a square wave": "(2*gt(sin(2*PI*3700*t),0)-1)*0.95*lt(mod(t,1),0.6)",
}


@pytest.mark.parametrize("own", HOT.values(), ids=HOT)
async def test_an_own_sound_at_full_scale_stays_below_the_peak(
    own: str, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    hot = ("-f", "lavfi", "-i", f"aevalsrc='{own}':s=48000")
    coding = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "320k")
    clips.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", *hot, "-t", "4", *coding, str(clip)
    )
    voice = clips.make_speech(tmp_path / "v.wav", seconds=3)
    result = await merged(ffmpeg, clip, voice, tmp_path, options(mix=NarrationMix.DUCK))
    assert true_peak(result) < -1


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("mix", NarrationMix)
@pytest.mark.parametrize("fit", NarrationFit)
async def test_sound_and_picture_stay_in_sync(
    *, ahead: bool, fit: NarrationFit, mix: NarrationMix, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = clips.make_clapper(tmp_path / "clip.mp4", seconds=3, at=1)
    click = "0.8*sin(2*PI*2000*t)*between(mod(t,3),1,1.1)"
    voice = clips.make_sound(tmp_path / "v.wav", click, seconds=7.5)
    result = await merged(ffmpeg, clip, voice, tmp_path, options(fit, mix), ahead=ahead)
    seen, heard = flashes(result), clicks(result)
    assert len(seen) == (3 if fit is NarrationFit.LOOP else 1)
    assert len(heard) == (1 if fit is NarrationFit.TRIM else 3)
    for flash, sound in zip(seen, heard, strict=False):
        assert flash == pytest.approx(sound, abs=0.02)


@pytest.mark.parametrize("fit", [NarrationFit.HOLD, NarrationFit.LOOP])
async def test_the_clips_own_sound_stays_in_sync_with_its_picture(
    fit: NarrationFit, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = clips.make_clapper(tmp_path / "clip.mp4", seconds=3, at=1)
    silence = clips.make_silence(tmp_path / "v.wav", seconds=7.5)
    duck = options(fit, NarrationMix.DUCK)
    result = await merged(ffmpeg, clip, silence, tmp_path, duck)
    seen, heard = flashes(result), clicks(result)
    assert len(seen) == (3 if fit is NarrationFit.LOOP else 1)
    assert heard == pytest.approx(seen, abs=0.02)


LATE = {"no edit list": ("-use_editlist", "0"), "fragments": ("-movflags", "frag_keyframe")}


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("mix", NarrationMix)
@pytest.mark.parametrize("fit", [NarrationFit.HOLD, NarrationFit.LOOP])
@pytest.mark.parametrize("layout", LATE.values(), ids=LATE)
async def test_a_picture_that_starts_late_is_brought_in_sync(
    *,
    ahead: bool,
    layout: tuple[str, ...],
    fit: NarrationFit,
    mix: NarrationMix,
    ffmpeg: Ffmpeg,
    tmp_path: Path,
) -> None:
    clip = tmp_path / "clip.mp4"
    plain = clips.make_clapper(tmp_path / "plain.mp4", seconds=3, at=1)
    clips.ffmpeg("-i", str(plain), "-c", "copy", *layout, str(clip))
    assert read_mp4(clip).picture_delay == pytest.approx(0.04)
    click = "0.8*sin(2*PI*2000*t)*between(t,1,1.1)"
    voice = "0" if mix is NarrationMix.DUCK else click
    sound = clips.make_sound(tmp_path / "v.wav", voice, seconds=7)
    result = await merged(ffmpeg, clip, sound, tmp_path, options(fit, mix), ahead=ahead)
    seen, heard = flashes(result), clicks(result)
    # The third repetition ends before its flash.
    assert seen == pytest.approx([1, 4] if fit is NarrationFit.LOOP else [1], abs=0.001)
    assert heard == pytest.approx(seen if mix is NarrationMix.DUCK else [1], abs=0.02)
    assert read_mp4(result).seconds == pytest.approx(7, abs=0.1)
