"""Reads the samples of a fragmented track, which are listed in its fragments."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.media.mp4.boxes import Box, Boxes

_MAX_SAMPLE_BYTES = 1024 * 1024  # for one list of samples; an hour of frames takes less
_TFHD_OFFSET, _TFHD_DESCRIPTION, _TFHD_DURATION = 0x01, 0x02, 0x08
_TFHD_SIZE, _TFHD_FLAGS, _TFHD_BASE_IS_MOOF = 0x10, 0x20, 0x020000
_TRUN_OFFSET, _TRUN_FIRST_FLAGS = 0x01, 0x04
_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_SHOWN = 0x100, 0x200, 0x400, 0x800
_TRUN_PER_SAMPLE = (_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_SHOWN)
_NO_SYNC = 0x10000  # the flag of a sample at which decoding can't start


@dataclass(frozen=True, kw_only=True, slots=True)
class Fragment:
    """Some successive samples of a track. Times are in the track's time units.

    `start`, `end`: the times between which the samples are decoded.
    `shown`: the time at which the first sample is shown.
    `reorder_delay`: the longest time between decoding a sample and showing it.
    `count`: the number of samples.
    `description`: the number of the sample description that the samples use.
    `first_byte`, `last_byte`: the file offsets between which the samples are stored, or 0 if
    unknown.
    `syncs`: the file offsets of the samples at which decoding can start.
    """

    start: int
    end: int
    shown: int
    reorder_delay: int
    count: int
    description: int
    first_byte: int
    last_byte: int
    syncs: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Defaults:
    """The values of samples that have no values of their own."""

    description: int = 1
    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """The place of the next samples in the track and in the file.

    `time`: the time at which they are decoded. `byte`: the file offset at which they are stored.
    `base`: the file offset from which the fragment's offsets count.
    `known`: whether the offsets are known. Offsets that depend on another track's samples are not.
    """

    time: int
    base: int
    byte: int
    known: bool


def read_fragments(
    boxes: Boxes, moov: Box, moofs: Sequence[Box], track: int, *, start: int
) -> Iterator[Fragment]:
    """Yield the fragments of the track number `track`, from the boxes `moofs`.

    `start`: the time at which the samples in the index (`moov`) end.
    """
    defaults = _track_defaults(boxes, moov, track)
    for moof in moofs:
        for number, traf in enumerate(boxes.inside(moof, b"traf")):
            place = _Place(time=start, base=moof.begin, byte=moof.begin, known=number == 0)
            for fragment in _read_traf(boxes, traf, track, defaults, place):
                yield fragment
                start = fragment.end


def _track_defaults(boxes: Boxes, moov: Box, track: int) -> _Defaults:
    mvex = boxes.find(moov, b"mvex")
    for trex in boxes.inside(mvex, b"trex") if mvex else ():
        head = boxes.head(trex)
        _, number, description, duration = struct.unpack_from(">4I", head)
        if number == track:
            defaults = _Defaults(description=description, duration=duration)
            with_sizes = struct.calcsize(">6I")
            if len(head) < with_sizes:
                return defaults
            size, flags = struct.unpack_from(">2I", head, 16)
            return replace(defaults, size=size, flags=flags)
    return _Defaults()


def _read_traf(
    boxes: Boxes, traf: Box, track: int, defaults: _Defaults, place: _Place
) -> Iterator[Fragment]:
    header = boxes.head(traf, b"tfhd")
    if struct.unpack_from(">I", header, 4)[0] != track:
        return
    defaults, place = _with_header(header, defaults, place)
    if tfdt := boxes.find(traf, b"tfdt"):
        content = boxes.head(tfdt)
        (time,) = struct.unpack_from(">Q" if content[:1] == b"\1" else ">I", content, 4)
        place = replace(place, time=time)
    for trun in boxes.inside(traf, b"trun"):
        fragment = _read_run(boxes, trun, defaults, place)
        place = replace(place, time=fragment.end, byte=fragment.last_byte)
        yield fragment


def _with_header(header: bytes, defaults: _Defaults, place: _Place) -> tuple[_Defaults, _Place]:
    """Apply the values in a `tfhd` box.

    The flags of the box tell which values it contains. The order of the values is fixed.
    """
    flags, at = _flags(header), 8
    if flags & _TFHD_OFFSET:
        (base,) = struct.unpack_from(">Q", header, at)
        place, at = replace(place, base=base, byte=base, known=True), at + 8
    elif flags & _TFHD_BASE_IS_MOOF:
        place = replace(place, known=True)
    found: dict[str, int] = {}
    for flag, name in (
        (_TFHD_DESCRIPTION, "description"),
        (_TFHD_DURATION, "duration"),
        (_TFHD_SIZE, "size"),
        (_TFHD_FLAGS, "flags"),
    ):
        if flags & flag:
            (found[name],) = struct.unpack_from(">I", header, at)
            at += 4
    return replace(defaults, **found), place


def _read_run(boxes: Boxes, trun: Box, defaults: _Defaults, place: _Place) -> Fragment:
    header = boxes.head(trun)
    flags, count = _flags(header), struct.unpack_from(">I", header, 4)[0]
    start = 8 + 4 * bool(flags & _TRUN_OFFSET) + 4 * bool(flags & _TRUN_FIRST_FLAGS)
    fields = [field for field in _TRUN_PER_SAMPLE if flags & field]
    length = start + count * 4 * len(fields)
    if length > min(trun.end - trun.start, _MAX_SAMPLE_BYTES):
        raise MediaError("the clip's fragments are damaged")
    entries = boxes.head(trun, max_bytes=length)[start:]

    def column(field: int, kind: str = "I") -> list[int] | None:
        if not (count and flags & field):
            return None
        before = fields.index(field)
        layout = f">{4 * before}x{kind}{4 * (len(fields) - before - 1)}x"
        return [each for (each,) in struct.iter_unpack(layout, entries)]

    durations, sizes = column(_TRUN_DURATION), column(_TRUN_SIZE)
    delays = column(_TRUN_SHOWN, "i") or [0]
    first_byte = place.byte
    if flags & _TRUN_OFFSET:
        first_byte = place.base + struct.unpack_from(">i", header, 8)[0]
    each = column(_TRUN_FLAGS)
    if flags & _TRUN_FIRST_FLAGS and each is None:
        (first,) = struct.unpack_from(">I", header, 8 + 4 * bool(flags & _TRUN_OFFSET))
        each = [first]
    last_byte = first_byte + (count * defaults.size if sizes is None else sum(sizes))
    end = place.time + (count * defaults.duration if durations is None else sum(durations))
    return Fragment(
        start=place.time,
        end=end,
        shown=place.time + delays[0],
        reorder_delay=max(delays),
        count=count,
        description=defaults.description,
        first_byte=first_byte if place.known else 0,
        last_byte=last_byte if place.known else 0,
        syncs=_syncs(first_byte, sizes, each, defaults) if count and place.known else (),
    )


def _syncs(
    byte: int, sizes: list[int] | None, flags: list[int] | None, defaults: _Defaults
) -> tuple[int, ...]:
    """Return the offsets of the sync samples.

    If the sizes of samples are unknown, only the first offset is found.
    """
    found: list[int] = []
    for number, size in enumerate(sizes or [defaults.size]):
        own = flags[number] if flags and number < len(flags) else defaults.flags
        if not own & _NO_SYNC:
            found.append(byte)
        byte += size
    return tuple(found)


def _flags(header: bytes) -> int:
    return int.from_bytes(header[1:4], "big")
