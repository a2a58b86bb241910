"""Detects whether a file is a video, and which demuxer reads it, from the file's first bytes."""

from __future__ import annotations

from os import SEEK_CUR
from typing import TYPE_CHECKING, BinaryIO

from bot.errors import MediaError
from bot.media.mp4.reader import read_mp4

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.mp4.reader import VideoInfo

HEAD = 16
"""The number of bytes at the start of a file that identify its format."""

_MOV = "mov"
# A QuickTime file without an `ftyp` box may start with one of these boxes.
_MOV_BOXES = (b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_STILL_BRANDS = (b"avif", b"heic", b"heix", b"mif1")
_AUDIO_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_QUICKTIME = b"qt  "
_SEGMENT = b"\x18\x53\x80\x67"


def demuxer_of(head: bytes) -> str | None:
    """Return ffmpeg's demuxer for a file that starts with `head`, or None if it is not a video."""
    if head[4:8] == b"ftyp":
        return None if head[8:12] in {*_STILL_BRANDS, *_AUDIO_BRANDS} else _MOV
    if head[4:8] in _MOV_BOXES:
        return _MOV
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"  # and WebM
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return "gif"
    return "avi" if head[:4] == b"RIFF" and head[8:12] == b"AVI " else None


def is_mp4(head: bytes) -> bool:
    """Return whether a file that starts with `head` is an MP4, and not a QuickTime movie."""
    return demuxer_of(head) == _MOV and head[4:8] == b"ftyp" and head[8:12] != _QUICKTIME


def head_of(path: Path) -> bytes:
    """Return the first `HEAD` bytes of a file. Blocks the thread."""
    with path.open("rb") as file:
        return file.read(HEAD)


def check_clip(path: Path) -> VideoInfo | None:
    """Check that a file is a video, and has the size that its header states.

    Returns the properties of an MP4, and None for another format. Blocks the thread.
    Raises MediaError if the file is not a video or is incomplete.
    """
    head = head_of(path)
    demuxer = demuxer_of(head)
    if demuxer is None:
        raise MediaError("the downloaded file is not an MP4 or another video")
    if is_mp4(head):
        return read_mp4(path)
    if path.stat().st_size < _declared_bytes(path, demuxer):
        raise MediaError("the clip is cut off")
    return None


def _declared_bytes(path: Path, demuxer: str) -> int:
    """Return the minimum size of a complete file in bytes, or 0 if its header doesn't tell."""
    with path.open("rb") as file:
        if demuxer == "avi":
            return 8 + int.from_bytes(file.read(8)[4:], "little")
        if demuxer == "matroska":
            return _declared_matroska(file)
    return 0


def _declared_matroska(file: BinaryIO) -> int:
    """Return the offset at which a WebM or Matroska file's `Segment` ends, or 0 if unknown."""
    file.seek(4)
    header = _element_size(file)
    file.seek(header or 0, SEEK_CUR)
    if header is None or file.read(4) != _SEGMENT:
        return 0
    size = _element_size(file)
    return 0 if size is None else file.tell() + size


def _element_size(file: BinaryIO) -> int | None:
    """Read the size of a Matroska element, or return None if the file doesn't state it.

    The number of zero bits at the beginning tells how many bytes the size takes.
    """
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    bits = 7 * length
    size = int.from_bytes(first + file.read(length - 1), "big") & ((1 << bits) - 1)
    return None if size == (1 << bits) - 1 else size


def is_clip(path: Path) -> bool:
    """Return whether a file exists and is a complete video. Blocks the thread."""
    try:
        check_clip(path)
    except (FileNotFoundError, MediaError):
        return False
    return True
