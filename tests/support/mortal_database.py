"""A database whose process is killed at a chosen statement."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from storage.database import Row, Statement


class Killed(BaseException):
    """Simulates that the process is killed."""


class MortalDatabase(Database):
    """A database whose process is killed just before or after its n-th transaction."""

    def __init__(self, database: Database, *, kill_at: int, after: bool) -> None:
        self._database = database
        self._left = kill_at
        self._after = after

    async def sequence(self, *statements: Statement) -> Sequence[Sequence[Row]]:
        with self._mortally():
            return await self._database.sequence(*statements)

    async def rows(self, sql: str, params: Mapping[str, Any]) -> Sequence[Row]:
        with self._mortally():
            return await self._database.rows(sql, params)

    async def counting_row(self, sql: str, params: Mapping[str, Any]) -> Row | None:
        with self._mortally():
            return await self._database.counting_row(sql, params)

    def wall(self) -> float:
        return self._database.wall()

    async def drain(self) -> None:
        await self._database.drain()

    async def clear_log(self) -> None:
        await self._database.clear_log()

    @contextmanager
    def _mortally(self) -> Generator[None]:
        self._left -= 1
        is_killed = self._left <= 0
        if self._left < 0 or (is_killed and not self._after):
            raise Killed
        yield
        if is_killed:
            raise Killed
