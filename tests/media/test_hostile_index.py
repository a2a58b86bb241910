"""Indexes that lie: they are refused, or read in a bounded time, and never crash the reader."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.mp4.boxes import Boxes
from bot.media.mp4.reader import read_mp4, read_sound_number
from bot.media.mp4.sample_table import Chunk, SampleTable, read_sample_table, sync_offsets
from tests.support.media.forge import changed, clapper
from tests.support.media.mp4_forge import Node, edited, parse, table, traks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TABLE = (b"mdia", b"minf", b"stbl")
_MIB = 1024**2


def forged(edit: Callable[[Node], None], path: Path) -> Path:
    changed(clapper(), lambda data: edited(data, edit))(path)
    return path


def test_fewer_sizes_than_samples_are_refused(tmp_path: Path) -> None:
    def edit(moov: Node) -> None:
        tables = traks(moov, b"vide")[0].at(*_TABLE)
        tables.at(b"stsz").payload = tables.at(b"stsz").payload[: 12 + 4 * 5]
        tables.at(b"stsc").payload = table(">III", [(1, 75, 1)])

    with pytest.raises(MediaError, match="damaged"):
        read_mp4(forged(edit, tmp_path / "clip.mp4"))


@pytest.mark.parametrize("missing", [b"stco", b"stsc", b"stsz"])
def test_a_table_that_lacks_a_part_is_not_checked(missing: bytes) -> None:
    tables = {
        b"stsz": struct.pack(">III", 0, 0, 9),  # it lacks the sizes
        b"stco": struct.pack(">III", 0, 1, 0),
        b"stsc": struct.pack(">IIIII", 0, 1, 1, 9, 1),
    }
    content = b"".join(
        struct.pack(">I4s", 8 + len(payload), kind) + payload
        for kind, payload in tables.items()
        if kind != missing
    )
    for kind in (*reversed(_TABLE), b"trak"):
        content = struct.pack(">I4s", 8 + len(content), kind) + content
    boxes = Boxes(io.BytesIO(content), len(content))
    (trak,) = boxes.inside(boxes.whole)
    assert read_sample_table(boxes, trak).chunks == ()


def test_an_empty_keyframe_before_the_file_is_refused(tmp_path: Path) -> None:
    def change(data: bytes) -> bytes:
        content = bytearray(data)
        at = data.index(b"tfhd") + 4
        struct.pack_into(">II", content, at + 12, 0, 0x02000000)  # no size; decoding can start
        at = data.index(b"trun") + 4
        struct.pack_into(">IIi", content, at, 0x01, 1, -(2**31))  # one sample at this offset
        return bytes(content)

    clip = tmp_path / "clip.mp4"
    changed(clapper("-movflags", "empty_moov+frag_keyframe+default_base_moof"), change)(clip)
    with pytest.raises(MediaError, match="cut off"):
        read_mp4(clip)


@pytest.mark.parametrize("syncs", [(2**40 - 1,), (0, 2**40 - 1, 2**40)])
def test_the_samples_of_a_long_chunk_are_not_counted_one_by_one(syncs: tuple[int, ...]) -> None:
    chunk = Chunk(first=0, samples=2**40, offset=100, size=2**41, description=1)
    table = SampleTable(chunks=(chunk,), bytes_before=range(0, 2**41 + 2, 2), syncs=syncs)
    found = [*sync_offsets(table, 10)]
    assert found == [100 + 2 * number for number in syncs if number < 2**40]


def picture_number(path: Path) -> int:
    return read_mp4(path).video_number


@pytest.mark.parametrize(
    ("handler", "chosen_in"), [(b"vide", picture_number), (b"soun", read_sound_number)]
)
def test_of_very_many_tracks_only_the_first_are_looked_at(
    handler: bytes, chosen_in: Callable[[Path], int], tmp_path: Path
) -> None:
    def edit(moov: Node) -> None:
        copies = [parse(traks(moov, handler)[0].dump())[0] for _ in range(20)]
        # The longest track would be chosen.
        copies[-1].at(*_TABLE, b"stts").payload = table(">II", [(299_999, 1)])
        moov.inner = [*(moov.inner or []), *copies]

    assert chosen_in(forged(edit, tmp_path / "clip.mp4")) == 0


def test_an_index_of_endless_tables_is_refused() -> None:
    boxes = Boxes(io.BytesIO(bytes(_MIB)), _MIB)
    for _ in range(64):
        boxes.at(0, _MIB)
    with pytest.raises(MediaError, match="too large"):
        boxes.at(0, 1)
