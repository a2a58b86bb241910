"""Sounds in rarer containers, chained ones and cut ones: heard whole, or refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import UserError
from bot.media.narration.ingest import ingest
from bot.media.narration.links import MAX_LINKS, find_links
from bot.media.process.ffmpeg import Ffmpeg
from tests.support.media import clips
from tests.support.media.forge import changed, clapper, sound
from tests.support.media.measurements import clicks, level
from tests.support.media.odd_clips import two_parts
from tests.support.media.odd_sounds import chained, from_radio, later, mid_frame, renamed
from tests.support.providers.openai_setup import names_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.media.forge import Make

OPUS = ("-c:a", "libopus", "-f", "ogg")
VORBIS = ("-c:a", "libvorbis", "-f", "ogg")
MKA = ("-c:a", "libopus", "-f", "matroska")
M4A = ("-c:a", "aac", "-f", "mp4")
WAV, FLAC, ADTS = ("-f", "wav"), ("-f", "flac"), ("-c:a", "aac", "-f", "adts")
MP3, TS = ("-c:a", "libmp3lame", "-f", "mp3"), ("-c:a", "aac", "-f", "mpegts")


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


async def ingested(ffmpeg: Ffmpeg, make: Make, folder: Path) -> float:
    make(folder / "attachment")
    target = folder / "narration.wav"
    narration = await ingest(ffmpeg, folder / "attachment", target, max_seconds=10)
    assert names_in(folder) == ["attachment", "narration.json", "narration.wav"]
    return narration.seconds


CHAINED = {
    "vorbis at two rates": chained(sound(*VORBIS, rate=44_100), later(500, *VORBIS)),
    "opus in mono and stereo": chained(sound(*OPUS), later(500, *OPUS)),
    "vorbis, then opus": chained(sound(*VORBIS), later(500, *OPUS)),
    "FLAC": chained(sound(*FLAC, rate=44_100), later(500, *FLAC)),
    "WAV": chained(sound(*WAV), later(500, *WAV, rate=8000)),
    "Matroska": chained(sound(*MKA), later(500, *MKA)),
    "M4A": chained(sound(*M4A), later(500, *M4A)),
    "AAC": chained(sound(*ADTS, rate=44_100), later(500, *ADTS)),
    "MP3": chained(sound(*MP3, rate=44_100), later(500, *MP3)),
}


@pytest.mark.parametrize("make", CHAINED.values(), ids=CHAINED)
async def test_all_links_of_a_chained_sound_are_heard(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    # Formats that don't record the encoder's padding keep it, at most 50 ms for each link.
    assert await ingested(ffmpeg, make, tmp_path) == pytest.approx(7, abs=0.1)
    heard = tmp_path / "narration.wav"
    assert clicks(heard)[0] == pytest.approx(1, abs=0.06)
    assert level(heard, 2.5, 0.4) > -30
    assert level(heard, 3.2, 3.6) > -20


async def test_the_sound_of_joined_clips_is_heard_whole(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    joined = two_parts(clapper(), clapper("-ar", "22050"), b"soun")
    assert await ingested(ffmpeg, joined, tmp_path) == pytest.approx(6, abs=0.05)
    assert clicks(tmp_path / "narration.wav") == pytest.approx([1, 4], abs=0.06)


async def test_a_link_that_can_not_be_decoded_is_not_left_out(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    broken = changed(later(500, *OPUS), lambda data: data.replace(b"OpusHead", b"OpusXxxx"))
    with pytest.raises(UserError, match=r"audio\.unreadable"):
        await ingested(ffmpeg, chained(sound(*VORBIS), broken), tmp_path)
    assert names_in(tmp_path) == ["attachment"]


async def test_a_link_without_any_sound_is_ignored(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    begun = changed(later(500, *OPUS), lambda data: data[:150])
    assert await ingested(ffmpeg, chained(sound(*OPUS), begun), tmp_path) == pytest.approx(3)


async def test_links_that_are_too_long_together_are_refused(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    make = chained(*(later(500, *OPUS) for _ in range(4)))
    with pytest.raises(UserError, match=r"audio\.over_limit"):
        await ingested(ffmpeg, make, tmp_path)
    assert names_in(tmp_path) == ["attachment"]


async def test_too_many_links_are_refused_at_once(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    one = sound("-f", "wav", seconds=0.001)
    make = changed(one, lambda data: data * 200)
    with pytest.raises(UserError, match=r"audio\.unreadable"):
        await ingested(ffmpeg, make, tmp_path)


@pytest.mark.parametrize(
    ("demuxer", "start"),
    [
        ("wav", b"RIFF\4\0\0\0WAVE"),
        ("flac", b"fLaC\0\0\0\x22"),
        ("matroska", b"\x1a\x45\xdf\xa3\0\x42\x82\x84webm"),
    ],
)
def test_of_countless_links_only_a_few_are_kept(demuxer: str, start: bytes, tmp_path: Path) -> None:
    source = tmp_path / "sound"
    source.write_bytes(start * 10_000)
    assert MAX_LINKS < len(find_links(source, demuxer)) <= MAX_LINKS + 2


@pytest.mark.parametrize("demuxer", ["ogg", "wav", "flac", "matroska", "mov", "aac"])
@pytest.mark.parametrize(
    "content",
    [
        b"OggS\0\2" + bytes(20) + b"\xff",
        b"RIFF\0\0\0\0WAVE",
        b"\0\0\0\0ftyp",
        b"\0\0\0\1moov" + b"\xff" * 8,
        b"\xff\xf1" * 5000,
        b"\0\0\0\x08free" * 5000,
    ],
)
def test_links_are_looked_for_in_anything(demuxer: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "attachment").write_bytes(content)
    links = find_links(tmp_path / "attachment", demuxer)
    assert links[0].start == 0
    assert links[-1].end == len(content)


TAKEN = {
    "CAF": sound("-c:a", "pcm_s16be", "-f", "caf"),
    "ALAC in CAF": sound("-c:a", "alac", "-f", "caf"),
    "AIFF": sound("-f", "aiff"),
    "AIFF of 24 bits": sound("-c:a", "pcm_s24be", "-f", "aiff"),
    "AU": sound("-f", "au"),
    "W64": sound("-f", "w64"),
    "BW64": renamed(b"BW64", sound("-f", "wav", "-rf64", "always")),
    "WavPack": sound("-f", "wv"),
    "TTA": sound("-f", "tta"),
    "AC-3": sound("-c:a", "ac3", "-f", "ac3"),
    "AMR": sound("-c:a", "libopencore_amrnb", "-f", "amr", rate=8000),
    "TS": sound(*TS),
    "TS of a camera": sound("-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"),
    "a video in TS": clapper("-f", "mpegts"),
    "LOAS": sound("-c:a", "aac", "-f", "latm"),
    "MP3 in mid-frame": mid_frame(sound(*MP3), dropped=437),
    "AAC in mid-frame": mid_frame(sound(*ADTS), dropped=17),
    "MP3 from a radio": from_radio(sound(*MP3), titled=False),
    "MP3 from a radio, with titles": from_radio(sound(*MP3), titled=True),
    "AAC from a radio, with titles": from_radio(sound(*ADTS), titled=True),
    "M4A of a stream": renamed(b"styp", sound(*M4A), at=4),
}


@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN)
async def test_a_rarer_sound_is_heard_whole(make: Make, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    assert await ingested(ffmpeg, make, tmp_path) == pytest.approx(3, abs=0.12)
    assert clicks(tmp_path / "narration.wav")[0] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"DSD \x1c\0\0\0", "DSF"),
        (b"MPCKSH", "MPC"),
        (b".RMF\0\0\0\x12", "RM"),
        (b"Creative Voice File\x1a", "VOC"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
        (b"FORM\0\0\0\x248SVX", "IFF"),
        (b"\0\0\x01\xba\x44", "MPEG"),
        (b"\x7f\xfe\x80\x01", "DTS"),
        (b"\x1f\x8b\x08\0", "GZIP"),
        (b"\xef\xbb\xbf#EXTM3U\n", "M3U"),
        ("Grüße aus Köln".encode(), "TEXT"),
        ("Zeichen".encode("utf-16"), "TEXT"),
        (b"ICY 200 OK\r\n\r\nno sound", "TEXT"),
    ],
)
async def test_a_file_of_another_kind_is_named(
    content: bytes, found: str, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    (tmp_path / "attachment").write_bytes(content + bytes(100) * (found != "TEXT"))
    with pytest.raises(UserError, match=r"audio\.not_audio") as refused:
        await ingest(ffmpeg, tmp_path / "attachment", tmp_path / "n.wav", max_seconds=10)
    assert refused.value.fields == {"found": found}


FAST = ("-c:a", "aac", "-f", "mp4", "-movflags")
PIECES = ("empty_moov+frag_keyframe", "-frag_duration", "1000000")
HALVES = {
    "index first": changed(sound(*FAST, "+faststart"), lambda data: data[: len(data) * 6 // 10]),
    "fragments": changed(sound(*FAST, *PIECES), lambda data: data[: data.rindex(b"moof") - 4]),
}


@pytest.mark.parametrize("make", HALVES.values(), ids=HALVES)
async def test_half_a_sound_with_an_index_is_refused(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"audio\.unreadable"):
        await ingested(ffmpeg, make, tmp_path)
