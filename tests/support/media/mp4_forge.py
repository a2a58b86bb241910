"""Takes MP4s apart and puts them together in ways in which ffmpeg does not write them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"mvex"})
_TABLE = (b"mdia", b"minf", b"stbl")


@dataclass(kw_only=True)
class Node:
    """A box: its type, and either its payload or the boxes in it."""

    kind: bytes
    payload: bytes = b""
    inner: list[Node] | None = None

    def at(self, *path: bytes) -> Node:
        """Return the first box at a path below this one."""
        if not path:
            return self
        return next(each for each in self.inner or [] if each.kind == path[0]).at(*path[1:])

    def has(self, kind: bytes) -> bool:
        """Tell whether this box directly contains one of a kind."""
        return any(each.kind == kind for each in self.inner or [])

    def drop(self, kind: bytes) -> None:
        """Remove the boxes of a kind that this box directly contains."""
        self.inner = [each for each in self.inner or [] if each.kind != kind]

    def dump(self) -> bytes:
        """Return the box as bytes."""
        payload = (
            self.payload if self.inner is None else b"".join(each.dump() for each in self.inner)
        )
        return struct.pack(">I4s", len(payload) + 8, self.kind) + payload


def parse(data: bytes) -> list[Node]:
    """Return the boxes in `data`."""
    nodes: list[Node] = []
    while data:
        size, kind = struct.unpack_from(">I4s", data)
        payload = data[8:size]
        inner = parse(payload) if kind in _PARENTS else None
        nodes.append(Node(kind=kind, payload=payload, inner=inner))
        data = data[size:]
    return nodes


def traks(moov: Node, handler: bytes) -> list[Node]:
    """Return the tracks of a kind, `vide` or `soun`."""
    return [
        each
        for each in moov.inner or []
        if each.kind == b"trak" and each.at(b"mdia", b"hdlr").payload[8:12] == handler
    ]


def numbers(table: Node, layout: str, *, at: int = 4) -> list[tuple[int, ...]]:
    """Return the entries of a table of the index."""
    (count,) = struct.unpack_from(">I", table.payload, at)
    size = struct.calcsize(layout)
    return list(struct.iter_unpack(layout, table.payload[at + 4 : at + 4 + count * size]))


def table(layout: str, entries: Iterable[tuple[int, ...]], *, before: bytes = bytes(4)) -> bytes:
    """Return the payload of a table of the index."""
    packed = [struct.pack(layout, *entry) for entry in entries]
    return before + struct.pack(">I", len(packed)) + b"".join(packed)


def moved(moov: Node, by: int) -> None:
    """Change the offsets of all chunks in an index."""
    for trak in traks(moov, b"vide") + traks(moov, b"soun"):
        stco = trak.at(*_TABLE, b"stco")
        stco.payload = table(">I", [(offset + by,) for (offset,) in numbers(stco, ">I")])


def with_index_first(head: bytes, moov: Node, media: bytes, *, media_at: int) -> bytes:
    """Write a file, whose media lay at the offset `media_at` when the index was made."""
    moved(moov, len(head) + len(moov.dump()) + 8 - media_at)
    return head + moov.dump() + Node(kind=b"mdat", payload=media).dump()


def edited(data: bytes, edit: Callable[[Node], None]) -> bytes:
    """Change the index of an MP4, whose index comes first."""
    nodes = parse(data)
    moov = next(each for each in nodes if each.kind == b"moov")
    before = len(moov.dump())
    edit(moov)
    moved(moov, len(moov.dump()) - before)
    return b"".join(each.dump() for each in nodes)


def joined(
    first: bytes, second: bytes, *, handlers: tuple[bytes, ...] = (b"vide", b"soun")
) -> bytes:
    """Join two MP4s, so that the tracks of these kinds have two sample descriptions each.

    Other tracks are those of the first. Both have their index first, and the same time scales.
    """
    one, two = (_taken_apart(each) for each in (first, second))
    moved(two.moov, len(one.media) + one.media_at - two.media_at)
    for handler in handlers:
        trak = traks(one.moov, handler)[0]
        _append(trak, traks(two.moov, handler)[0])
        _lengthen(trak, traks(two.moov, handler)[0], _clock(one.moov) / _clock(two.moov))
    return with_index_first(one.head, one.moov, one.media + two.media, media_at=one.media_at)


@dataclass(kw_only=True)
class _Parts:
    head: bytes
    moov: Node
    media: bytes
    media_at: int


def _taken_apart(data: bytes) -> _Parts:
    nodes = parse(data)
    at = 0
    for node in nodes:
        if node.kind == b"mdat":
            break
        at += len(node.dump())
    moov = next(each for each in nodes if each.kind == b"moov")
    media = next(each for each in nodes if each.kind == b"mdat").payload
    return _Parts(head=nodes[0].dump(), moov=moov, media=media, media_at=at + 8)


def _append(one: Node, two: Node) -> None:
    mine, other = one.at(*_TABLE), two.at(*_TABLE)
    samples, chunks = (
        len(numbers(mine.at(b"stsz"), ">I", at=8)),
        len(numbers(mine.at(b"stco"), ">I")),
    )
    added = len(numbers(other.at(b"stsz"), ">I", at=8))
    entries = mine.at(b"stsd").payload[8:] + other.at(b"stsd").payload[8:]
    mine.at(b"stsd").payload = bytes(4) + struct.pack(">I", 2) + entries
    scale = _scale(one) / _scale(two)
    later = [(count, round(each * scale)) for count, each in numbers(other.at(b"stts"), ">II")]
    mine.at(b"stts").payload = table(">II", numbers(mine.at(b"stts"), ">II") + later)
    if mine.has(b"ctts") or other.has(b"ctts"):
        delays = [
            numbers(each.at(b"ctts"), ">II") if each.has(b"ctts") else [(count, 0)]
            for each, count in ((mine, samples), (other, added))
        ]
        mine.drop(b"ctts")
        ctts = Node(kind=b"ctts", payload=table(">II", delays[0] + delays[1]))
        mine.inner = [*(mine.inner or []), ctts]
    if mine.has(b"stss"):
        syncs = [(number + samples,) for (number,) in numbers(other.at(b"stss"), ">I")]
        mine.at(b"stss").payload = table(">I", numbers(mine.at(b"stss"), ">I") + syncs)
    runs = [(start + chunks, count, 2) for start, count, _ in numbers(other.at(b"stsc"), ">III")]
    mine.at(b"stsc").payload = table(">III", numbers(mine.at(b"stsc"), ">III") + runs)
    sizes = numbers(mine.at(b"stsz"), ">I", at=8) + numbers(other.at(b"stsz"), ">I", at=8)
    mine.at(b"stsz").payload = table(">I", sizes, before=bytes(8))
    offsets = numbers(mine.at(b"stco"), ">I") + numbers(other.at(b"stco"), ">I")
    mine.at(b"stco").payload = table(">I", offsets)
    for name in ("sdtp", "sgpd", "sbgp"):
        mine.drop(name.encode())


def _clock(moov: Node) -> int:
    return struct.unpack_from(">I", moov.at(b"mvhd").payload, 12)[0]


def _scale(trak: Node) -> int:
    return struct.unpack_from(">I", trak.at(b"mdia", b"mdhd").payload, 12)[0]


def _lengthen(one: Node, two: Node, scale: float) -> None:
    """Add the duration of the second track to the header and the edit list of the first.

    The second clip's units of time are to be multiplied by `scale`.
    """
    added = round(struct.unpack_from(">I", two.at(b"tkhd").payload, 20)[0] * scale)
    for path, at in (((b"tkhd",), 20), ((b"edts", b"elst"), 8)):
        node = one.at(*path)
        (units,) = struct.unpack_from(">I", node.payload, at)
        node.payload = node.payload[:at] + struct.pack(">I", units + added) + node.payload[at + 4 :]
    mdhd = one.at(b"mdia", b"mdhd")
    (units,) = struct.unpack_from(">I", mdhd.payload, 16)
    more = struct.unpack_from(">I", two.at(b"mdia", b"mdhd").payload, 16)[0]
    more = round(more * _scale(one) / _scale(two))
    mdhd.payload = mdhd.payload[:16] + struct.pack(">I", units + more) + mdhd.payload[20:]
