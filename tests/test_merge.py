from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.ffmpeg import Ffmpeg
from bot.media.ingest import Narration, ingest
from bot.media.merge import merge
from bot.media.mp4 import read_mp4
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

AAC_FRAME = 1024 / 48_000  # older decoders play the last one to its end


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.make_clip(tmp_path_factory.mktemp("merge") / "clip.mp4", seconds=4)


async def merged(ffmpeg: Ffmpeg, clip: Path, sound: Path, folder: Path) -> Path:
    narration = await ingest(ffmpeg, sound, folder / "narration.wav", max_seconds=30)
    await merge(ffmpeg, clip, narration, folder / "result.mp4")
    return folder / "result.mp4"


def level(path: Path, start: float, seconds: float) -> float:
    """Return the RMS level in dB of a stretch of a file's sound."""
    window = ("-ss", str(start), "-t", str(seconds), "-i", str(path))
    stderr = clips.ffmpeg(*window, "-map", "0:a:0", "-af", "astats", "-f", "null", "-")
    found = re.findall(r"RMS level dB: (\S+)", stderr)
    return float(found[-1])


def loudness(path: Path) -> float:
    stderr = clips.ffmpeg("-i", str(path), "-map", "0:a:0", "-af", "ebur128", "-f", "null", "-")
    return float(re.findall(r"I:\s+(\S+) LUFS", stderr)[-1])


def packets(path: Path, folder: Path) -> list[str]:
    """List a video's packets: times, sizes and checksums."""
    listing = folder / f"{path.stem}.txt"
    clips.ffmpeg("-i", str(path), "-map", "0:v:0", "-c", "copy", "-f", "framehash", str(listing))
    return [line for line in listing.read_text().splitlines() if not line.startswith("#")]


def sound_seconds(path: Path) -> float:
    """Return how long the sound is when it is played."""
    stderr = clips.ffmpeg("-i", str(path), "-map", "0:a:0", "-af", "astats", "-f", "null", "-")
    return int(re.findall(r"Number of samples: (\d+)", stderr)[-1]) / 48_000


def shortened(clip: Path, target: Path) -> Path:
    target.write_bytes(clip.read_bytes()[:-500])
    return target


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("seconds", [1.5, 4, 9])
async def test_the_result_is_as_long_as_the_clip_with_its_picture_unchanged(
    seconds: float, ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    sound = clips.make_speech(tmp_path / "speech.ogg", seconds=seconds)
    result = await merged(ffmpeg, clip, sound, tmp_path)
    info = read_mp4(result)
    assert info.seconds == read_mp4(clip).seconds
    assert sound_seconds(result) == pytest.approx(4, abs=AAC_FRAME)
    assert (info.video_codec, info.audio_codec) == ("avc1", "mp4a")
    assert info.streamable
    assert packets(result, tmp_path) == packets(clip, tmp_path)


async def test_a_clip_in_fragments_becomes_a_plain_one(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    fragmented = tmp_path / "clip.mp4"
    layout = ("-movflags", "empty_moov+frag_keyframe")
    clips.ffmpeg("-i", str(clip), "-c", "copy", *layout, str(fragmented))
    result = await merged(ffmpeg, fragmented, clips.make_speech(tmp_path / "s.ogg"), tmp_path)
    assert b"moof" not in result.read_bytes()
    # Two frames' time more: without an edit list the picture starts late, as it did in the clip.
    assert read_mp4(result).seconds == pytest.approx(4, abs=0.1)
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


@pytest.mark.parametrize("volume", [0.02, 0.3, 1.0])
async def test_every_voice_comes_out_equally_loud(
    volume: float, ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    sound = clips.make_sound(tmp_path / "s.wav", f"{volume}*2*{clips.SPEECH}", seconds=4)
    result = await merged(ffmpeg, clip, sound, tmp_path)
    assert loudness(result) == pytest.approx(-16, abs=1)


async def test_silence_stays_silence(ffmpeg: Ffmpeg, clip: Path, tmp_path: Path) -> None:
    result = await merged(ffmpeg, clip, clips.make_silence(tmp_path / "s.wav"), tmp_path)
    assert level(result, 0, 4) == float("-inf")


async def test_a_murmur_is_lifted_by_a_bounded_gain(
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
        await merge(ffmpeg, clip, gone, result)
    assert "gone.wav" in failed.value.stderr_tail
    assert names(tmp_path) == {"result.mp4"}
    assert result.read_bytes() == b"old"


async def test_a_cut_off_clip_is_refused(ffmpeg: Ffmpeg, clip: Path, tmp_path: Path) -> None:
    cut = shortened(clip, tmp_path / "clip.mp4")
    narration = Narration(path=tmp_path / "n.wav", seconds=1, loudness=None)
    with pytest.raises(MediaError, match="cut off"):
        await merge(ffmpeg, cut, narration, tmp_path / "result.mp4")
