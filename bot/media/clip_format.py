"""Detects by its first bytes whether a file is a video, and which demuxer reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.reader import read_mp4

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 16
"""The number of first bytes that identify the format."""

_MOV = "mov"
# QuickTime's own boxes at the start of a file without `ftyp`.
_MOV_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_STILL_BRANDS = (b"avif", b"heic", b"heix", b"mif1")
_AUDIO_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_QUICKTIME = b"qt  "


def demuxer_of(head: bytes) -> str | None:
    """Return ffmpeg's demuxer for a video that starts with `head`; None: it is not a video."""
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
    """Read the first bytes of a file (blocking)."""
    with path.open("rb") as file:
        return file.read(HEAD)


def check_clip(path: Path) -> None:
    """Check that the file is a video, and a complete one if it is an MP4 (blocking).

    MediaError: it is not.
    """
    head = head_of(path)
    if demuxer_of(head) is None:
        raise MediaError("the downloaded file is not an MP4 or another video")
    if is_mp4(head):
        read_mp4(path)


def is_clip(path: Path) -> bool:
    """Return whether the file exists and is a video (blocking)."""
    try:
        check_clip(path)
    except (FileNotFoundError, MediaError):
        return False
    return True
