"""Reads a track's sample table, which tells where in the file its samples are stored."""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import MediaError
from bot.media.mp4.tracks import SAMPLE_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.media.mp4.boxes import Box, Boxes

_MAX_ENTRIES = 300_000  # of one table; the offsets in longer tables are not checked
_MAX_RUN_BYTES = 12 * _MAX_ENTRIES + 16


class Chunk(NamedTuple):
    """Some samples that are adjacent in the file.

    `first`: the number of the first sample, starting at 0. `samples`: how many there are.
    `offset`: the file offset of the first sample. `size`: the size of all of them in bytes.
    `description`: the number of the sample description that they use, starting at 1.
    """

    first: int
    samples: int
    offset: int
    size: int
    description: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleTable:
    """The chunks of a track, and the keyframes, at which decoding can start.

    `bytes_before`: for each sample, the total size of the samples before it in bytes.
    `syncs`: the numbers of the keyframes, starting at 0. None if decoding can start at any sample.
    """

    chunks: tuple[Chunk, ...]
    bytes_before: Sequence[int]
    syncs: tuple[int, ...] | None

    def offset_in(self, chunk: Chunk, number: int) -> int:
        """Return the file offset of a chunk's sample, by the sample's number in the track."""
        return chunk.offset + self.bytes_before[number] - self.bytes_before[chunk.first]


def read_sample_table(boxes: Boxes, trak: Box) -> SampleTable:
    """Read a track's sample table.

    The result has no chunks if a part of the table is missing, or if the table is too long. Raises
    MediaError if the table contains fewer samples than it states.
    """
    stbl = boxes.find(trak, *SAMPLE_TABLE)
    if stbl is None:
        return SampleTable(chunks=(), bytes_before=(), syncs=None)
    tables = {box.kind: box for box in boxes.inside(stbl)}
    bytes_before = _bytes_before(boxes, tables)
    return SampleTable(
        chunks=tuple(_chunks(boxes, tables, bytes_before)) if bytes_before else (),
        bytes_before=bytes_before,
        syncs=_syncs(boxes, tables),
    )


def sync_offsets(table: SampleTable, limit: int) -> Iterator[int]:
    """Yield the file offsets of the first `limit` samples at which decoding can start."""
    if not table.chunks:
        return
    starts = [chunk.first for chunk in table.chunks]
    count = starts[-1] + table.chunks[-1].samples
    for number in islice(range(count) if table.syncs is None else table.syncs, limit):
        if 0 <= number < count:
            yield table.offset_in(table.chunks[bisect_right(starts, number) - 1], number)


def _syncs(boxes: Boxes, tables: dict[bytes, Box]) -> tuple[int, ...] | None:
    box = tables.get(b"stss")
    if box is None:
        return None
    return tuple(number - 1 for (number,) in _entries(boxes, box, ">I"))


def _bytes_before(boxes: Boxes, tables: dict[bytes, Box]) -> Sequence[int]:
    """Return the total size of the samples before each one, and at the end, that of all samples."""
    if not (tables.keys() >= {b"stsc", b"stsz"} and tables.keys() & {b"stco", b"co64"}):
        return ()  # without chunks, the sizes are not checked
    uniform, samples = struct.unpack_from(">II", boxes.head(tables[b"stsz"], max_bytes=12), 4)
    if uniform:
        return range(0, (samples + 1) * uniform, uniform)
    sizes = [size for (size,) in _entries(boxes, tables[b"stsz"], ">I", at=8)]
    if len(sizes) == _MAX_ENTRIES:
        return ()
    if len(sizes) < samples:
        raise MediaError("the clip's index is damaged")
    return [*accumulate(sizes, initial=0)]


def _chunks(boxes: Boxes, tables: dict[bytes, Box], bytes_before: Sequence[int]) -> Iterator[Chunk]:
    place = tables.get(b"stco") or tables.get(b"co64")
    if place is None:
        return
    offsets = _entries(boxes, place, ">I" if place.kind == b"stco" else ">Q")
    if len(offsets) == _MAX_ENTRIES:
        return
    first, samples = 0, len(bytes_before) - 1
    for (offset,), (count, description) in zip(
        offsets, _runs(boxes, tables[b"stsc"]), strict=False
    ):
        number = min(count, samples - first)
        if number <= 0:
            return
        yield Chunk(
            first=first,
            samples=number,
            offset=offset,
            size=bytes_before[first + number] - bytes_before[first],
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
