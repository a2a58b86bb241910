"""Files of the database that are removed or replaced under the bot are noticed, and saved."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from storage.database import open_database
from storage.sqlite.database_files import DatabaseFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.database import Database

MARK = "INSERT INTO inbox (webhook_id, backend, remote_id, received_at) VALUES (:id, 'b', 'r', 1)"


async def mark(database: Database, name: str) -> None:
    await database.rows(MARK, {"id": name})


def marks(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        rows = connection.execute("SELECT webhook_id FROM inbox ORDER BY webhook_id").fetchall()
    return [name for (name,) in rows]


async def test_files_that_are_in_place_are_no_news(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_database(tmp_path) as database:
        files = DatabaseFiles(database, tmp_path)
        await mark(database, "a")
        await files.sweep()
        await database.clear_log()
        await files.sweep()
    assert not caplog.records


@pytest.mark.parametrize("replaced", [True, False])
async def test_a_wal_that_is_removed_or_replaced_is_noticed_and_its_content_saved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, replaced: bool
) -> None:
    async with open_database(tmp_path) as database:
        files, wal = DatabaseFiles(database, tmp_path), tmp_path / "clapper.db-wal"
        await mark(database, "a")
        wal.unlink()
        if replaced:
            wal.write_bytes(b"")
        for name in ("b", "c"):
            await mark(database, name)
            await files.sweep()
            assert marks(tmp_path / "clapper.db")[-1] == name
    assert caplog.text.count("database.wal_removed") == 2


def remove(path: Path) -> None:
    path.unlink()


def put_old_copy(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.replace(path)


def remove_all(path: Path) -> None:
    for name in ("clapper.db", "clapper.db-wal", "clapper.db-shm"):
        path.with_name(name).unlink()


@pytest.mark.parametrize("change", [remove, put_old_copy, remove_all])
async def test_a_database_that_is_removed_or_replaced_is_noticed_and_saved_elsewhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: Callable[[Path], None]
) -> None:
    async with open_database(tmp_path) as database:
        files = DatabaseFiles(database, tmp_path)
        await mark(database, "a")
        change(tmp_path / "clapper.db")
        for name in ("b", "c"):
            await mark(database, name)
            await files.sweep()
            assert marks(tmp_path / "clapper-rescued.db") == ["a", *"bc"][: "abc".index(name) + 1]
    assert caplog.text.count("database.replaced") == 2
    assert (tmp_path / "clapper-rescued.db").stat().st_mode & 0o777 == 0o600
