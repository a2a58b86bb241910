from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.mp4.reader import read_mp4
from tests.support.media.clips import ffmpeg, make_clip, make_tone

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_clip(tmp_path_factory.mktemp("probe") / "whole.mp4", seconds=2)
    clip = path.with_name("clip.mp4")
    # A keyframe every twelve frames, so that there are several fragments.
    coding = ("-c:a", "copy", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "12")
    ffmpeg("-i", str(path), *coding, "-movflags", "+faststart", str(clip))
    return clip


def box(kind: bytes, payload: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I4s", len(payload) + 8 if size is None else size, kind) + payload


def test_a_clips_size_duration_and_codecs_are_read(clip: Path) -> None:
    info = read_mp4(clip)
    assert (info.width, info.height) == (320, 180)
    assert info.seconds == pytest.approx(2, abs=0.001)
    assert (info.video_codec, info.audio_codec) == ("avc1", "mp4a")
    assert info.streamable


def test_an_index_after_the_media_is_detected(tmp_path: Path) -> None:
    assert not read_mp4(make_clip(tmp_path / "c.mp4", faststart=False)).streamable


def test_a_silent_clip_has_no_audio_codec(tmp_path: Path) -> None:
    assert read_mp4(make_clip(tmp_path / "c.mp4", sound=False)).audio_codec is None


def test_a_turned_picture_has_its_sides_swapped(clip: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", str(clip), "-c", "copy", str(turned))
    info = read_mp4(turned)
    assert (info.width, info.height) == (180, 320)


@pytest.mark.parametrize("declared", [0, 1, 4_000_000_000, 2**32 - 1])
def test_the_duration_in_a_tracks_header_is_not_trusted(
    declared: int, clip: Path, tmp_path: Path
) -> None:
    content = bytearray(clip.read_bytes())
    struct.pack_into(">I", content, content.index(b"tkhd") + 4 + 20, declared)
    struct.pack_into(">I", content, content.index(b"mdhd") + 4 + 16, declared)
    info = read_mp4(written(bytes(content), tmp_path))
    assert info.seconds == pytest.approx(2, abs=0.001)


@pytest.mark.parametrize(("declared", "seconds"), [(1.5, 1.5), (90_000, 2)])
def test_a_shorter_edit_counts_and_an_impossible_one_does_not(
    declared: float, seconds: float, clip: Path, tmp_path: Path
) -> None:
    content = bytearray(clip.read_bytes())
    (units,) = struct.unpack_from(">I", content, content.index(b"mvhd") + 4 + 12)
    struct.pack_into(">I", content, content.index(b"elst") + 4 + 8, int(declared * units))
    info = read_mp4(written(bytes(content), tmp_path))
    assert info.seconds == pytest.approx(seconds, abs=0.001)


def test_a_picture_that_starts_after_the_sound_is_delayed(clip: Path, tmp_path: Path) -> None:
    assert read_mp4(clip).picture_delay == 0
    late = ("-itsoffset", "0.5", "-i", str(clip), "-i", str(clip), "-map", "0:v", "-map", "1:a")
    ffmpeg(*late, "-c", "copy", str(tmp_path / "edit.mp4"))
    info = read_mp4(tmp_path / "edit.mp4")
    assert info.picture_delay == pytest.approx(0.5, abs=0.001)
    assert info.seconds == pytest.approx(2, abs=0.001)
    # Without an edit list, it is delayed by the reordering of its frames.
    bare = ("-i", str(clip), "-c", "copy", "-use_editlist", "0", str(tmp_path / "bare.mp4"))
    ffmpeg(*bare)
    assert read_mp4(tmp_path / "bare.mp4").picture_delay == pytest.approx(0.08, abs=0.001)


@pytest.mark.parametrize("sound", [("-map", "1:a"), ()])
@pytest.mark.parametrize("late", [2.5, 3600])
def test_a_picture_that_starts_later_than_it_lasts_is_refused(
    clip: Path, tmp_path: Path, late: float, sound: tuple[str, ...]
) -> None:
    inputs = ("-itsoffset", str(late), "-i", str(clip), "-i", str(clip), "-map", "0:v", *sound)
    ffmpeg(*inputs, "-c", "copy", str(tmp_path / "late.mp4"))
    with pytest.raises(MediaError, match="starts later than the clip is long"):
        read_mp4(tmp_path / "late.mp4")


@pytest.mark.parametrize("left", [0.3, 0.9, 0.999])
def test_a_cut_off_clip_is_refused(left: float, clip: Path, tmp_path: Path) -> None:
    content = clip.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: int(len(content) * left)])
    with pytest.raises(MediaError, match="cut off"):
        read_mp4(cut)


@pytest.mark.parametrize(
    "behind",
    [
        b"\n",
        bytes(3),
        bytes(7),
        b"\r\n--boundary--\r\n",
        b'{"ok": true}',
        bytes(64),
        struct.pack(">I4s", 1000, b"free") + bytes(20),
    ],
)
@pytest.mark.parametrize("layout", ["+faststart", "0", "empty_moov+frag_keyframe"])
def test_data_after_a_complete_clip_is_ignored(
    layout: str, behind: bytes, clip: Path, tmp_path: Path
) -> None:
    ffmpeg("-i", str(clip), "-c", "copy", "-movflags", layout, str(tmp_path / "whole.mp4"))
    before = (tmp_path / "whole.mp4").read_bytes()
    info = read_mp4(written(before + behind, tmp_path))
    assert info == read_mp4(tmp_path / "whole.mp4")


@pytest.mark.parametrize("kind", [b"moof", b"mdat"])
def test_a_clip_whose_last_fragment_is_cut_off_is_refused(
    kind: bytes, clip: Path, tmp_path: Path
) -> None:
    layout = ("-movflags", "empty_moov+frag_keyframe")
    ffmpeg("-i", str(clip), "-c", "copy", *layout, str(tmp_path / "whole.mp4"))
    content = (tmp_path / "whole.mp4").read_bytes()
    for left in (4, 5, 30, 100):
        cut = content[: content.rindex(kind) + left]
        with pytest.raises(MediaError, match="cut off"):
            read_mp4(written(cut, tmp_path))


@pytest.mark.parametrize(
    "layout",
    [
        "empty_moov+frag_keyframe",
        "empty_moov+default_base_moof+frag_every_frame",
        "dash",
        # The index holds only the first fragment, and declares its duration as the clip's.
        "frag_keyframe",
        "frag_keyframe+separate_moof",
        "frag_every_frame",
    ],
)
@pytest.mark.parametrize("rate", [(), ("-vf", "select=mod(n\\,3)", "-fps_mode", "vfr")])
def test_the_durations_of_all_fragments_are_added_up(
    layout: str, rate: tuple[str, ...], clip: Path, tmp_path: Path
) -> None:
    fragmented = tmp_path / "fragmented.mp4"
    copy = ("-c:v", "libx264") if rate else ("-c", "copy")
    ffmpeg("-i", str(clip), *rate, *copy, "-movflags", layout, str(fragmented))
    info = read_mp4(fragmented)
    assert info.fragmented
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
A_FRAME_OF_NO_TIME = box(b"stts", struct.pack(">4I", 0, 1, 1, 0))
NO_FRAMES = box(b"stts", bytes(8))
EDTS = box(b"edts", box(b"elst", struct.pack(">5I", 0, 1, 2000, 0, 1 << 16)))


def tkhd(shown: int) -> bytes:
    return box(b"tkhd", bytes(12) + struct.pack(">III", 1, 0, shown) + bytes(16) + UPRIGHT)


def index(
    *,
    mvhd: bytes = MVHD,
    tkhd: bytes = tkhd(2000),
    edts: bytes = EDTS,
    mdhd: bytes = MDHD,
    size: tuple[int, int] = (640, 360),
    handler: bytes = b"vide",
    stts: bytes = ONE_FRAME,
) -> bytes:
    """Return a clip with one track in its index, and no media."""
    entry = box(b"avc1", bytes(24) + struct.pack(">HH", *size))
    media = mdhd + box(b"hdlr", bytes(8) + handler)
    table = box(b"stsd", bytes(8) + entry) + stts
    media += box(b"minf", box(b"stbl", table))
    track = box(b"trak", tkhd + edts + box(b"mdia", media))
    return FTYP + box(b"moov", mvhd + track) + box(b"mdat")


def fragment(*, track: int, flags: int, count: int, time: int | None = None) -> bytes:
    """Return a fragment whose samples, if durations are listed, take 3000 units each."""
    samples = struct.pack(">I", 3000) * 10
    run = box(b"trun", struct.pack(">II", flags, count) + samples)
    start = b"" if time is None else box(b"tfdt", struct.pack(">II", 0, time))
    return box(b"moof", box(b"traf", box(b"tfhd", struct.pack(">II", 0, track)) + start + run))


def written(content: bytes, folder: Path) -> Path:
    path = folder / "clip.mp4"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an MP4"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "not an MP4"),
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
        (FTYP + box(b"free") * 600_000, "too many boxes"),
        (index(mvhd=b""), "lacks mvhd"),
        (index(mvhd=box(b"mvhd", bytes(4))), "damaged"),
        (index(mvhd=box(b"mvhd", bytes(40))), "damaged"),
        (index(tkhd=box(b"tkhd", bytes(40))), "damaged"),
        (index(size=(0, 360)), "no picture"),
        (index(handler=b"hint"), "no picture"),
        (index(stts=b""), "lacks stts"),
        (index(stts=box(b"stts", bytes(8))), "no picture"),
        (index(mdhd=ENDLESS_MDHD, stts=A_FRAME_OF_NO_TIME), "no length"),
        (index() + fragment(track=1, flags=0x100, count=2**31), "fragments are damaged"),
    ],
    ids=range(23),
)
def test_an_incomplete_or_invalid_video_is_refused(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(MediaError, match=reason):
        read_mp4(written(content, tmp_path))


def test_a_last_box_that_extends_to_the_end_is_read(clip: Path, tmp_path: Path) -> None:
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
    mvhd = box(b"mvhd", b"\1" + bytes(19) + struct.pack(">IQ", 2**20, 2**33))
    mdhd = box(b"mdhd", b"\1" + bytes(19) + struct.pack(">IQ", 2**24, 2**37))
    tkhd = box(b"tkhd", b"\1" + bytes(19) + struct.pack(">IIQ", 1, 0, 0) + bytes(16) + UPRIGHT)
    edits = struct.pack(">IIQQI", 1 << 24, 1, 2**32, 0, 1 << 16)
    large = {"mvhd": mvhd, "tkhd": tkhd, "mdhd": mdhd, "stts": A_FRAME_OF_NO_TIME}
    info = read_mp4(written(index(**large, edts=box(b"edts", box(b"elst", edits))), tmp_path))
    assert info.seconds == 2**12
    assert (info.width, info.height) == (640, 360)
    assert read_mp4(written(index(**large, edts=b""), tmp_path)).seconds == 2**13


def test_only_the_pictures_own_fragments_count(tmp_path: Path) -> None:
    content = index(stts=NO_FRAMES)
    content += fragment(track=2, flags=0x100, count=10) + fragment(track=1, flags=0x100, count=9)
    assert read_mp4(written(content, tmp_path)).seconds == 9 * 3000 / 90_000


def test_fragments_are_added_to_what_the_index_holds(tmp_path: Path) -> None:
    content = index() + fragment(track=1, flags=0x100, count=9)
    assert read_mp4(written(content, tmp_path)).seconds == 2 + 9 * 3000 / 90_000


def test_a_fragment_starts_at_its_declared_time(tmp_path: Path) -> None:
    content = index(stts=NO_FRAMES)
    for time in (900_000, 945_000, 990_000):
        content += fragment(track=1, flags=0x100, count=3, time=time)
    assert read_mp4(written(content, tmp_path)).seconds == 1 + 9000 / 90_000


def test_a_fragment_for_each_of_many_frames_is_read(tmp_path: Path) -> None:
    one = fragment(track=1, flags=0x100, count=1)
    content = index(stts=NO_FRAMES) + (one + box(b"mdat", b"frame")) * 3000
    assert read_mp4(written(content, tmp_path)).seconds == 3000 * 3000 / 90_000


def test_a_pause_between_two_frames_counts_for_the_length(tmp_path: Path) -> None:
    slides = tmp_path / "slides.mp4"
    picture = "testsrc2=s=320x180:r=50:d=3,select='lt(n,60)+eq(n,149)'"
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-fps_mode", "vfr")
    for edits in ("1", "0"):
        ffmpeg("-f", "lavfi", "-i", picture, *coding, "-use_editlist", edits, str(slides))
        info = read_mp4(slides)
        assert info.seconds == pytest.approx(3, abs=0.001)
        assert info.timing.longest == pytest.approx(90 / 50, abs=0.001)


def test_an_implausible_number_of_frames_is_only_estimated(tmp_path: Path) -> None:
    many = box(b"stts", struct.pack(">4I", 0, 1, 900_000, 3000))
    edts = box(b"edts", box(b"elst", struct.pack(">5I", 0, 1, 30_000_000, 0, 1 << 16)))
    info = read_mp4(written(index(stts=many, edts=edts), tmp_path))
    assert info.seconds == 30_000
    assert info.timing.frames == 900_000


def test_a_duration_of_more_than_a_day_is_ignored(tmp_path: Path) -> None:
    endless = box(b"stts", struct.pack(">4I", 0, 1, 2**31, 2**31))
    assert read_mp4(written(index(stts=endless), tmp_path)).seconds == 2
