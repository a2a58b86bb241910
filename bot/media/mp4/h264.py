"""Reads keyframes, parameter sets and colours from H.264, without decoding pictures.

No library is used, because all libraries except ffmpeg decode the whole clip.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.media.mp4.boxes import Boxes

_SLICE, _IDR, _SEQUENCE_SET, _PICTURE_SET = 1, 5, 7, 8
_MAX_UNITS = 64  # the units that may precede the first slice of a picture
_MAX_SET_BYTES = 4096
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128})
_EXTENDED_SAR = 255
_4_4_4 = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class H264:
    """A track's decoder configuration.

    `sets`: its parameter sets.
    `length_bytes`: the size of the length field that precedes each unit in the stream, in bytes.
    """

    profile: int
    length_bytes: int
    sets: frozenset[bytes]

    def colours(self) -> tuple[int, int] | None:
        """Return the numbers of the primaries and the transfer function, or None if not stated."""
        for each in self.sets:
            if each[0] & 0x1F == _SEQUENCE_SET:
                with suppress(IndexError, ValueError):
                    return _colours(_Bits(each[1:].replace(b"\0\0\3", b"\0\0")))
        return None


def read_h264(record: bytes) -> H264 | None:
    """Parse the content of an `avcC` box, or return None if it is damaged."""
    try:
        sets: list[bytes] = []
        at = 6
        for count in (record[5] & 0x1F, None):
            number = record[at] if count is None else count
            at += count is None
            for _ in range(number):
                (size,) = struct.unpack_from(">H", record, at)
                sets.append(record[at + 2 : at + 2 + size])
                at += 2 + size
        return H264(
            profile=record[1],
            length_bytes=(record[4] & 3) + 1,
            sets=frozenset(filter(None, sets)),
        )
    except (IndexError, struct.error):
        return None


def keeps_playing(boxes: Boxes, h264: H264, syncs: Iterable[int]) -> bool:
    """Return whether the pictures at the offsets `syncs` are real keyframes of the same stream.

    After a seek, players start at one of these pictures. Some players stop if that picture needs
    earlier ones, or if the stream's parameters change there.
    """
    return all(_is_keyframe(boxes, h264, offset) for offset in syncs)


def _is_keyframe(boxes: Boxes, h264: H264, offset: int) -> bool:
    for _ in range(_MAX_UNITS):
        head = boxes.at(offset, h264.length_bytes + 1)
        size, kind = int.from_bytes(head[:-1], "big"), head[-1] & 0x1F
        if _SLICE <= kind <= _IDR:
            return kind == _IDR
        if kind in (_SEQUENCE_SET, _PICTURE_SET):
            if size > _MAX_SET_BYTES:
                return False
            if boxes.at(offset + h264.length_bytes, size) not in h264.sets:
                return False
        offset += h264.length_bytes + size
    return False


class _Bits:
    """Reads the numbers in a parameter set. Their lengths in bits vary."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def read(self, count: int) -> int:
        """Return the next `count` bits as a number."""
        value = 0
        for _ in range(count):
            value = value << 1 | self._content[self._at >> 3] >> (7 - self._at % 8) & 1
            self._at += 1
        return value

    def golomb(self) -> int:
        """Return the next number, which is stored in an exponential Golomb code."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 32:  # noqa: PLR2004 - no number is longer
                raise ValueError
        return (1 << zeros) - 1 + self.read(zeros)


def _colours(bits: _Bits) -> tuple[int, int] | None:
    """Return the numbers of the primaries and the transfer function, or None if not stated.

    The layout of a sequence parameter set is in sections 7.3.2.1.1 and E.1.1 of H.264.
    """
    profile = bits.read(24) >> 16
    bits.golomb()
    if profile in _HIGH_PROFILES:
        _skip_format(bits)
    bits.golomb()
    _skip_order(bits)
    bits.golomb()
    bits.read(1)
    bits.golomb()
    bits.golomb()
    if not bits.read(1):
        bits.read(1)
    bits.read(1)
    if bits.read(1):  # cropping
        for _ in range(4):
            bits.golomb()
    if not bits.read(1):
        return None
    if bits.read(1) and bits.read(8) == _EXTENDED_SAR:
        bits.read(32)
    if bits.read(1):  # overscan
        bits.read(1)
    if not bits.read(1):
        return None
    bits.read(4)
    if not bits.read(1):
        return None
    return bits.read(8), bits.read(8)


def _skip_format(bits: _Bits) -> None:
    chroma = bits.golomb()
    if chroma == _4_4_4:
        bits.read(1)
    bits.golomb()
    bits.golomb()
    bits.read(1)
    if not bits.read(1):
        return
    for number in range(12 if chroma == _4_4_4 else 8):
        if bits.read(1):
            _skip_scaling(bits, 16 if number < 6 else 64)  # noqa: PLR2004 - six lists of 4 x 4


def _skip_scaling(bits: _Bits, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            code = bits.golomb()
            change = (code + 1) // 2 if code % 2 else -(code // 2)
            following = (last + change) % 256
        last = following or last


def _skip_order(bits: _Bits) -> None:
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.read(1)
        bits.golomb()
        bits.golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.golomb()
