"""Tests the errors that the database raises to the other rooms."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from storage.errors import NotUniqueError, StorageError
from storage.snapshot import list_jobs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.bench import Bench

WEBHOOK = (
    "INSERT INTO inbox (backend, webhook_id, remote_id, received_at) VALUES ('b', 'w', 'r', 1)"
)
NO_ROOM = """
CREATE TRIGGER no_room BEFORE INSERT ON inbox BEGIN SELECT raise(ABORT, 'no room'); END
"""


async def test_a_write_that_the_disk_refuses_is_a_failure_of_storage(bench: Bench) -> None:
    async with bench.unwritable():
        with pytest.raises(StorageError, match="readonly") as refused:
            await bench.database.rows(WEBHOOK, {})
    assert not isinstance(refused.value, NotUniqueError)


async def test_a_row_that_exists_already_is_told_apart_from_a_failure(bench: Bench) -> None:
    await bench.database.rows(WEBHOOK, {})
    with pytest.raises(NotUniqueError, match=r"inbox\.webhook_id"):
        await bench.database.rows(WEBHOOK, {})


async def test_an_index_that_allows_a_value_once_is_told_apart_too(bench: Bench) -> None:
    first, second = await bench.submit(), await bench.submit()
    with pytest.raises(NotUniqueError, match=r"jobs\.interaction_id"):
        await bench.database.row(
            "UPDATE jobs SET interaction_id = (SELECT interaction_id FROM jobs WHERE id = :first)"
            " WHERE id = :second",
            {"first": first.id, "second": second.id},
        )


@pytest.mark.parametrize(
    "value", ["NULL, 'w', 'r', 1", "'b', 'w', 'r', 'no time'"], ids=["not null", "type"]
)
async def test_other_conditions_of_a_table_are_no_answers(bench: Bench, value: str) -> None:
    with pytest.raises(StorageError) as refused:
        await bench.database.rows(f"INSERT INTO inbox VALUES ({value})", {})  # noqa: S608 - ours
    assert not isinstance(refused.value, NotUniqueError)


async def test_what_a_trigger_refuses_is_no_answer(bench: Bench) -> None:
    await bench.database.rows(NO_ROOM, {})
    with pytest.raises(StorageError, match="no room") as refused:
        await bench.database.rows(WEBHOOK, {})
    assert not isinstance(refused.value, NotUniqueError)


def test_a_file_that_cannot_be_read_beside_the_bot_is_a_failure_of_storage(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "clapper.db")) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(StorageError, match="jobs"):
        list_jobs(tmp_path, ended=1)
