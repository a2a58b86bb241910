from __future__ import annotations

import asyncio
import resource
import sqlite3
from contextlib import asynccontextmanager, closing, contextmanager
from typing import TYPE_CHECKING

import aiosqlite
import pytest

from storage.database import open_database
from storage.sqlite.statement_groups import StatementGroups

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

INSERT = "INSERT INTO notes VALUES (:id, :text) RETURNING id"
# A foreign key that is checked only by the commit, which then fails.
DEFERRED = """
PRAGMA foreign_keys = ON;
CREATE TABLE replies (note INTEGER REFERENCES notes DEFERRABLE INITIALLY DEFERRED);
"""
COUNT = "SELECT count(*) FROM notes"


def committed(file: Path) -> list[int]:
    """Return the ids that another connection sees."""
    with closing(sqlite3.connect(file)) as reader:
        return [row[0] for row in reader.execute("SELECT id FROM notes ORDER BY id")]


class Notes:
    """A table of notes, with a record of the statements that SQLite ran."""

    def __init__(self, file: Path, connection: aiosqlite.Connection) -> None:
        self.file = file
        self.connection = connection
        self.groups = StatementGroups(connection)
        self.ran: list[str] = []

    async def add(self, number: int, text: object = "") -> list[int]:
        """Add a note, and return the ids that were committed when the answer came."""
        await self.groups.run((INSERT, {"id": number, "text": text}))
        return committed(self.file)

    @property
    def transactions(self) -> int:
        return self.ran.count("BEGIN")


@contextmanager
def limited_files(size: int) -> Generator[None]:
    """Let no file of this process grow beyond this many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@asynccontextmanager
async def open_notes(folder: Path) -> AsyncGenerator[Notes]:
    file = folder / "notes.db"
    async with aiosqlite.connect(file, isolation_level=None) as connection:
        await connection.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE notes (id INTEGER PRIMARY KEY, text);"
        )
        notes = Notes(file, connection)
        await connection.set_trace_callback(notes.ran.append)
        yield notes


async def test_statements_that_wait_together_share_one_commit(tmp_path: Path) -> None:
    async with open_notes(tmp_path) as notes:
        await asyncio.gather(*(notes.add(number) for number in range(50)))
        assert committed(notes.file) == list(range(50))
    assert notes.transactions == 1


async def test_a_statement_is_answered_only_after_its_commit(tmp_path: Path) -> None:
    async with open_notes(tmp_path) as notes:
        seen = await asyncio.gather(*(notes.add(number) for number in range(20)))
    assert all(number in ids for number, ids in enumerate(seen))


async def test_a_statement_that_waits_alone_needs_no_transaction(tmp_path: Path) -> None:
    async with open_notes(tmp_path) as notes:
        assert await notes.add(1) == [1]
    assert notes.transactions == 0


@pytest.mark.parametrize(
    ("wrong", "error"),
    [(1, sqlite3.IntegrityError), (2**80, OverflowError), ("a", sqlite3.IntegrityError)],
    ids=["its id is taken", "its id is too large", "its id is no number"],
)
async def test_a_failing_statement_leaves_the_others_of_its_group_unaffected(
    tmp_path: Path, wrong: object, error: type[Exception]
) -> None:
    async with open_notes(tmp_path) as notes:
        await notes.add(1)
        answers = await asyncio.gather(
            notes.add(2),
            notes.groups.run((INSERT, {"id": wrong, "text": ""})),
            notes.add(3),
            return_exceptions=True,
        )
        assert isinstance(answers[1], error)
        assert committed(notes.file) == [1, 2, 3]


async def test_a_statement_for_which_the_disk_is_full_fails_alone(tmp_path: Path) -> None:
    async with open_notes(tmp_path) as notes:
        [[[pages]]] = await notes.groups.run(("PRAGMA page_count", {}))
        await notes.groups.run((f"PRAGMA max_page_count = {pages + 10}", {}))
        answers = await asyncio.gather(
            notes.add(1), notes.add(2, "x" * 1_000_000), notes.add(3), return_exceptions=True
        )
        assert isinstance(answers[1], sqlite3.Error)
        assert committed(notes.file) == [1, 3]


async def test_a_group_that_cannot_be_committed_is_run_statement_by_statement(
    tmp_path: Path,
) -> None:
    async with open_notes(tmp_path) as notes:
        await notes.connection.executescript(DEFERRED)
        # Checked only by the commit, which then fails for the whole group.
        answers = await asyncio.gather(
            notes.add(1),
            notes.groups.run(("INSERT INTO replies VALUES (99)", {})),
            notes.add(2),
            return_exceptions=True,
        )
        assert isinstance(answers[1], sqlite3.IntegrityError)
        assert committed(notes.file) == [1, 2]


async def test_a_commit_for_which_the_disk_is_full_fails_only_the_statement_that_is_too_large(
    tmp_path: Path,
) -> None:
    async with open_notes(tmp_path) as notes:
        written = notes.file.with_name("notes.db-wal").stat().st_size
        # The pages are written by the commit, and SQLite then undoes the group by itself.
        with limited_files(written + 40_000):
            answers = await asyncio.gather(
                notes.add(1), notes.add(2, "x" * 100_000), notes.add(3), return_exceptions=True
            )
        assert isinstance(answers[1], sqlite3.Error)
        assert "rollback" not in str(answers[1])
        assert committed(notes.file) == [1, 3]


async def test_the_log_is_truncated_among_other_statements(tmp_path: Path) -> None:
    async with open_notes(tmp_path) as notes:
        _, [[checkpoint]], _ = await asyncio.gather(
            notes.add(1), notes.groups.run(("PRAGMA wal_checkpoint(TRUNCATE)", {})), notes.add(2)
        )
        assert checkpoint[0] == 0  # not busy
        assert committed(notes.file) == [1, 2]


async def test_a_statement_whose_caller_is_cancelled_is_run_all_the_same(tmp_path: Path) -> None:
    async with open_database(tmp_path) as database:
        adding = asyncio.create_task(
            database.rows("INSERT INTO inbox VALUES ('b', 'w', 'r', 1)", {}), name="adding"
        )
        await asyncio.sleep(0)
        adding.cancel()
    async with open_database(tmp_path) as database:
        assert len(await database.rows("SELECT * FROM inbox", {})) == 1


async def test_statements_after_the_end_are_refused(tmp_path: Path) -> None:
    async with open_notes(tmp_path) as notes:
        pass
    with pytest.raises(ValueError, match="closed"):
        await notes.groups.run((COUNT, {}))


async def test_statements_of_one_caller_run_until_one_returns_no_row(tmp_path: Path) -> None:
    async with open_notes(tmp_path) as notes:
        await notes.add(1)
        unit = (
            (INSERT, {"id": 2, "text": ""}),
            ("UPDATE notes SET text = 'x' WHERE id = 99 RETURNING id", {}),
            (INSERT, {"id": 3, "text": ""}),
        )
        assert [len(rows) for rows in await notes.groups.run(*unit)] == [1, 0]
        assert committed(notes.file) == [1, 2]


@pytest.mark.parametrize("others", [0, 2])
async def test_of_the_statements_of_one_caller_all_are_committed_or_none(
    tmp_path: Path, others: int
) -> None:
    async with open_notes(tmp_path) as notes:
        await notes.add(1)
        answers = await asyncio.gather(
            notes.groups.run((INSERT, {"id": 2, "text": ""}), (INSERT, {"id": 1, "text": ""})),
            *(notes.add(10 + number) for number in range(others)),
            return_exceptions=True,
        )
        assert isinstance(answers[0], sqlite3.IntegrityError)
        assert committed(notes.file) == [1, *range(10, 10 + others)]


async def test_statements_of_one_caller_that_cannot_be_committed_change_nothing(
    tmp_path: Path,
) -> None:
    async with open_notes(tmp_path) as notes:
        await notes.connection.executescript(DEFERRED)
        with pytest.raises(sqlite3.IntegrityError):
            await notes.groups.run(
                (INSERT, {"id": 1, "text": ""}), ("INSERT INTO replies VALUES (99)", {})
            )
        assert await notes.add(2) == [2]
