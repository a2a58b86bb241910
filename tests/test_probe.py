from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.mp4 import read_mp4
from tests.clips import ffmpeg, make_clip, make_tone

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("probe") / "clip.mp4", seconds=2)


def box(kind: bytes, payload: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I4s", len(payload) + 8 if size is None else size, kind) + payload


def test_a_clip_tells_its_size_length_and_codecs(clip: Path) -> None:
    info = read_mp4(clip)
    assert (info.width, info.height) == (320, 180)
    assert info.seconds == pytest.approx(2, abs=0.001)
    assert (info.video_codec, info.audio_codec) == ("avc1", "mp4a")
    assert info.streamable


def test_an_index_behind_the_media_is_noticed(tmp_path: Path) -> None:
    assert not read_mp4(make_clip(tmp_path / "c.mp4", faststart=False)).streamable


def test_a_silent_clip_has_no_audio_codec(tmp_path: Path) -> None:
    assert read_mp4(make_clip(tmp_path / "c.mp4", sound=False)).audio_codec is None


def test_a_turned_picture_has_its_sides_swapped(clip: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", str(clip), "-c", "copy", str(turned))
    info = read_mp4(turned)
    assert (info.width, info.height) == (180, 320)


def test_without_a_shown_length_the_recorded_one_counts(clip: Path, tmp_path: Path) -> None:
    content = bytearray(clip.read_bytes())
    start = content.index(b"tkhd") + 4 + 20
    content[start : start + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "c.mp4").write_bytes(content)
    assert read_mp4(tmp_path / "c.mp4").seconds == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("left", [0.3, 0.9, 0.999])
def test_a_cut_off_clip_is_refused(left: float, clip: Path, tmp_path: Path) -> None:
    content = clip.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: int(len(content) * left)])
    with pytest.raises(MediaError, match="cut off"):
        read_mp4(cut)


@pytest.mark.parametrize(
    "layout",
    ["empty_moov+frag_keyframe", "empty_moov+default_base_moof+frag_every_frame", "dash"],
)
@pytest.mark.parametrize("rate", [(), ("-vf", "select=mod(n\\,3)", "-fps_mode", "vfr")])
def test_the_length_of_a_clip_in_fragments_is_added_up(
    layout: str, rate: tuple[str, ...], clip: Path, tmp_path: Path
) -> None:
    fragmented = tmp_path / "fragmented.mp4"
    copy = ("-c:v", "libx264") if rate else ("-c", "copy")
    ffmpeg("-i", str(clip), *rate, *copy, "-movflags", layout, str(fragmented))
    info = read_mp4(fragmented)
    assert info.seconds == pytest.approx(2, abs=0.1)
    assert (info.width, info.height) == (320, 180)


def test_sound_alone_is_not_a_video(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no picture"):
        read_mp4(make_tone(tmp_path / "tone.m4a"))


FTYP = box(b"ftyp", b"isom" + bytes(4))
UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
MVHD = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 2000))
MDHD = box(b"mdhd", bytes(12) + struct.pack(">II", 90_000, 180_000))
ENDLESS_MDHD = box(b"mdhd", bytes(12) + struct.pack(">II", 90_000, 0))
ONE_FRAME = box(b"stts", struct.pack(">4I", 0, 1, 1, 180_000))


def tkhd(shown: int) -> bytes:
    return box(b"tkhd", bytes(12) + struct.pack(">III", 1, 0, shown) + bytes(16) + UPRIGHT)


def index(  # noqa: PLR0913 - each part of an index, to be broken alone
    *,
    mvhd: bytes = MVHD,
    tkhd: bytes = tkhd(2000),
    mdhd: bytes = MDHD,
    size: tuple[int, int] = (640, 360),
    handler: bytes = b"vide",
    stts: bytes = ONE_FRAME,
) -> bytes:
    """Make a clip of a lone index, with one track."""
    entry = box(b"avc1", bytes(24) + struct.pack(">HH", *size))
    media = mdhd + box(b"hdlr", bytes(8) + handler)
    table = box(b"stsd", bytes(8) + entry) + stts
    media += box(b"minf", box(b"stbl", table))
    track = box(b"trak", tkhd + box(b"mdia", media))
    return FTYP + box(b"moov", mvhd + track) + box(b"mdat")


def fragment(*, track: int, flags: int, count: int) -> bytes:
    """Make a fragment whose samples, if it names any, take 3000 units each."""
    samples = struct.pack(">I", 3000) * 10
    run = box(b"trun", struct.pack(">II", flags, count) + samples)
    return box(b"moof", box(b"traf", box(b"tfhd", struct.pack(">II", 0, track)) + run))


def written(content: bytes, folder: Path) -> Path:
    path = folder / "clip.mp4"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no index"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "not an MP4|cut off"),
        (box(b"moov") + box(b"mdat"), "not an MP4"),
        (FTYP + box(b"mdat", bytes(100)), "no index"),
        (FTYP + box(b"mdat") + box(b"moov"), "no picture"),
        (FTYP + box(b"mdat") + box(b"moov", MVHD + box(b"trak")), "lacks hdlr"),
        (FTYP + box(b"mdat") + box(b"moov", MVHD + box(b"trak", size=2**31)), "cut off"),
        (FTYP + box(b"mdat", size=4), "not an MP4"),
        (FTYP + box(b"mdat", struct.pack(">Q", 2**63), size=1), "cut off"),
        (FTYP + box(b"mdat", struct.pack(">Q", 3), size=1), "not an MP4"),
        (FTYP + box(b"mdat", b"1234", size=1), "cut off"),
        (FTYP + b"\0\0", "cut off"),
        (FTYP + box(b"free") * 30_000, "too many boxes"),
        (index(mvhd=b""), "lacks mvhd"),
        (index(mvhd=box(b"mvhd", bytes(4))), "damaged"),
        (index(mvhd=box(b"mvhd", bytes(40))), "damaged"),
        (index(tkhd=box(b"tkhd", bytes(40))), "damaged"),
        (index(size=(0, 360)), "no picture"),
        (index(handler=b"hint"), "no picture"),
        (index(stts=b""), "lacks stts"),
        (index(stts=box(b"stts", bytes(8))), "no picture"),
        (index(tkhd=tkhd(0), mdhd=ENDLESS_MDHD), "no length"),
        (
            index(tkhd=tkhd(0), mdhd=ENDLESS_MDHD) + fragment(track=1, flags=0x100, count=2**31),
            "fragments are damaged",
        ),
    ],
    ids=range(23),
)
def test_what_is_not_a_whole_video_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=reason):
        read_mp4(written(content, tmp_path))


def test_a_last_box_that_goes_to_the_end_is_read(clip: Path, tmp_path: Path) -> None:
    content = clip.read_bytes()
    start = content.index(b"mdat") - 4
    open_end = tmp_path / "open.mp4"
    open_end.write_bytes(content[:start] + bytes(4) + content[start + 4 :])
    assert read_mp4(open_end) == read_mp4(clip)


def test_a_box_with_a_size_of_64_bits_is_read(clip: Path, tmp_path: Path) -> None:
    content = clip.read_bytes() + box(b"free", struct.pack(">Q", 116) + bytes(100), size=1)
    (tmp_path / "large.mp4").write_bytes(content)
    assert read_mp4(tmp_path / "large.mp4") == read_mp4(clip)


def test_an_index_with_times_of_64_bits_is_read(tmp_path: Path) -> None:
    mvhd = box(b"mvhd", b"\1" + bytes(19) + struct.pack(">IQ", 1000, 2**33))
    mdhd = box(b"mdhd", b"\1" + bytes(19) + struct.pack(">IQ", 90_000, 2**40))

    def shown(duration: int) -> bytes:
        times = b"\1" + bytes(27) + struct.pack(">Q", duration)
        return box(b"tkhd", times + bytes(16) + UPRIGHT)

    info = read_mp4(written(index(mvhd=mvhd, tkhd=shown(2**33), mdhd=mdhd), tmp_path))
    assert info.seconds == 2**33 / 1000
    assert (info.width, info.height) == (640, 360)
    unknown = index(mvhd=mvhd, tkhd=shown(2**64 - 1), mdhd=mdhd)
    assert read_mp4(written(unknown, tmp_path)).seconds == 2**40 / 90_000


def test_only_the_pictures_own_fragments_count(tmp_path: Path) -> None:
    content = index(tkhd=tkhd(0), mdhd=ENDLESS_MDHD)
    content += fragment(track=2, flags=0x100, count=10) + fragment(track=1, flags=0x100, count=9)
    assert read_mp4(written(content, tmp_path)).seconds == 9 * 3000 / 90_000
