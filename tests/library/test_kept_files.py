"""The table of kept files: written before a file, and mended by the store's list."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.library.recorded_store import RecordedStore
from bot.media.files.stores.base import KeptFile, keys_of, video_key
from bot.media.files.stores.folder import FolderStore
from storage.database import open_database
from storage.files.kept_files import KeptFileTable
from tests.support.fakes.remote_store import RemoteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

JOB = "0123456789abcdef" * 2
KEY = video_key(JOB)
HOUR = 60 * 60.0
NOW = 10 * HOUR


class Away(FolderStore):
    """A store that can't be reached."""

    async def put(self, key: str, path: Path) -> None:
        raise OSError(f"away, so {path.name} is not {key}")

    async def delete(self, keys: Collection[str]) -> None:
        raise OSError(f"away, with {len(keys)} files")


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[KeptFileTable]:
    async with open_database(tmp_path) as database:
        yield KeptFileTable(database)


def store(table: KeptFileTable, folder: FolderStore) -> RecordedStore:
    return RecordedStore(folder, table, clock=lambda: NOW)


def recorded(key: str = KEY, *, size: int = 5, at: float = NOW) -> KeptFile:
    return KeptFile(key=key, size=size, modified_at=at)


async def test_a_file_is_counted_from_before_it_is_stored_until_after_it_is_deleted(
    table: KeptFileTable, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    new.write_bytes(b"video")
    with pytest.raises(OSError, match="away"):
        await store(table, Away(tmp_path)).put(KEY, new)
    assert await table.all() == (recorded(),)

    await store(table, FolderStore(tmp_path)).put(KEY, new)
    assert (tmp_path / KEY).read_bytes() == b"video"
    with pytest.raises(OSError, match="away"):
        await store(table, Away(tmp_path)).delete(keys_of(JOB))
    assert await table.all() == (recorded(),)

    await store(table, FolderStore(tmp_path)).delete(keys_of(JOB))
    assert await table.all() == ()
    assert not (tmp_path / KEY).exists()


@pytest.mark.usefixtures("_on_each_database")
async def test_of_processes_that_keep_a_file_once_at_the_same_time_one_keeps_it(
    tmp_path: Path,
) -> None:
    bucket = RemoteStore()
    names = [tmp_path / f"mark {number}" for number in range(8)]
    for name in names:
        name.touch()
    async with open_database(tmp_path) as database:
        table = KeptFileTable(database)
        processes = [RecordedStore(bucket, table, clock=lambda: NOW) for _ in names]
        kept = await asyncio.gather(
            *(each.put_once(KEY, name) for each, name in zip(processes, names, strict=True))
        )
        assert kept.count(True) == 1
        assert await table.all() == (recorded(size=0),)
        assert list(bucket.files) == [KEY]


async def test_a_file_that_could_not_be_kept_once_may_be_kept_again(
    table: KeptFileTable, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    new.write_bytes(b"video")
    with pytest.raises(OSError, match="away"):
        await store(table, Away(tmp_path)).put_once(KEY, new)
    assert await store(table, FolderStore(tmp_path)).put_once(KEY, new)
    assert (tmp_path / KEY).read_bytes() == b"video"


@pytest.mark.parametrize(
    ("known", "listed", "mended"),
    [
        pytest.param([], [recorded(at=1.0)], [recorded(at=1.0)], id="without a record"),
        pytest.param([recorded(at=HOUR)], [], [], id="without a file"),
        pytest.param([recorded()], [], [recorded()], id="under way"),
        pytest.param(
            [recorded(at=HOUR)], [recorded(size=7)], [recorded(size=7)], id="of another size"
        ),
        pytest.param([recorded()], [recorded(size=7)], [recorded()], id="being replaced"),
        pytest.param([recorded(at=HOUR)], [recorded()], [recorded(at=HOUR)], id="as it is"),
    ],
)
async def test_a_list_of_the_store_mends_a_record(
    table: KeptFileTable, known: list[KeptFile], listed: list[KeptFile], mended: list[KeptFile]
) -> None:
    for file in known:
        await table.record(file)
    assert list(await table.mend(listed, now=NOW)) == mended
    assert list(await table.all()) == mended
