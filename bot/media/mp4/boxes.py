"""Walks the boxes of an MP4, of which nothing is believed: not a size, not a count."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bot.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

# A hostile file may hold nothing but headers: a second's work. An honest one has about 20 a frame
# where each frame is a fragment.
_MOST_BOXES = 500_000
_LARGE = 1  # a box size of 1: the real one follows in 64 bits
_TO_THE_END = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """One box: its four letters, and where its payload starts and ends in the file."""

    kind: bytes
    start: int
    end: int


class Boxes:
    """The boxes of one file, found by seeking: no more is held in memory than is asked for.

    MediaError: a box is damaged, or reaches past the end of what it is in.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = _MOST_BOXES
        self.whole = Box(kind=b"", start=0, end=size)

    def inside(self, parent: Box, kind: bytes | None = None) -> Iterator[Box]:
        """Yield the boxes in `parent`, or those of one kind."""
        start = parent.start
        while start < parent.end:
            box = self._box(start, parent.end)
            if kind in (None, box.kind):
                yield box
            start = box.end

    def find(self, parent: Box, *path: bytes) -> Box | None:
        """Return the first box that lies at `path` in `parent`."""
        box: Box | None = parent
        for kind in path:
            box = next(self.inside(box, kind), None) if box else None
        return box

    def head(self, parent: Box, *path: bytes, most: int = 512) -> bytes:
        """Return up to `most` first bytes of the box at `path`, which has to be there."""
        box = self.find(parent, *path)
        if box is None:
            raise MediaError(f"the clip's index lacks {path[-1].decode()}")
        return self._read(box.start, min(box.end - box.start, most))

    def kind_after(self, box: Box) -> bytes:
        """Return the four letters behind a box, where the next one would have its own."""
        self._file.seek(box.end + 4)
        return self._file.read(4)

    def first_bytes(self, count: int) -> bytes:
        """Return the file's first bytes, or fewer."""
        self._file.seek(0)
        return self._file.read(count)

    def _box(self, start: int, end: int) -> Box:
        self._left -= 1
        if self._left < 0:
            raise MediaError("the clip has too many boxes")
        size, kind = struct.unpack(">I4s", self._read(start, 8))
        header = 8
        if size == _LARGE:
            (size,) = struct.unpack(">Q", self._read(start + 8, 8))
            header = 16
        elif size == _TO_THE_END:
            size = end - start
        if size < header:
            raise MediaError("this is not an MP4")
        if start + size > end:
            raise MediaError("the clip is cut off")
        return Box(kind=kind, start=start + header, end=start + size)

    def _read(self, start: int, count: int) -> bytes:
        self._file.seek(start)
        content = self._file.read(count)
        if len(content) < count:
            raise MediaError("the clip is cut off")
        return content
