"""Defines the corpus of attachments and clips: ordinary, odd and hostile ones."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.media.forge import (
    SECONDS,
    changed,
    clapper,
    content,
    copied,
    joined,
    looped,
    silence,
    sound,
    streamed,
    turned,
    with_cover,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.media.forge import Make


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One file: the function that makes it, and the expected outcome.

    `refused` is the key of the error, or the error's text for a clip; None: it is merged.
    `claps`: whether a clip's own sound is a click. `seconds` is the expected duration, None if it
    is not checked. `is_exact`: whether the format stores the encoder's delay, so that the sound
    starts on time.
    `is_silent`: None if it is not checked.
    """

    name: str
    make: Make
    refused: str | None = None
    seconds: float | None = SECONDS
    is_silent: bool | None = False
    is_exact: bool = True
    claps: bool = True


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * share)]


def _first(count: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:count]


def _after(head: bytes) -> Callable[[bytes], bytes]:
    return lambda data: head + data


def _before(tail: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data + tail


def _tag(text: bytes) -> bytes:
    """Return an ID3 tag that contains a text."""
    sizes = bytes((len(text) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + sizes + text


def _nan_wav() -> bytes:
    samples = struct.pack("<f", float("nan")) * 144_000
    fmt = struct.pack("<HHIIHH", 3, 1, 48_000, 192_000, 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(body) + len(samples)) + body + samples


def _no_frames(data: bytes) -> bytes:
    start = data.index(b"stts") + 8
    return data[:start] + bytes(4) + data[start + 4 :]


def _short_header(data: bytes) -> bytes:
    start = data.index(b"tkhd") + 24
    return data[:start] + struct.pack(">I", 1) + data[start + 4 :]


def _undecodable_sound(data: bytes) -> bytes:
    return data.replace(b"mp4a", b"zzzz").replace(b"esds", b"zsds")


def _pointing(text: str) -> Make:
    """Write a text in which NEIGHBOUR is replaced with the path of another file in the folder."""
    return content(lambda folder: text.replace("NEIGHBOUR", f"{_neighbour(folder)}").encode())


def _neighbour(folder: Path) -> Path:
    path = folder / "neighbour.wav"
    if not path.exists():
        sound()(path)
    return path


_MP3 = ("-c:a", "libmp3lame", "-f", "mp3")
_OPUS = ("-c:a", "libopus", "-strict", "-2")
_KEY = "00112233445566778899aabbccddeeff"
_CENC = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", _KEY, "-encryption_kid", _KEY)
_ENCRYPTED = ("-c:a", "aac", "-f", "mp4", *_CENC)
_60_TRACKS = ("-map", "0:a") * 60

SOUNDS = (
    Sample(name="44100-stereo.mp3", make=sound(rate=44_100, layout="stereo")),
    Sample(name="8000-mono.mp3", make=sound("-b:a", "8k", rate=8000)),
    Sample(name="variable-rate.mp3", make=sound("-q:a", "6", rate=22_050)),
    Sample(name="44100-mono.wav", make=sound(rate=44_100)),
    Sample(name="192000-24-bit.wav", make=sound("-c:a", "pcm_s24le", rate=192_000)),
    Sample(name="96000-float.wav", make=sound("-c:a", "pcm_f32le", rate=96_000, layout="stereo")),
    Sample(name="7.1.wav", make=sound(layout="7.1")),
    Sample(name="8000-8-bit.wav", make=sound("-c:a", "pcm_u8", rate=8000)),
    Sample(name="a-law.wav", make=sound("-c:a", "pcm_alaw", rate=8000)),
    Sample(name="mu-law.wav", make=sound("-c:a", "pcm_mulaw", rate=8000)),
    Sample(name="adpcm.wav", make=sound("-c:a", "adpcm_ms", rate=22_050), seconds=None),
    Sample(name="44100-stereo.flac", make=sound(rate=44_100, layout="stereo")),
    Sample(name="192000-24-bit.flac", make=sound("-sample_fmt", "s32", rate=192_000)),
    Sample(name="7.1.flac", make=sound(layout="7.1")),
    Sample(name="opus-stereo.ogg", make=sound(*_OPUS, layout="stereo")),
    Sample(name="opus-5.1.opus", make=sound(*_OPUS, layout="5.1")),
    Sample(name="vorbis-44100.ogg", make=sound("-c:a", "libvorbis", rate=44_100)),
    Sample(name="flac-in-ogg.ogg", make=sound("-c:a", "flac")),
    Sample(
        name="voice-message.ogg",
        make=sound(*_OPUS, "-b:a", "32k", "-application", "voip", "-f", "ogg"),
    ),
    Sample(name="aac-44100.m4a", make=sound("-c:a", "aac", rate=44_100, layout="stereo")),
    Sample(name="aac-5.1.m4a", make=sound("-c:a", "aac", layout="5.1")),
    Sample(name="alac.m4a", make=sound("-c:a", "alac", rate=44_100)),
    Sample(name="adts.aac", make=sound("-c:a", "aac"), seconds=None, is_exact=False),
    Sample(name="opus.webm", make=sound(*_OPUS)),
    Sample(name="opus.mka", make=sound(*_OPUS, layout="stereo")),
    Sample(name="ac-3.mka", make=sound("-c:a", "ac3"), is_exact=False),
    Sample(name="phone.mov", make=clapper("-c:a", "pcm_s16be")),
    Sample(name="video.mp4", make=clapper()),
    Sample(
        name="video.webm",
        make=clapper("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
    ),
    Sample(name="cover.mp3", make=with_cover(sound(*_MP3), 600)),
    Sample(name="cover.flac", make=with_cover(sound(), 600)),
    Sample(name="cover.m4a", make=with_cover(sound("-c:a", "aac"), 600)),
    Sample(name="wav-called.mp3", make=sound("-f", "wav")),
    Sample(name="ogg-called.wav", make=sound(*_OPUS, "-f", "ogg")),
    Sample(name="no-length.wav", make=streamed(sound(), "wav")),
    Sample(name="no-length.flac", make=streamed(sound(), "flac")),
    Sample(name="no-length.mka", make=streamed(sound(*_OPUS), "matroska")),
    Sample(name="cut.mp3", make=changed(sound(), _cut(0.6)), seconds=None),
    Sample(name="cut.wav", make=changed(sound(), _cut(0.6)), seconds=SECONDS * 0.6),
    Sample(name="cut.flac", make=changed(sound(), _cut(0.8)), seconds=None),
    Sample(name="cut.ogg", make=changed(sound("-c:a", "libvorbis"), _cut(0.8)), seconds=None),
    Sample(name="cut.mka", make=changed(sound(*_OPUS), _cut(0.8)), seconds=None),
    Sample(
        name="cut.m4a", make=changed(sound("-c:a", "aac"), _cut(0.6)), refused="audio.unreadable"
    ),
    Sample(name="empty.mp3", make=content(b""), refused="audio.empty"),
    Sample(name="header.wav", make=changed(sound(), _first(44)), refused="audio.unreadable"),
    Sample(name="header.flac", make=changed(sound(), _first(42)), refused="audio.unreadable"),
    Sample(name="header.ogg", make=changed(sound(*_OPUS), _first(28)), refused="audio.unreadable"),
    Sample(name="silence.ogg", make=silence(SECONDS, *_OPUS), is_silent=True),
    Sample(name="clipped.wav", make=sound("-af", "volume=12")),
    Sample(name="blink.wav", make=sound(seconds=0.02), seconds=0.02, is_silent=True),
    Sample(name="mute-video.mp4", make=clapper("-an"), refused="audio.no_sound"),
)

ATTACKS = (
    Sample(
        name="hls.mp3",
        make=_pointing("#EXTM3U\n#EXTINF:3,\nNEIGHBOUR\n#EXT-X-ENDLIST\n"),
        refused="audio.not_audio",
    ),
    Sample(
        name="hls-url.mp3",
        make=_pointing("#EXTM3U\n#EXTINF:3,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n"),
        refused="audio.not_audio",
    ),
    Sample(
        name="concat.mp3",
        make=_pointing("ffconcat version 1.0\nfile 'NEIGHBOUR'\n"),
        refused="audio.not_audio",
    ),
    Sample(
        name="dash.mp3",
        make=_pointing("<MPD><Period><BaseURL>file:NEIGHBOUR</BaseURL></Period></MPD>"),
        refused="audio.not_audio",
    ),
    Sample(
        name="sdp.mp3",
        make=_pointing("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n"),
        refused="audio.not_audio",
    ),
    Sample(
        name="svg.mp3",
        make=_pointing('<svg xmlns="http://www.w3.org/2000/svg"><image href="NEIGHBOUR"/></svg>'),
        refused="audio.not_audio",
    ),
    Sample(
        name="tag-then-hls.mp3",
        make=_pointing(_tag(b"").decode() + "#EXTM3U\n#EXTINF:3,\nNEIGHBOUR\n" * 40),
        refused="audio.unreadable",
    ),
    Sample(
        name="tag-then-concat.mp3",
        make=_pointing(_tag(b"").decode() + "ffconcat version 1.0\nfile 'NEIGHBOUR'\n" * 40),
        refused="audio.unreadable",
    ),
    Sample(
        name="html-in-tag.mp3",
        make=changed(sound(*_MP3, "-id3v2_version", "0"), _after(_tag(b"<html>" * 20))),
    ),
    Sample(
        name="jpeg-then-mp3.mp3",
        make=changed(sound(*_MP3), _after(b"\xff\xd8\xff\xe0\0\x10JFIF\0")),
        refused="audio.not_audio",
    ),
    Sample(name="wav-then-zip.wav", make=changed(sound(), _before(b"PK\3\4" * 5000))),
    Sample(
        name="matroska-of-nonsense.mka",
        make=content(b"\x1a\x45\xdf\xa3" + b"\xff\x42" * 4000),
        refused="audio.unreadable",
    ),
    Sample(name="encrypted.m4a", make=sound(*_ENCRYPTED), refused="audio.unreadable"),
    Sample(name="not-numbers.wav", make=content(_nan_wav()), is_silent=None),
    Sample(name="60-tracks.mka", make=sound(*_60_TRACKS, *_OPUS, "-b:a", "8k")),
    Sample(name="cover-bomb.mp3", make=with_cover(sound(*_MP3), 16_000)),
    Sample(name="cover-bomb.flac", make=with_cover(sound(), 16_000)),
    Sample(
        name="ten-hours.opus",
        make=looped(silence(60, *_OPUS, "-b:a", "6k"), 599),
        refused="audio.too_long",
    ),
    Sample(name="an-hour.flac", make=silence(3600, "-ar", "8000"), refused="audio.too_long"),
    Sample(
        name="two-songs.mp3",
        make=joined(sound(*_MP3, rate=8000), sound(*_MP3, layout="stereo")),
        seconds=6.17,  # the encoder's padding between the two is not recorded
    ),
)

CLIPS = (
    Sample(name="plain.mp4", make=clapper()),
    Sample(name="no-sound.mp4", make=clapper("-an"), claps=False),
    Sample(
        name="as-loud-as-can-be.mp4",
        make=clapper("-af", "aeval=random(0)*2-1:c=same", "-b:a", "320k"),
        claps=False,
    ),
    Sample(name="two-sounds.mp4", make=clapper(sounds=2)),
    Sample(name="opus-sound.mp4", make=clapper("-c:a", "libopus")),
    Sample(name="strange-sound.mp4", make=changed(clapper(), _undecodable_sound), claps=False),
    Sample(name="timecode.mp4", make=clapper("-timecode", "00:00:00:00")),
    Sample(name="hevc.mp4", make=clapper("-c:v", "libx265", "-x265-params", "log-level=0")),
    Sample(name="vp9.mp4", make=clapper("-c:v", "libvpx-vp9", "-deadline", "realtime")),
    Sample(name="mpeg-4-asp.mp4", make=clapper("-c:v", "mpeg4")),
    Sample(name="10-bit.mp4", make=clapper("-pix_fmt", "yuv420p10le")),
    Sample(name="4-4-4.mp4", make=clapper("-pix_fmt", "yuv444p")),
    Sample(
        name="variable-rate.mp4",
        make=clapper("-fps_mode", "vfr", source=",select='not(eq(mod(n,3),1))'"),
    ),
    Sample(
        name="slides.mp4",
        make=clapper("-fps_mode", "vfr", source=",select='lt(n,60)+eq(n,149)'"),
    ),
    Sample(name="240-frames.mp4", make=clapper("-r", "240")),
    Sample(name="turned-90.mp4", make=turned(clapper(), 90)),
    Sample(name="turned-180.mp4", make=turned(clapper(), 180)),
    Sample(name="index-last.mp4", make=clapper("-movflags", "0")),
    Sample(name="no-edit-list.mp4", make=clapper("-use_editlist", "0")),
    Sample(name="stray-line.mp4", make=changed(clapper(), _before(b"\r\n--boundary--\r\n"))),
    Sample(name="fragments.mp4", make=clapper("-movflags", "empty_moov+frag_keyframe")),
    Sample(name="fragments-and-index.mp4", make=clapper("-movflags", "frag_keyframe", "-g", "25")),
    Sample(
        name="a-fragment-a-frame.mp4",
        make=copied(clapper(), "-movflags", "frag_every_frame"),
        is_exact=False,
    ),
    Sample(name="wrong-length.mp4", make=changed(clapper(), _short_header)),
    Sample(name="dash.mp4", make=clapper("-movflags", "dash")),
    Sample(name="1x1.mp4", make=clapper("-pix_fmt", "yuv444p", source=",scale=1:1")),
    Sample(name="321x181.mp4", make=clapper("-pix_fmt", "yuv444p", source=",scale=321:181")),
    Sample(name="4k.mp4", make=clapper(size="3840x2160", rate=10)),
    Sample(name="4k-mpeg-4-asp.mp4", make=clapper("-c:v", "mpeg4", size="3840x2160", rate=10)),
    Sample(name="cut.mp4", make=changed(clapper(), _cut(0.9)), refused="the clip is cut off"),
    Sample(
        name="no-frames.mp4", make=changed(clapper(), _no_frames), refused="the clip has no picture"
    ),
    Sample(
        name="page.mp4", make=content(b"<!DOCTYPE html><html></html>"), refused="this is not an MP4"
    ),
    Sample(name="empty.mp4", make=content(b""), refused="this is not an MP4"),
)
