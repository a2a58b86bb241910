"""Reads the boxes of an untrusted MP4. Every size and count is checked before it is used."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, BinaryIO

from bot.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

# The maximum number of box headers that are read. Reading them takes about a second, so a hostile
# file can't cause more work. A normal file has fewer: at most about 20 boxes per frame, even if
# every frame is a fragment of its own.
_MAX_BOXES = 500_000
# The maximum number of bytes that are read. Reading them takes a few seconds. The index of an hour
# of video has less than half as many bytes.
_MAX_BYTES = 64 * 1024**2
_SIZE_IN_64_BITS = 1  # this box size means that the real size follows in 64 bits
_SIZE_TO_END = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A box, which has a four-letter type, a header and a payload.

    `begin`: the file offset of the header. `start` and `end`: the offsets of the payload.
    """

    kind: bytes
    begin: int
    start: int
    end: int


class Boxes:
    """Finds the boxes of a file by seeking, so that only the requested bytes are in memory.

    All methods raise MediaError if a box is damaged, if it extends past the end of its parent, or
    if there are too many boxes.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._remaining = _MAX_BOXES
        self._remaining_bytes = _MAX_BYTES
        self._read_boxes: dict[tuple[int, int], list[Box]] = {}  # by the parent's payload
        self.whole = Box(kind=b"", begin=0, start=0, end=size)

    def inside(self, parent: Box, kind: bytes | None = None) -> Iterator[Box]:
        """Yield the boxes directly inside `parent`.

        `kind`: the type of the boxes to yield, or None for all boxes.
        """
        known = self._read_boxes.setdefault((parent.start, parent.end), [])
        start = parent.start
        for number in count():
            if start >= parent.end:
                return
            if number == len(known):
                known.append(self._box(start, parent.end))
            box = known[number]
            if kind in (None, box.kind):
                yield box
            start = box.end

    def find(self, parent: Box, *path: bytes) -> Box | None:
        """Return the first box at `path` inside `parent`, or None if there is no such box."""
        box: Box | None = parent
        for kind in path:
            box = next(self.inside(box, kind), None) if box else None
        return box

    def head(self, parent: Box, *path: bytes, max_bytes: int = 512) -> bytes:
        """Return the first bytes of the box at `path`.

        Raises MediaError if there is no such box.
        """
        box = self.find(parent, *path)
        if box is None:
            raise MediaError(f"the clip's index lacks {path[-1].decode()}")
        return self._read(box.start, min(box.end - box.start, max_bytes))

    def at(self, start: int, size: int) -> bytes:
        """Return `size` bytes of the file from `start`.

        Raises MediaError if the file is too short.
        """
        return self._read(start, size)

    def kind_after(self, box: Box) -> bytes:
        """Return the type of the box that seems to follow `box`, without checking that box."""
        self._file.seek(box.end + 4)
        return self._file.read(4)

    def first_bytes(self, size: int) -> bytes:
        """Return the first `size` bytes of the file, or fewer if the file is shorter."""
        self._file.seek(0)
        return self._file.read(size)

    def _box(self, start: int, end: int) -> Box:
        self._remaining -= 1
        if self._remaining < 0:
            raise MediaError("the clip has too many boxes")
        size, kind = struct.unpack(">I4s", self._read(start, 8))
        header = 8
        if size == _SIZE_IN_64_BITS:
            (size,) = struct.unpack(">Q", self._read(start + 8, 8))
            header = 16
        elif size == _SIZE_TO_END:
            size = end - start
        if size < header:
            raise MediaError("this is not an MP4")
        if start + size > end:
            raise MediaError("the clip is cut off")
        return Box(kind=kind, begin=start, start=start + header, end=start + size)

    def _read(self, start: int, size: int) -> bytes:
        if not 0 <= start <= self.whole.end - size:
            raise MediaError("the clip is cut off")
        self._remaining_bytes -= size
        if self._remaining_bytes < 0:
            raise MediaError("the clip's index is too large")
        self._file.seek(start)
        content = self._file.read(size)
        if len(content) < size:
            raise MediaError("the clip is cut off")
        return content
