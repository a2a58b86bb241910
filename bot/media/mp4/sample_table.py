"""Reads a track's sample table, which tells where in the file its samples are stored."""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.tracks import SAMPLE_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.media.mp4.boxes import Box, Boxes

_MAX_ENTRIES = 300_000  # of one table; the offsets in longer tables are not checked
_MAX_RUN_BYTES = 12 * _MAX_ENTRIES + 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Some samples that are adjacent in the file.

    `first`: the number of the first sample, starting at 0. `count`: the number of samples.
    `offset`: the file offset of the first sample. `size`: the size of all of them in bytes.
    `offsets`: the file offset of each sample. Empty if all samples have the same size.
    `description`: the number of the sample description that they use, starting at 1.
    """

    first: int
    count: int
    offset: int
    size: int
    offsets: tuple[int, ...]
    description: int

    def offset_of(self, number: int) -> int:
        """Return the file offset of the sample with this number in the track."""
        index = number - self.first
        if self.offsets:
            return self.offsets[index]
        return self.offset + index * (self.size // self.count)


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleTable:
    """The chunks of a track, and the samples at which decoding can start.

    `syncs`: the numbers of these samples, starting at 0. None if decoding can start at any sample.
    """

    chunks: tuple[Chunk, ...]
    syncs: tuple[int, ...] | None


def read_sample_table(boxes: Boxes, trak: Box) -> SampleTable:
    """Read a track's sample table.

    The result has no chunks if a part of the table is missing, or if the table is too long. Raises
    MediaError if the table contains fewer samples than it states.
    """
    stbl = boxes.find(trak, *SAMPLE_TABLE)
    if stbl is None:
        return SampleTable(chunks=(), syncs=None)
    tables = {box.kind: box for box in boxes.inside(stbl)}
    return SampleTable(
        chunks=tuple(_chunks(boxes, tables)),
        syncs=_syncs(boxes, tables),
    )


def sync_offsets(table: SampleTable, limit: int) -> Iterator[int]:
    """Yield the file offsets of the first `limit` samples at which decoding can start."""
    if not table.chunks:
        return
    starts = [chunk.first for chunk in table.chunks]
    count = starts[-1] + table.chunks[-1].count
    for number in islice(range(count) if table.syncs is None else table.syncs, limit):
        if 0 <= number < count:
            yield table.chunks[bisect_right(starts, number) - 1].offset_of(number)


def _syncs(boxes: Boxes, tables: dict[bytes, Box]) -> tuple[int, ...] | None:
    box = tables.get(b"stss")
    if box is None:
        return None
    return tuple(number - 1 for (number,) in _entries(boxes, box, ">I"))


def _chunks(boxes: Boxes, tables: dict[bytes, Box]) -> Iterator[Chunk]:
    place = tables.get(b"stco") or tables.get(b"co64")
    if place is None or b"stsc" not in tables or b"stsz" not in tables:
        return
    offsets = _entries(boxes, place, ">I" if place.kind == b"stco" else ">Q")
    header = boxes.head(tables[b"stsz"], max_bytes=12)
    uniform, samples = struct.unpack_from(">II", header, 4)
    sizes = [] if uniform else [each for (each,) in _entries(boxes, tables[b"stsz"], ">I", at=8)]
    if len(offsets) == _MAX_ENTRIES or len(sizes) == _MAX_ENTRIES:
        return
    if not uniform and len(sizes) < samples:
        raise MediaError("the clip's index is damaged")
    first = 0
    for (offset,), (count, description) in zip(
        offsets, _runs(boxes, tables[b"stsc"]), strict=False
    ):
        number = min(count, samples - first)
        if number <= 0:
            return
        own = tuple(sizes[first : first + number])
        yield Chunk(
            first=first,
            count=number,
            offset=offset,
            size=number * uniform if uniform else sum(own),
            offsets=tuple(accumulate(own[:-1], initial=offset)) if own else (),
            description=description,
        )
        first += number
    if first < samples:
        raise MediaError("the clip is cut off")


def _runs(boxes: Boxes, stsc: Box) -> Iterator[tuple[int, int]]:
    """Yield the number of samples and the description of each chunk.

    The last pair applies to all further chunks, so it is repeated endlessly.
    """
    entries = _entries(boxes, stsc, ">III")
    for (start, count, description), (end, _, _) in pairwise(entries):
        for _ in range(min(end - start, _MAX_ENTRIES)):
            yield count, description
    while entries:
        _, count, description = entries[-1]
        yield count, description


def _entries(boxes: Boxes, box: Box, layout: str, *, at: int = 4) -> list[tuple[int, ...]]:
    content = boxes.head(box, max_bytes=_MAX_RUN_BYTES)
    (count,) = struct.unpack_from(">I", content, at)
    start, size = at + 4, struct.calcsize(layout)
    count = min(count, _MAX_ENTRIES, (len(content) - start) // size)
    return list(struct.iter_unpack(layout, content[start : start + count * size]))
