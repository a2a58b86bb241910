"""Detects a file's format from its first bytes, so that ffmpeg never has to probe untrusted input.

libmagic and the package `filetype` return MIME types. This module needs the ffmpeg demuxer instead,
even if an ID3 tag precedes the audio.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bot.media.narration.mpeg_frames import demuxer_of_frames

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "wav": "WAV",
    "ogg": "OGG",
    "flac": "FLAC",
    "mov": "MP4 or M4A",
    "matroska": "WebM or Matroska",
    "mp3": "MP3",
    "aac": "AAC",
    "loas": "AAC",
    "caf": "CAF",
    "aiff": "AIFF",
    "amr": "AMR",
    "au": "AU",
    "ape": "APE",
    "w64": "W64",
    "wv": "WavPack",
    "tta": "TTA",
    "ac3": "AC-3",
    "eac3": "AC-3",
    "mpegts": "MPEG-TS",
}
"""The name of each demuxer's format in messages."""

_HEAD = 1024
_SEARCHED = 64 * 1024  # the number of bytes in which ffmpeg, too, searches for a frame
_ID3_HEADER = 10
_SYNC_MP3 = 0xFFE0
_SYNC_AAC = 0xFFF0
_STARTS = (
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"caff", "caf"),
    (b"#!AMR", "amr"),
    (b".snd", "au"),
    (b"MAC ", "ape"),
    (b"riff\x2e\x91\xcf\x11", "w64"),
    (b"wvpk", "wv"),
    (b"TTA1", "tta"),
)
_KINDS = (b"RIFF", b"RF64", b"BW64")
_AIFF = (b"AIFF", b"AIFC")
_SYNC_AC3, _MAX_AC3_VERSION, _MAX_EAC3_VERSION = b"\x0b\x77", 10, 16
_TS_SYNC, _TS_PACKETS = 0x47, (188, 192)
# Old recorders write MOV files without an `ftyp` box. The segments of a stream begin with `styp`.
_BOXES = (b"ftyp", b"styp", b"sidx", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_LAYER = 0x0006  # bits that are zero in AAC
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
    (b"FORM", "IFF"),
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
    (b"DSD ", "DSF"),
    (b"FRM8", "DFF"),
    (b"MPCK", "MPC"),
    (b"MP+", "MPC"),
    (b"TBAK", "TAK"),
    (b"OFR ", "OFR"),
    (b"AJKG", "SHN"),
    (b".RMF", "RM"),
    (b".RA\xfd", "RA"),
    (b"CREATIVE VOICE FILE", "VOC"),
    (b"EXTENDED MODULE", "XM"),
    (b"IMPM", "IT"),
    (b"\x7f\xfe\x80\x01", "DTS"),
    (b"DTSHDHDR", "DTS"),
    (b"EA3\x03", "OMA"),
    (b"\0\0\x01\xba", "MPEG"),
    (b"\0\0\x01\xb3", "MPEG"),
    (b"{\\RTF", "RTF"),
    (b"\xd0\xcf\x11\xe0", "DOC"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\x1f\x8b", "GZIP"),
    (b"BZH", "BZIP2"),
    (b"\xfd7ZXZ", "XZ"),
    (b"\x28\xb5\x2f\xfd", "ZSTD"),
    (b"SQLITE FORMAT 3", "SQLITE"),
)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # byte order marks of text
_ICY = (b"ICY ", b"HTTP/1.")
_ICY_INTERVAL = re.compile(rb"icy-metaint:\s*(\d{1,7})\s", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """The format of an audio file.

    `demuxer`: ffmpeg's name for the format.
    `start`: the offset of the sound. It is not 0 if the header of a radio stream precedes the
    sound.
    `interval`: the number of bytes after which a radio stream inserts a text, or 0 if no texts are
    inserted.
    """

    demuxer: str
    start: int = 0
    interval: int = 0


def sniff(path: Path) -> Format | None:
    """Return the format of the file at `path`, or None if it isn't a supported format."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head.startswith(_ICY):
            return _radio(file)
        if head[:3] != b"ID3":
            found = _demuxer(head)
            if found is None and _name_of(head) is None:
                file.seek(0)
                found = demuxer_of_frames(file.read(_SEARCHED))
            return Format(demuxer=found) if found else None
        # Not only MP3, but also FLAC and AAC may start with an ID3 tag. The length of the tag is
        # stored in 7 bits of each byte.
        length = 0
        for byte in head[6:_ID3_HEADER]:
            length = length << 7 | byte & 0x7F
        file.seek(_ID3_HEADER + length)
        return Format(demuxer=_demuxer(file.read(_HEAD)) or "mp3")


def _radio(file: BinaryIO) -> Format | None:
    file.seek(0)
    data = file.read(_SEARCHED)
    header, gap, sound = data.partition(b"\r\n\r\n")
    found = _demuxer(sound) or demuxer_of_frames(sound)
    if not gap or found is None:
        return None
    interval = _ICY_INTERVAL.search(header + gap)
    return Format(
        demuxer=found,
        start=len(header) + len(gap),
        interval=int(interval[1]) if interval else 0,
    )


def describe(path: Path) -> str:
    """Return one word for the likely format of a refused file, such as HTML, TEXT or DATA."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return _name_of(head) or ("TEXT" if _is_text(head) else "DATA")


def _name_of(head: bytes) -> str | None:
    if head[:4] == b"RIFF":
        return {b"AVI ": "AVI", b"WEBP": "WEBP"}.get(head[8:12], "RIFF")
    plain = next((head[len(mark) :] for mark in _MARKS if head.startswith(mark)), head)
    start = plain.lstrip(b" \t\r\n").upper()
    return next((name for begin, name in _REFUSED if start.startswith(begin.upper())), None)


def _is_text(head: bytes) -> bool:
    if head.startswith(_MARKS):
        return True
    try:
        # The last character may be cut off.
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < max(1, len(head) - 3):
            return False
        text = head[: error.start].decode()
    return all(letter.isprintable() or letter.isspace() for letter in text)


def _demuxer(head: bytes) -> str | None:
    if head[:4] in _KINDS and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in _AIFF:
        return "aiff"
    if head[4:8] in _BOXES:
        return "mov"
    found = next((demuxer for start, demuxer in _STARTS if head.startswith(start)), None)
    return found or _packet_demuxer(head) or _mpeg_demuxer(head)


def _packet_demuxer(head: bytes) -> str | None:
    for size in _TS_PACKETS:
        # In packets of 192 bytes, a time stamp of four bytes precedes the sync byte.
        syncs = head[size - _TS_PACKETS[0] :: size][:4]
        if len(syncs) > 1 and set(syncs) == {_TS_SYNC}:
            return "mpegts"
    if head.startswith(_SYNC_AC3) and len(head) > len(_SYNC_AC3) + 4:
        version = head[5] >> 3
        if version <= _MAX_EAC3_VERSION:
            return "ac3" if version <= _MAX_AC3_VERSION else "eac3"
    is_loas = head[:1] == b"\x56" and demuxer_of_frames(head) == "loas"
    return "loas" if is_loas else None


def _mpeg_demuxer(head: bytes) -> str | None:
    first = int.from_bytes(head[:2], "big")
    # Text in UTF-16 may begin with the same bits.
    is_text = head.startswith(_MARKS) and head[3:4] == b"\0"
    if first & _SYNC_MP3 != _SYNC_MP3 or is_text:
        return None
    if first & _LAYER:
        return "mp3"
    return "aac" if first & _SYNC_AAC == _SYNC_AAC else None
