"""Detects a file's format from its first bytes, so that ffmpeg never has to probe untrusted input.

Written by hand: libmagic and the package filetype return MIME types for hundreds of formats, but
this needs one of seven ffmpeg demuxers, even if an ID3 tag precedes the audio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DEMUXERS = ("wav", "ogg", "flac", "mov", "matroska", "mp3", "aac")
NAMES = {
    "wav": "WAV",
    "ogg": "OGG",
    "flac": "FLAC",
    "mov": "MP4 or M4A",
    "matroska": "WebM or Matroska",
    "mp3": "MP3",
    "aac": "AAC",
}
"""Each demuxer's formats, as messages name them."""

_HEAD = 64
_ID3_HEADER = 10
_SYNC_MP3 = 0xFFE0
_SYNC_AAC = 0xFFF0
# Old recorders write MOV files without `ftyp`.
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_LAYER = 0x0006  # these bits are zero in AAC
_REFUSED = (
    (b"<!DOCTYPE", "HTML"),
    (b"<HTML", "HTML"),
    (b"#EXTM3U", "M3U"),
    (b"FFCONCAT", "FFCONCAT"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"MTHD", "MIDI"),
    (b"FORM", "AIFF"),
    (b"#!AMR", "AMR"),
    (b"\x30\x26\xb2\x75", "WMA"),
    (b"\x7fELF", "ELF"),
    (b"<SVG", "SVG"),
    (b"<MPD", "DASH"),
    (b"<?XML", "XML"),
    (b"V=0", "SDP"),
    (b"FLV", "FLV"),
    (b"7Z", "7Z"),
    (b"RAR!", "RAR"),
    (b"MZ", "EXE"),
)


def sniff(path: Path) -> str | None:
    """Return the demuxer in DEMUXERS that matches the file at `path`, or None."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head[:3] != b"ID3":
            return _demuxer(head)
        # FLAC and AAC may also start with an ID3 tag; its length uses 7 bits of each byte.
        length = 0
        for byte in head[6:_ID3_HEADER]:
            length = length << 7 | byte & 0x7F
        file.seek(_ID3_HEADER + length)
        return _demuxer(file.read(_HEAD)) or "mp3"


def describe(path: Path) -> str:
    """Return one word for the apparent format of a refused file, such as HTML, TEXT or DATA."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head[:4] == b"RIFF":
        return {b"AVI ": "AVI", b"WEBP": "WEBP"}.get(head[8:12], "RIFF")
    for start, name in _REFUSED:
        if head.lstrip().upper().startswith(start):
            return name
    return "TEXT" if head.isascii() and b"\0" not in head else "DATA"


def _demuxer(head: bytes) -> str | None:
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    starts = {b"OggS": "ogg", b"fLaC": "flac", b"\x1a\x45\xdf\xa3": "matroska"}
    if head[:4] in starts:
        return starts[head[:4]]
    if head[4:8] in _BOXES:
        return "mov"
    return _mpeg_demuxer(head)


def _mpeg_demuxer(head: bytes) -> str | None:
    first = int.from_bytes(head[:2], "big")
    if first & _SYNC_MP3 != _SYNC_MP3:
        return None
    if first & _LAYER:
        return "mp3"
    return "aac" if first & _SYNC_AAC == _SYNC_AAC else None
