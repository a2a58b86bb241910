"""Joins the decoded parts of a chained file into one WAV."""

from __future__ import annotations

import wave
from os import SEEK_CUR, SEEK_END
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.narration.links import Link

_RATE = 48_000
_HEADER = 44  # bytes of the header that the module `wave` writes
_COPIED = 1024 * 1024


def begin_wav(path: Path) -> None:
    """Write a WAV that has no samples yet, with 48 kHz, two channels and 16 bits."""
    with wave.open(str(path), "wb") as sound:
        sound.setparams((2, 2, _RATE, 0, "NONE", "not compressed"))


def append_wav(path: Path, more: Path) -> float:
    """Append the samples of the WAV `more` to the WAV `path`, and return their duration."""
    with wave.open(str(more), "rb") as added:
        count = added.getnframes()
        with path.open("r+b") as file:
            file.seek(0, SEEK_END)
            while samples := added.readframes(_COPIED // 4):
                file.write(samples)
            size = file.tell()
            for at, value in ((4, size - 8), (_HEADER - 4, size - _HEADER)):
                file.seek(at)
                file.write(value.to_bytes(4, "little"))
    return count / _RATE


def copy_link(source: Path, target: Path, link: Link, interval: int) -> None:
    """Copy one link of a chained file, without the texts that a radio stream inserts.

    `interval`: the number of bytes after which each text is inserted, or 0 if there are none.
    """
    with source.open("rb") as file, target.open("wb") as copy:
        file.seek(link.start)
        while (left := link.end - file.tell()) > 0:
            copy.write(file.read(min(left, interval or _COPIED)))
            if interval:
                # The first byte is the length of the text, in units of 16 bytes.
                file.seek(16 * int.from_bytes(file.read(1), "big"), SEEK_CUR)
