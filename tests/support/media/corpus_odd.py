"""Defines the samples that are whole or broken in ways that ffmpeg's own files are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.media.corpus import Sample
from tests.support.media.forge import SECONDS, changed, clapper, sound
from tests.support.media.mp4_forge import edited, traks
from tests.support.media.odd_clips import (
    cut_between_fragments,
    cut_in_open_media,
    open_groups,
    two_parts,
    with_c2pa,
    with_offsets,
    with_thumbnail,
)
from tests.support.media.odd_sounds import chained, from_radio, later, mid_frame, renamed

if TYPE_CHECKING:
    from tests.support.media.mp4_forge import Node

_OPUS = ("-c:a", "libopus", "-f", "ogg")
_VORBIS = ("-c:a", "libvorbis", "-f", "ogg")
_MKA = ("-c:a", "libopus", "-f", "matroska")
_M4A = ("-c:a", "aac", "-f", "mp4", "-movflags")
_ADTS, _MP3 = ("-c:a", "aac", "-f", "adts"), ("-c:a", "libmp3lame", "-f", "mp3")
_PIECES = ("empty_moov+frag_keyframe", "-frag_duration", "1000000")
_CUT = "the clip is cut off"
_ASTRAY = "the clip's index points to other things than its media"


def _whole(name: str, *options: str, rate: int = 48_000, exact: bool = True) -> Sample:
    return Sample(name=name, make=sound(*options, rate=rate), is_exact=exact)


ODD_SOUNDS = (
    Sample(name="chain-vorbis.ogg", make=chained(sound(*_VORBIS), later(500, *_VORBIS)), seconds=7),
    Sample(
        name="chain-two-rates.ogg",
        make=chained(sound(*_VORBIS, rate=44_100), later(500, *_VORBIS)),
        seconds=7,
    ),
    Sample(name="chain-opus.opus", make=chained(sound(*_OPUS), later(500, *_OPUS)), seconds=7),
    Sample(name="chain-mixed.ogg", make=chained(sound(*_VORBIS), later(500, *_OPUS)), seconds=7),
    Sample(
        name="chain.flac",
        make=chained(sound("-f", "flac", rate=44_100), later(500, "-f", "flac")),
        seconds=7,
    ),
    Sample(
        name="chain.wav",
        make=chained(sound("-f", "wav"), later(500, "-f", "wav", rate=8000)),
        seconds=7,
    ),
    Sample(name="chain.mka", make=chained(sound(*_MKA), later(500, *_MKA)), seconds=7),
    Sample(
        name="chain.m4a",
        make=chained(sound(*_M4A, "0"), later(500, *_M4A, "0")),
        seconds=7,
    ),
    Sample(
        name="chain.aac",
        make=chained(sound(*_ADTS, rate=44_100), later(500, *_ADTS)),
        seconds=None,
        is_exact=False,
    ),
    Sample(
        name="joined-sound.mp4",
        make=two_parts(clapper(), clapper("-ar", "22050"), b"soun"),
        seconds=6,
    ),
    _whole("caf.caf", "-c:a", "pcm_s16be"),
    _whole("alac.caf", "-c:a", "alac"),
    _whole("aiff.aiff"),
    _whole("24-bit.aif", "-c:a", "pcm_s24be", "-f", "aiff"),
    _whole("narrow-band.amr", "-c:a", "libopencore_amrnb", rate=8000, exact=False),
    _whole("au.au"),
    _whole("w64.w64"),
    Sample(name="bw64.wav", make=renamed(b"BW64", sound("-f", "wav", "-rf64", "always"))),
    _whole("wavpack.wv"),
    _whole("tta.tta"),
    _whole("ac-3.ac3", exact=False),
    _whole("e-ac-3.eac3", exact=False),
    _whole("aac.ts", "-c:a", "aac", "-f", "mpegts", exact=False),
    Sample(name="video.ts", make=clapper("-f", "mpegts"), is_exact=False),
    _whole("loas.aac", "-c:a", "aac", "-f", "latm", exact=False),
    Sample(
        name="mid-frame.mp3",
        make=mid_frame(sound(*_MP3), dropped=437),
        seconds=None,
        is_exact=False,
    ),
    Sample(
        name="mid-frame.aac",
        make=mid_frame(sound(*_ADTS), dropped=17),
        seconds=None,
        is_exact=False,
    ),
    Sample(name="radio.mp3", make=from_radio(sound(*_MP3), titled=False), is_exact=False),
    Sample(name="radio-titles.mp3", make=from_radio(sound(*_MP3), titled=True), is_exact=False),
    Sample(name="radio-titles.aac", make=from_radio(sound(*_ADTS), titled=True), is_exact=False),
    Sample(name="segment.m4a", make=renamed(b"styp", sound(*_M4A, "0"), at=4)),
    Sample(
        name="cut-index-first.m4a",
        make=changed(sound(*_M4A, "+faststart"), lambda data: data[: len(data) * 6 // 10]),
        refused="audio.unreadable",
    ),
    Sample(
        name="cut-fragments.m4a",
        make=changed(sound(*_M4A, *_PIECES), lambda data: data[: data.rindex(b"moof") - 4]),
        refused="audio.unreadable",
    ),
    Sample(
        name="broken-link.ogg",
        make=chained(
            sound(*_VORBIS),
            changed(later(500, *_OPUS), lambda data: data.replace(b"OpusHead", b"OpusXxxx")),
        ),
        refused="audio.unreadable",
    ),
)


_BLACK = ",drawbox=c=black:t=fill"
_TAGS = ("-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_range", "tv")


def _hdr(transfer: str, *options: str) -> Sample:
    """Make a clip whose flash is white paper in HDR."""
    source = (
        ",format=yuv444p,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
        ",zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=2020"
        f",zscale=t={transfer}:m=2020_ncl:r=limited:npl=203"
    )
    coding = options or ("-c:v", "libx265", "-x265-params", "log-level=0")
    pixels = () if options else ("-pix_fmt", "yuv420p10le")
    made = clapper(*coding, *pixels, *_TAGS, "-color_trc", transfer, source=source)
    name = f"{transfer}-{'8-bit' if options else 'hevc'}.mp4"
    return Sample(name=name, make=made)


def _drop_keyframes(data: bytes) -> bytes:
    def edit(moov: Node) -> None:
        traks(moov, b"vide")[0].at(b"mdia", b"minf", b"stbl", b"stss").payload = bytes(8)

    return edited(data, edit)


_SECOND = clapper("-profile:v", "high", source=_BLACK, size="640x360")
_FRAGMENTS = ("-movflags", "empty_moov+frag_keyframe")

ODD_CLIPS = (
    Sample(name="joined-sizes.mp4", make=two_parts(clapper(), _SECOND), seconds=2 * SECONDS),
    Sample(
        name="joined-pictures.mp4",
        make=two_parts(clapper(), clapper("-preset", "fast", source=_BLACK), b"vide"),
        claps=False,
    ),
    Sample(
        name="joined-sounds.mp4",
        make=two_parts(clapper(), clapper("-ar", "22050"), b"soun"),
        claps=False,
    ),
    Sample(name="open-groups.mp4", make=open_groups()),
    Sample(name="no-keyframe-listed.mp4", make=changed(clapper(), _drop_keyframes)),
    _hdr("smpte2084"),
    _hdr("arib-std-b67"),
    _hdr("smpte2084", "-c:v", "libx264"),
    Sample(name="thumbnail-first.mp4", make=with_thumbnail()),
    Sample(name="jpeg-first.mp4", make=with_thumbnail("-c:v:0", "mjpeg")),
    Sample(name="c2pa.mp4", make=changed(clapper(), with_c2pa)),
    Sample(name="open-media.mp4", make=cut_in_open_media(1)),
    Sample(name="open-media-cut.mp4", make=cut_in_open_media(0.6), refused=_CUT),
    Sample(name="fragments-cut.mp4", make=cut_between_fragments(*_FRAGMENTS), refused=_CUT),
    Sample(name="dash-cut.mp4", make=cut_between_fragments("-movflags", "dash"), refused=_CUT),
    Sample(name="offset-beyond.mp4", make=with_offsets(2**31), refused=_CUT),
    Sample(name="offset-astray.mp4", make=with_offsets(8), refused=_ASTRAY),
    Sample(name="sound-astray.mp4", make=with_offsets(8, b"soun"), refused=_ASTRAY),
)
