"""StatementGroups: combines statements that are waiting at the same time into one transaction.

Each commit waits for the disk. If statements share a commit, more of them can be run per second.
aiosqlite can't do that, because it commits each statement by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import aiosqlite

    from storage.database import Statement

Rows: TypeAlias = "list[sqlite3.Row]"
_Answer: TypeAlias = "list[Rows] | Exception"

# The maximum size of a group. A statement's result is returned only once the whole group is
# committed, so in larger groups the first statement would wait too long.
_MOST = 100
# SQLite refuses these statements inside a transaction.
_ALONE = ("PRAGMA", "VACUUM")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unit:
    """The statements of one caller. Either all of them are committed, or none."""

    statements: Sequence[Statement]
    future: asyncio.Future[list[Rows]]

    @property
    def runs_alone(self) -> bool:
        return self.statements[0][0].startswith(_ALONE)

    def give(self, answer: _Answer) -> None:
        if self.future.done():
            return
        if isinstance(answer, Exception):
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)


class StatementGroups:
    """Runs statements in order, and returns their results once they are committed.

    If a caller's statements fail, they change nothing. Those of other callers are still committed.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._waiting = deque[_Unit]()
        self._task: asyncio.Task[None] | None = None

    async def run(self, *statements: Statement) -> list[Rows]:
        """Run statements until one of them returns no row, and return the rows of each one.

        If the caller is cancelled meanwhile, the statements are run nevertheless.
        """
        future: asyncio.Future[list[Rows]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Unit(statements=statements, future=future))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="statements")
        return await future

    async def drain(self) -> None:
        """Wait until all statements have been run."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting:
            group = self._next_group()
            for unit, answer in zip(group, await self._answers(group), strict=True):
                unit.give(answer)
        self._task = None

    def _next_group(self) -> list[_Unit]:
        group = [self._waiting.popleft()]
        while self._waiting and len(group) < _MOST:
            if group[0].runs_alone or self._waiting[0].runs_alone:
                break
            group.append(self._waiting.popleft())
        return group

    async def _answers(self, group: Sequence[_Unit]) -> list[_Answer]:
        try:
            # aiosqlite has no public method that runs more than one statement in its thread.
            answers: list[_Answer] = await self._connection._execute(  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
                _run_group, self._connection, group
            )
        except Exception as error:  # noqa: BLE001 - each caller gets it, whatever it is
            return [error] * len(group)
        return answers


def _run_group(opened: aiosqlite.Connection, group: Sequence[_Unit]) -> list[_Answer]:
    """Run a group in one transaction.

    If the whole transaction fails, run each unit in a transaction of its own.
    """
    connection = opened._conn  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
    if connection.in_transaction:  # a rollback has failed
        connection.execute("ROLLBACK")
    if len(group) > 1 and (answers := _run_together(connection, group)) is not None:
        return answers
    return [_run_alone(connection, unit) for unit in group]


def _run_together(connection: sqlite3.Connection, group: Sequence[_Unit]) -> list[_Answer] | None:
    """Run a group in one transaction. Returns None if the whole transaction was rolled back."""
    connection.execute("BEGIN")
    answers: list[_Answer] = []
    for unit in group:
        answers.append(_run_unit(connection, unit))
        if not connection.in_transaction:
            return None  # some errors, such as a full disk, make SQLite undo the whole group
    return None if _commit(connection) else answers


def _run_alone(connection: sqlite3.Connection, unit: _Unit) -> _Answer:
    if len(unit.statements) == 1:
        return _run_unit(connection, unit)  # SQLite commits it by itself
    connection.execute("BEGIN")
    answer = _run_unit(connection, unit)
    if connection.in_transaction and (error := _commit(connection)) is not None:
        return error
    return answer


def _commit(connection: sqlite3.Connection) -> Exception | None:
    """Commit a transaction. If that fails, undo the transaction and return the error."""
    try:
        connection.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - the caller handles it, whatever it is
        if connection.in_transaction:  # a full disk makes SQLite roll back by itself
            connection.execute("ROLLBACK")
        return error
    return None


def _run_unit(connection: sqlite3.Connection, unit: _Unit) -> _Answer:
    # If a statement fails, SQLite undoes only that statement, not the earlier ones in its
    # transaction.
    if len(unit.statements) == 1:
        return _run_statements(connection, unit.statements)
    connection.execute("SAVEPOINT unit")
    answer = _run_statements(connection, unit.statements)
    if connection.in_transaction:
        if isinstance(answer, Exception):
            connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
    return answer


def _run_statements(connection: sqlite3.Connection, statements: Sequence[Statement]) -> _Answer:
    """Run statements until one returns no row."""
    answers: list[Rows] = []
    try:
        for sql, params in statements:
            answers.append(connection.execute(sql, params).fetchall())
            if not answers[-1]:
                break
    except Exception as error:  # noqa: BLE001 - also a value that SQLite can't store
        return error
    return answers
