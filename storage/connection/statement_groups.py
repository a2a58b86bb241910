"""StatementGroups: runs the statements that are waiting at the same time in one transaction.

A commit waits for the disk, so more statements per second are possible if they share one. aiosqlite
commits each statement by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    import aiosqlite

Answer: TypeAlias = "list[sqlite3.Row] | Exception"

# Bounds the time for which the first statement of a group waits for the last.
_MOST = 100
# SQLite refuses these within a transaction.
_ALONE = ("PRAGMA", "VACUUM")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Statement:
    sql: str
    params: Mapping[str, Any]
    future: asyncio.Future[list[sqlite3.Row]]

    @property
    def runs_alone(self) -> bool:
        return self.sql.startswith(_ALONE)

    def give(self, answer: Answer) -> None:
        """Give the caller its result, unless the caller was cancelled."""
        if self.future.done():
            return
        if isinstance(answer, Exception):
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)


class StatementGroups:
    """Runs statements in order, and returns the result of each after its commit.

    A statement that fails changes nothing, and the others of its group are still committed.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._waiting = deque[_Statement]()
        self._task: asyncio.Task[None] | None = None

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[sqlite3.Row]:
        """Run one statement, even if the caller is cancelled meanwhile, and return all its rows."""
        future: asyncio.Future[list[sqlite3.Row]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Statement(sql=sql, params=params, future=future))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="statements")
        return await future

    async def drain(self) -> None:
        """Wait until no statement is waiting any more."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting:
            group = self._next_group()
            for statement, answer in zip(group, await self._answers(group), strict=True):
                statement.give(answer)
        self._task = None

    def _next_group(self) -> list[_Statement]:
        group = [self._waiting.popleft()]
        while self._waiting and len(group) < _MOST:
            if group[0].runs_alone or self._waiting[0].runs_alone:
                break
            group.append(self._waiting.popleft())
        return group

    async def _answers(self, group: Sequence[_Statement]) -> list[Answer]:
        try:
            # aiosqlite has no public method that runs more than one statement in its thread.
            answers: list[Answer] = await self._connection._execute(  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
                _run_group, self._connection, group
            )
        except Exception as error:  # noqa: BLE001 - any; each caller gets it
            return [error] * len(group)
        return answers


def _run_group(opened: aiosqlite.Connection, group: Sequence[_Statement]) -> list[Answer]:
    """Run a group in one transaction or, if that fails as a whole, each statement in its own."""
    connection = opened._conn  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
    if connection.in_transaction:  # a rollback has failed
        connection.execute("ROLLBACK")
    if len(group) > 1 and (answers := _run_together(connection, group)) is not None:
        return answers
    return [_run_one(connection, statement) for statement in group]


def _run_together(
    connection: sqlite3.Connection, group: Sequence[_Statement]
) -> list[Answer] | None:
    """Run a group in one transaction, or return None if none of it is committed."""
    connection.execute("BEGIN")
    answers: list[Answer] = []
    for statement in group:
        answers.append(_run_one(connection, statement))
        if not connection.in_transaction:
            return None  # some errors, such as a full disk, make SQLite undo the whole group
    if isinstance(_execute(connection, "COMMIT", {}), Exception):
        if connection.in_transaction:  # a commit for which the disk is full is undone already
            connection.execute("ROLLBACK")
        return None
    return answers


def _run_one(connection: sqlite3.Connection, statement: _Statement) -> Answer:
    return _execute(connection, statement.sql, statement.params)


def _execute(connection: sqlite3.Connection, sql: str, params: Mapping[str, Any]) -> Answer:
    # SQLite undoes a statement that fails, and keeps the earlier ones of its transaction.
    try:
        return connection.execute(sql, params).fetchall()
    except Exception as error:  # noqa: BLE001 - also a value that SQLite can't store
        return error
