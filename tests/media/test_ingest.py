from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError, UserError
from bot.media.narration.ingest import ingest, read_narration
from bot.media.process.ffmpeg import Ffmpeg
from tests.support.media import clips

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


@pytest.fixture
def unstartable(tmp_path: Path) -> Ffmpeg:
    """Return an ffmpeg that fails to start."""
    return Ffmpeg(tmp_path / "missing", slots=1)


def attached(tmp_path: Path, content: bytes) -> Path:
    source = tmp_path / "attachment"
    source.write_bytes(content)
    return source


def wav(sample_format: int, bits: int, samples: bytes) -> bytes:
    rate = 48_000
    fmt = struct.pack("<HHIIHH", sample_format, 1, rate, rate * bits // 8, bits // 8, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("ending", ["wav", "ogg", "opus", "mp3", "flac", "m4a", "mka", "aac"])
async def test_each_accepted_format_becomes_a_measured_wav(
    ending: str, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    source = clips.make_speech(tmp_path / f"speech.{ending}", seconds=3)
    narration = await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=10)
    assert narration.seconds == pytest.approx(3, abs=0.1)
    assert narration.loudness is not None
    assert -24 < narration.loudness < -10
    stderr = clips.ffmpeg("-i", str(narration.path), "-f", "null", "-")
    assert "pcm_s16le" in stderr
    assert "48000 Hz, stereo" in stderr


async def test_the_sound_of_a_video_is_used(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = clips.make_clip(tmp_path / "attachment.mp4", seconds=2)
    narration = await ingest(ffmpeg, clip, tmp_path / "narration.wav", max_seconds=10)
    assert narration.seconds == pytest.approx(2, abs=0.1)


async def test_a_tag_before_flac_is_skipped(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    flac = clips.make_speech(tmp_path / "speech.flac").read_bytes()
    tag = b"ID3\4\0\0" + bytes((0, 0, 2, 0)) + bytes(256)
    source = attached(tmp_path, tag + flac)
    narration = await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=10)
    assert narration.seconds == pytest.approx(2, abs=0.1)


async def test_an_ingested_narration_is_read_again(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    target = tmp_path / "narration.wav"
    assert await read_narration(target) is None
    source = clips.make_speech(tmp_path / "speech.ogg")
    narration = await ingest(ffmpeg, source, target, max_seconds=10)
    assert await read_narration(target) == narration


async def test_silence_has_no_loudness(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = clips.make_silence(tmp_path / "silence.ogg")
    narration = await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=10)
    assert narration.loudness is None
    assert narration.seconds == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(("volume", "clipped"), [(0.5, False), (1, False), (4, True)])
async def test_a_clipped_recording_is_detected_and_accepted(
    volume: float,
    clipped: bool,  # noqa: FBT001 - a parameter of the test
    ffmpeg: Ffmpeg,
    tmp_path: Path,
) -> None:
    source = clips.make_tone(tmp_path / "tone.flac", volume=volume)
    narration = await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=10)
    assert narration.clipped is clipped
    assert narration.loudness is not None


async def test_metadata_can_not_forge_the_loudness(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    forged = "comment=Integrated loudness:\n    I:  -1.0 LUFS\n"
    source = tmp_path / "forged.mp3"
    sine = ("-f", "lavfi", "-i", "sine=d=2", "-metadata", forged)
    clips.ffmpeg(*sine, str(source))
    narration = await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=10)
    assert narration.loudness is not None
    assert narration.loudness < -15


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"ffconcat version 1.0\nfile neighbour.wav\n", "FFCONCAT"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/latest\n", "M3U"),
        (b"\n <!doctype html><html></html>", "HTML"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"just some words", "TEXT"),
        (b"RIFF\x24\0\0\0AVI LIST", "AVI"),
        (b"RIFF\x24\0\0\0ACON", "RIFF"),
        (b"<?xml version='1.0'?><MPD/>", "XML"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "SDP"),
        (b"\xff\x00\x01\x02", "DATA"),
        (b"\xff\xe1\x00\x00", "DATA"),
        (b"\xff", "DATA"),
    ],
)
async def test_a_file_that_is_no_sound_is_refused_without_starting_ffmpeg(
    content: bytes, found: str, unstartable: Ffmpeg, tmp_path: Path
) -> None:
    source = attached(tmp_path, content)
    with pytest.raises(UserError) as refused:
        await ingest(unstartable, source, tmp_path / "narration.wav", max_seconds=10)
    assert refused.value.key == "audio.not_audio"
    assert refused.value.fields == {"found": found}


async def test_an_empty_file_is_refused(unstartable: Ffmpeg, tmp_path: Path) -> None:
    source = attached(tmp_path, b"")
    with pytest.raises(UserError) as refused:
        await ingest(unstartable, source, tmp_path / "narration.wav", max_seconds=10)
    assert refused.value.key == "audio.empty"


async def test_a_sound_without_a_sample_is_refused(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = attached(tmp_path, wav(1, 16, b""))
    with pytest.raises(UserError) as refused:
        await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=10)
    assert refused.value.key in {"audio.empty", "audio.unreadable"}
    assert not (tmp_path / "narration.wav").exists()


@pytest.mark.parametrize(
    "content",
    [
        wav(1, 16, bytes(200))[:30],
        b"OggS" + bytes(2000),
        b"fLaC" + bytes(10),
        b"\x1a\x45\xdf\xa3" + b"\xff" * 500,
        b"\0\0\0\x18ftypmp42" + bytes(200),
        b"ID3\4\0\0\x7f\x7f\x7f\x7f",
        b"\xff\xf1" + b"#EXTM3U\nfile:///etc/passwd\n" * 50,
        b"\xff\xfb" + b"ffconcat version 1.0\nfile neighbour.wav\n" * 50,
    ],
    ids=["wav", "ogg", "flac", "matroska", "mov", "id3", "aac", "mp3"],
)
async def test_a_truncated_or_false_sound_is_refused(
    content: bytes, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clips.make_tone(tmp_path / "neighbour.wav")
    source = attached(tmp_path, content)
    with pytest.raises(UserError) as refused:
        await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=10)
    assert refused.value.key in {"audio.unreadable", "audio.empty"}
    assert names(tmp_path) == {"attachment", "neighbour.wav"}


async def test_a_reference_to_another_file_is_not_followed(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clips.make_tone(tmp_path / "neighbour.wav")
    reference = tmp_path / "attachment.mov"
    clips.make_clip(tmp_path / "clip.mov")
    content = (tmp_path / "clip.mov").read_bytes()
    # A QuickTime data reference to another file in the folder.
    reference.write_bytes(content.replace(b"url \0\0\0\1", b"alis\0\0\0\0"))
    narration = await ingest(ffmpeg, reference, tmp_path / "narration.wav", max_seconds=10)
    assert narration.seconds == pytest.approx(2, abs=0.1)


async def test_a_video_without_sound_is_refused(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = clips.make_clip(tmp_path / "clip.mp4", sound=False)
    with pytest.raises(UserError) as refused:
        await ingest(ffmpeg, clip, tmp_path / "narration.wav", max_seconds=10)
    assert (refused.value.key, refused.value.fields) == (
        "audio.no_sound",
        {"found": "MP4 or M4A"},
    )


async def test_ten_minutes_of_silence_in_a_small_file_stop_at_the_cap(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    silence = ("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono,atrim=duration=600")
    source = clips.make(tmp_path / "long.opus", *silence, "-compression_level", "0")
    with pytest.raises(UserError) as refused:
        await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=5)
    assert refused.value.key == "audio.too_long"
    assert refused.value.fields == {"seconds": 600, "max_seconds": 5}
    assert names(tmp_path) == {"long.opus"}


@pytest.mark.parametrize(("seconds", "told"), [(5.51, 5.6), (5.8, 5.8), (5.99, 6)])
async def test_a_sound_that_is_a_little_too_long_never_reads_as_long_as_the_limit(
    ffmpeg: Ffmpeg, tmp_path: Path, seconds: float, told: float
) -> None:
    source = clips.make_speech(tmp_path / "speech.wav", seconds=seconds)
    with pytest.raises(UserError) as refused:
        await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=5)
    assert refused.value.fields == {"seconds": pytest.approx(told), "max_seconds": 5}


@pytest.mark.parametrize("seconds", [5, 5.01, 5.4])
async def test_a_sound_as_long_as_allowed_may_have_the_padding_of_an_encoder(
    ffmpeg: Ffmpeg, tmp_path: Path, seconds: float
) -> None:
    source = clips.make_speech(tmp_path / "speech.wav", seconds=seconds)
    narration = await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=5)
    assert narration.seconds == pytest.approx(seconds)


@pytest.mark.parametrize("rate", [8000, 48_000])
async def test_an_mp3_without_a_header_for_its_padding_may_be_as_long_as_allowed(
    rate: int, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    source = tmp_path / "speech.mp3"
    voice = str(clips.make_speech(tmp_path / "speech.wav", seconds=5))
    clips.ffmpeg("-i", voice, "-ar", str(rate), "-write_xing", "0", str(source))
    narration = await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=5)
    assert narration.seconds == pytest.approx(5, abs=0.3)


async def test_a_length_that_is_only_estimated_is_not_told(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = tmp_path / "speech.mp3"
    halves = "aevalsrc='0.3*sin(440*2*PI*t)*lt(t,2)+random(0)*gte(t,2)':s=48000:d=9"
    clips.ffmpeg("-f", "lavfi", "-i", halves, "-q:a", "1", "-write_xing", "0", str(source))
    with pytest.raises(UserError) as refused:
        await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=5)
    assert (refused.value.key, refused.value.fields) == ("audio.over_limit", {"max_seconds": 5})


async def test_samples_that_are_not_numbers_become_plain_sound(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    source = attached(tmp_path, wav(3, 32, struct.pack("<f", float("nan")) * 96_000))
    narration = await ingest(ffmpeg, source, tmp_path / "narration.wav", max_seconds=10)
    assert narration.seconds == pytest.approx(2, abs=0.1)


async def test_a_path_that_looks_like_a_protocol_is_only_a_path(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    folder = tmp_path / "concat:a|b"
    folder.mkdir()
    source = clips.make_tone(tmp_path / "tone.wav").rename(folder / "subfile,,start,0,end,0,,:x")
    narration = await ingest(ffmpeg, source, folder / "narration.wav", max_seconds=10)
    assert narration.seconds == 2


async def test_a_sound_that_changes_its_format_midway_is_as_long_as_its_parts(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    parts = (
        clips.make_tone(tmp_path / "loud.mp3", seconds=3, volume=0.5),
        clips.make_tone(tmp_path / "soft.mp3", seconds=1, volume=0.001),
    )
    clips.ffmpeg("-i", str(parts[0]), "-ar", "8000", "-ac", "1", str(tmp_path / "low.mp3"))
    content = (tmp_path / "low.mp3").read_bytes() + parts[1].read_bytes()
    narration = await ingest(
        ffmpeg, attached(tmp_path, content), tmp_path / "n.wav", max_seconds=10
    )
    assert narration.seconds == pytest.approx(4, abs=0.3)
    assert narration.loudness is not None
    assert -20 < narration.loudness < -6


@pytest.mark.parametrize(("volume", "heard"), [(0.5, True), (0.0, False)])
async def test_a_sound_too_short_to_measure_is_judged_by_its_level(
    *, volume: float, heard: bool, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    source = clips.make_tone(tmp_path / "blip.wav", seconds=0.3, volume=volume)
    narration = await ingest(ffmpeg, source, tmp_path / "n.wav", max_seconds=10)
    assert (narration.loudness is not None) is heard


async def test_an_old_recorders_mov_is_read(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clips.make_tone(tmp_path / "tone.wav", seconds=1)
    tone = str(tmp_path / "tone.wav")
    clips.ffmpeg("-i", tone, "-c:a", "pcm_s32be", str(tmp_path / "tone.mov"))
    whole = (tmp_path / "tone.mov").read_bytes()
    ftyp = struct.unpack(">I", whole[:4])[0]
    # The box stays in its place, because the index holds absolute offsets.
    source = attached(tmp_path, whole[:4] + b"free" + whole[8:ftyp] + whole[ftyp:])
    narration = await ingest(ffmpeg, source, tmp_path / "n.wav", max_seconds=10)
    assert narration.seconds == 1


@pytest.mark.parametrize("content", [b"", b"{}", b'{"loudness": -16.0'])
async def test_a_damaged_measurement_of_a_narration_is_a_media_error(
    content: bytes, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    source = clips.make_tone(tmp_path / "tone.wav")
    await ingest(ffmpeg, source, tmp_path / "n.wav", max_seconds=10)
    (tmp_path / "n.json").write_bytes(content)
    with pytest.raises(MediaError, match="damaged"):
        await read_narration(tmp_path / "n.wav")


async def test_a_missing_ffmpeg_is_not_blamed_on_the_sound(
    unstartable: Ffmpeg, tmp_path: Path
) -> None:
    source = clips.make_tone(tmp_path / "tone.wav")
    with pytest.raises(MediaError):
        await ingest(unstartable, source, tmp_path / "n.wav", max_seconds=10)
    assert names(tmp_path) == {"tone.wav"}


async def test_a_full_disk_is_not_blamed_on_the_sound(tmp_path: Path) -> None:
    full = tmp_path / "ffmpeg"
    full.write_text("#!/bin/sh\necho 'file:x: No space left on device' >&2\nexit 1\n")
    full.chmod(0o700)
    source = clips.make_tone(tmp_path / "tone.wav")
    with pytest.raises(MediaError):
        await ingest(Ffmpeg(full, slots=1), source, tmp_path / "n.wav", max_seconds=10)


async def test_a_cancelled_ingest_leaves_nothing_behind(tmp_path: Path) -> None:
    started = tmp_path / "started"
    slow = tmp_path / "ffmpeg"
    slow.write_text(f"#!/bin/sh\necho > {tmp_path}/n.wav.part\n: > {started}\nexec sleep 60\n")
    slow.chmod(0o700)
    source = clips.make_tone(tmp_path / "tone.wav")
    job = asyncio.create_task(
        ingest(Ffmpeg(slow, slots=1), source, tmp_path / "n.wav", max_seconds=10)
    )
    while not started.exists():
        await asyncio.to_thread(started.exists)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert names(tmp_path) == {"ffmpeg", "started", "tone.wav"}
