"""Finds the links of a chained file. Such a file consists of several complete files in a row.

Players play one link after the other. ffmpeg stops after some links, or inserts silence.
"""

from __future__ import annotations

import mmap
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from bot.media.narration.mpeg_frames import adts_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX_LINKS = 100
"""The maximum number of links. A file with more is refused."""

_MAX_STEPS = 400_000  # pages, frames or boxes that are read; the rest of the file is ignored
_BOS = 0x02  # the flag of the first page of an Ogg stream
_OGG_HEADER = 27
_FLAC = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_MATROSKA = re.compile(rb"\x1a\x45\xdf\xa3.{1,64}?\x42\x82.(?:webm|matroska)", re.DOTALL)
_ENDLESS = (0, 0xFFFFFFFF)
_BOX_IN_64_BITS = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One of the complete files in a chained file, from the offset `start` to the offset `end`."""

    start: int
    end: int


def find_links(path: Path, demuxer: str) -> list[Link]:
    """Return the links of a chained file. For any other file, return one link: the whole file.

    The search stops soon after `MAX_LINKS`. Blocks the thread.
    """
    size = path.stat().st_size
    find = _FINDERS.get(demuxer)
    starts = [0]
    if find is not None and size:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            suppress(IndexError),  # raised if the last page is cut off
        ):
            for start in islice(find(data), MAX_LINKS + 1):
                starts += [start] if start else []
    ends = [*starts[1:], size]
    return [Link(start=start, end=end) for start, end in zip(starts, ends, strict=True)]


def _ogg_links(data: mmap.mmap) -> Iterator[int]:
    """Yield the offset of each link of an Ogg file except the first.

    Links without sound are omitted.
    """
    at, begun, was_begin = 0, -1, True
    for _ in range(_MAX_STEPS):
        if data[at : at + 4] != b"OggS":
            at = data.find(b"OggS", at)
        if at < 0 or at + _OGG_HEADER > len(data):
            return
        is_begin = bool(data[at + 5] & _BOS)
        if is_begin and not was_begin:
            begun = at
        position = int.from_bytes(data[at + 6 : at + 14], "little", signed=True)
        if begun >= 0 and position > 0:
            yield begun
            begun = -1
        was_begin = is_begin
        segments = data[at + 26]
        lengths = data[at + _OGG_HEADER : at + _OGG_HEADER + segments]
        at += _OGG_HEADER + segments + sum(lengths)


def _riff_links(data: mmap.mmap) -> Iterator[int]:
    at = 0
    for _ in range(_MAX_STEPS):
        if data[at : at + 4] != b"RIFF" or data[at + 8 : at + 12] != b"WAVE":
            return
        yield at
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if size in _ENDLESS:
            return
        at += 8 + size + size % 2


def _flac_links(data: mmap.mmap) -> Iterator[int]:
    # The first match is the first link. It is left out, even if it follows a tag.
    for found in islice(_FLAC.finditer(data), 1, None):
        yield found.start()


def _matroska_links(data: mmap.mmap) -> Iterator[int]:
    for found in _MATROSKA.finditer(data):
        yield found.start()


def _mov_links(data: mmap.mmap) -> Iterator[int]:
    at, kinds = 0, set[bytes]()
    for _ in range(_MAX_STEPS):
        kind = data[at + 4 : at + 8]
        if kind == b"ftyp" and {b"moov", b"mdat"} <= kinds:
            yield at
            kinds.clear()
        kinds.add(kind)
        size = int.from_bytes(data[at : at + 4], "big")
        if size == _BOX_IN_64_BITS:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < len(b"size" + kind):
            return
        at += size


def _adts_links(data: mmap.mmap) -> Iterator[int]:
    """Yield the offsets at which an ADTS file's parameters change. Tags and damage are skipped."""
    at, before = data.find(b"\xff"), None
    for _ in range(_MAX_STEPS):
        if at < 0:
            return
        found = adts_parameters(data[at : at + 7], 0)
        if found is None:
            at = data.find(b"\xff", at + 1)
            continue
        length, parameters = found
        following = adts_parameters(data[at + length : at + length + 7], 0)
        if following is None or following[1] != parameters:
            at += length if following else 1
            continue
        if before not in (None, parameters):
            yield at
        before = parameters
        at += length


_FINDERS: dict[str, Callable[[mmap.mmap], Iterator[int]]] = {
    "ogg": _ogg_links,
    "wav": _riff_links,
    "flac": _flac_links,
    "matroska": _matroska_links,
    "mov": _mov_links,
    "aac": _adts_links,
}
