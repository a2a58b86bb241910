"""Restarts failed components after a pause, while the process keeps running."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from bot.errors import StartupError
from storage.errors import StorageError
from storage.failing_parts import FailingPartStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.runtime.engine import Engine

log = logging.getLogger(__name__)

_MAX_PAUSE_SECONDS = 300.0
_LASTING_SECONDS = 600.0
_MAX_DOUBLINGS = 20
# The operator is notified after this many failures of a component in a row.
_TOLD_FAILURES = 3


class EndedError(Exception):
    """A component returned, although it should run as long as the process."""


class PartWatch:
    """Restarts failed components after increasing pauses, and records which ones keep failing.

    `first_pause`: the pause before the first restart, in seconds. It is doubled after each further
    failure.
    `lasting`: a component that runs for this many seconds counts as recovered.

    `count` is called with the name of each component that fails.
    """

    def __init__(
        self,
        store: FailingPartStore,
        *,
        first_pause: float,
        count: Callable[[str], None],
        clock: Callable[[], float],
        lasting: float = _LASTING_SECONDS,
    ) -> None:
        self._store = store
        self._first_pause = first_pause
        self._count = count
        self._clock = clock
        self._lasting = lasting
        self._failures = Counter[str]()
        self._is_stopping = False

    async def start(self) -> None:
        """Delete the failures that an earlier process recorded."""
        await self._store.mark_all_recovered()

    def stop(self) -> None:
        """Stop restarting components."""
        self._is_stopping = True

    async def keep_running(self, name: str, run: Callable[[], Awaitable[object]]) -> None:
        """Run a component until this task is cancelled, and restart it after errors.

        After a StartupError, the component is not restarted. The error is raised again.
        """
        while not self._is_stopping:
            lasting = asyncio.create_task(self._note_lasting(name), name=f"{name} lasts")
            try:
                await run()
                error: BaseException = EndedError(f"{name} has ended")
            except StartupError:
                raise
            except asyncio.CancelledError as cancelled:
                if _is_cancelled():
                    raise
                error = cancelled  # a cancelled task that the component awaited
            except Exception as failure:  # noqa: BLE001 - a bug in one component must not end the others
                error = failure
            finally:
                lasting.cancel()
            if self._is_stopping:
                return
            log.error("part.failed name=%r", name, exc_info=error)
            await self.record_failure(name, error)
            pause = self._pause(name)
            log.warning("part.restarts name=%r again_in=%.1f", name, pause)
            await asyncio.sleep(pause)

    async def record_failure(self, name: str, error: BaseException) -> None:
        """Count a component's failure.

        Store it if the component has failed several times in a row.
        """
        self._count(name)
        self._failures[name] += 1
        if self._failures[name] < _TOLD_FAILURES:
            return
        try:
            await self._store.record(
                name,
                error=type(error).__name__,
                failures=self._failures[name],
                now=self._clock(),
            )
        except StorageError:
            log.exception("part.not_stored name=%r", name)

    async def record_recovery(self, name: str) -> None:
        """Delete the recorded failures of a component that has been running for a while."""
        if not self._failures.pop(name, 0):
            return
        try:
            await self._store.mark_recovered(name)
        except StorageError:
            log.exception("part.not_stored name=%r", name)

    async def _note_lasting(self, name: str) -> None:
        await asyncio.sleep(self._lasting)
        await self.record_recovery(name)

    def _pause(self, name: str) -> float:
        growth = 2.0 ** min(self._failures[name] - 1, _MAX_DOUBLINGS)
        return min(self._first_pause * growth, _MAX_PAUSE_SECONDS)


def make_part_watch(engine: Engine) -> PartWatch:
    """Return a watch that records failures in the engine's database."""
    return PartWatch(
        FailingPartStore(engine.resources.database),
        first_pause=engine.timing.restart_pause,
        count=engine.metrics.count_part_failure,
        clock=engine.resources.clock,
    )


def _is_cancelled() -> bool:
    """Tell whether the current task itself is being cancelled, rather than a task it awaits."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
