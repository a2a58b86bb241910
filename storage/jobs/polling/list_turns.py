"""The table that lets one of several processes read the provider's list of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.database import Database

#: A process that reads no page for this many seconds loses its turn to another.
TURN_SECONDS = 15.0

_TAKE = """
INSERT INTO list_turns (backend, worker, held_until) VALUES (:backend, :worker, :held_until)
ON CONFLICT (backend) DO UPDATE SET worker = :worker, held_until = :held_until
WHERE list_turns.worker = :worker OR list_turns.held_until <= :now
RETURNING worker
"""


class ListTurns:
    """Gives the turn to one process. `clock`: the clock that all processes share."""

    def __init__(
        self, database: Database, *, backend: str, worker: str, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._backend = backend
        self._worker = worker
        self._clock = clock

    async def take(self) -> bool:
        """Take the turn, or keep it. Returns False if another process has it."""
        now = self._clock()
        params = {
            "backend": self._backend,
            "worker": self._worker,
            "held_until": now + TURN_SECONDS,
            "now": now,
        }
        return await self._database.row(_TAKE, params) is not None
