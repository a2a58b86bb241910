"""Finds the first MPEG audio frame in a file that begins with something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FRAMES = 3  # so many frames in a row can't be a coincidence
_SYNC = re.compile(rb"\xff[\xe2-\xff]|\x56[\xe0-\xff]")
# The bit rates in kbit/s. A key is a pair of a flag and the layer. The flag is True for MPEG-1 and
# False for MPEG-2.
_RATES = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44_100, 48_000, 32_000)
_MPEG_1, _RESERVED, _LAYER_I = 3, 1, 1
_ADTS_HEADER = 7


def demuxer_of_frames(data: bytes) -> str | None:
    """Return the demuxer of the first MPEG audio in `data`, or None if there is none."""
    for found in _SYNC.finditer(data):
        for demuxer, length in _LENGTHS.items():
            if _is_followed(data, found.start(), length):
                return demuxer
    return None


def adts_parameters(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the length and the parameters of the ADTS frame at the offset `at`, or None.

    The parameters are the bits of the profile, the sampling rate and the channels.
    """
    length = _adts_length(data, at)
    if not length:
        return None
    return length, data[at + 2] << 8 & 0xFD00 | data[at + 3] & 0xC0


def _is_followed(data: bytes, at: int, length_of: Callable[[bytes, int], int]) -> bool:
    for _ in range(_FRAMES):
        length = length_of(data, at)
        if not length:
            return False
        at += length
    return True


def _mp3_length(data: bytes, at: int) -> int:
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:  # noqa: PLR2004
        return 0
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    rate, sampling = data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == _RESERVED or layer > 3 or rate in {0, 15} or sampling == 3:  # noqa: PLR2004
        return 0
    is_first = version == _MPEG_1
    bits = _RATES[is_first, layer][rate - 1] * 1000
    hertz = _SAMPLE_RATES[sampling] >> (0 if is_first else 1 if version else 2)
    padding = data[at + 2] >> 1 & 1
    if layer == _LAYER_I:
        return (12 * bits // hertz + padding) * 4
    halved = layer == 3 and not is_first  # noqa: PLR2004
    return (72 if halved else 144) * bits // hertz + padding


def _adts_length(data: bytes, at: int) -> int:
    header = data[at : at + _ADTS_HEADER]
    if len(header) < _ADTS_HEADER or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:  # noqa: PLR2004
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > _ADTS_HEADER and header[2] >> 2 & 15 < 13 else 0  # noqa: PLR2004


def _loas_length(data: bytes, at: int) -> int:
    header = data[at : at + 3]
    if len(header) < 3 or header[0] != 0x56 or header[1] & 0xE0 != 0xE0:  # noqa: PLR2004
        return 0
    return 3 + ((header[1] & 0x1F) << 8 | header[2])


_LENGTHS = {"mp3": _mp3_length, "aac": _adts_length, "loas": _loas_length}
