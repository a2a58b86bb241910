"""Tells by its first bytes what a file is, so that ffmpeg never guesses on hostile input."""

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
"""How people call what each demuxer reads."""

_HEAD = 64
_ID3_HEADER = 10
_SYNC_MP3 = 0xFFE0
_SYNC_AAC = 0xFFF0
# Recorders of old begin a MOV without `ftyp`.
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_LAYER = 0x0006  # none of its bits: AAC
_FOREIGN = (
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
    """Name the demuxer for the file at `path`, one of DEMUXERS; None: it is none of them."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head[:3] != b"ID3":
            return _demuxer(head)
        # A tag may stand before FLAC and AAC as well; its length has 7 bits in each byte.
        length = 0
        for byte in head[6:_ID3_HEADER]:
            length = length << 7 | byte & 0x7F
        file.seek(_ID3_HEADER + length)
        return _demuxer(file.read(_HEAD)) or "mp3"


def describe(path: Path) -> str:
    """Name what a refused file seems to be, in a word such as HTML, TEXT or DATA."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head[:4] == b"RIFF":
        return {b"AVI ": "AVI", b"WEBP": "WEBP"}.get(head[8:12], "RIFF")
    for start, name in _FOREIGN:
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
    return _mpeg(head)


def _mpeg(head: bytes) -> str | None:
    first = int.from_bytes(head[:2], "big")
    if first & _SYNC_MP3 != _SYNC_MP3:
        return None
    if first & _LAYER:
        return "mp3"
    return "aac" if first & _SYNC_AAC == _SYNC_AAC else None
