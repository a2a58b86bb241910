"""Heartbeat: tells the other workers that this process is alive, and whether it may claim jobs."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.jobs.leases.shared_settings import differing
from storage.errors import StorageError
from storage.workers.leases import LEASE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from storage.workers.table import Reference, WorkerState, WorkerTable

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# The steps are cancelled before the other workers take the jobs over.
LATE_SECONDS = LEASE_SECONDS - 3.0
_RETRY_SECONDS = 1.0


class Heartbeat:
    """Stores every five seconds that this process is alive.

    If that fails for too long, the other workers take its jobs over, so its steps are cancelled.
    No jobs are claimed while the process is late, or while its settings differ from the desk's.
    """

    def __init__(
        self,
        table: WorkerTable,
        worker: WorkerState,
        *,
        steady: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._table = table
        self._worker = worker
        self._steady = steady
        self._sleep = sleep
        self._seen_at: float | None = None
        self._differing: tuple[str, ...] = ()
        self._is_outdated = False
        self._on_late = list["Callable[[], None]"]()
        self._on_outdated = list["Callable[[], None]"]()

    @property
    def worker_id(self) -> str:
        """The id under which this process claims jobs."""
        return self._worker.id

    def on_late(self, cancel_steps: Callable[[], None]) -> None:
        """Call a function when the other workers may take over the jobs of this process."""
        self._on_late.append(cancel_steps)

    def on_outdated(self, stop: Callable[[], None]) -> None:
        """Call a function when another process knows a newer schema, so that this one must stop."""
        self._on_outdated.append(stop)

    def may_claim(self) -> bool:
        """Tell whether this process may claim jobs now."""
        return self.is_alive() and not self._differing

    def is_alive(self) -> bool:
        """Tell whether this process keeps its jobs. If not, other workers may take them over."""
        return not self._is_late and not self._is_outdated

    async def take_over(self, *, now: float) -> None:
        """Become the desk in place of earlier ones, whose jobs this process may claim at once."""
        self.become_desk(now=now)
        await self._table.take_over(self._worker.id)
        await self.beat()

    def become_desk(self, *, now: float) -> None:
        """Make this process's settings the reference for the others, from the next beat on."""
        self._worker = replace(self._worker, desk_since=now)

    async def beat(self) -> None:
        """Store once that this process is alive, and compare its settings with the desk's."""
        began = self._steady()
        reference = await self._table.beat(self._worker)
        self._seen_at = began
        self._compare(reference)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self._sleep(await self._beat_in_time())

    async def leave(self) -> None:
        """Let the other workers claim this process's jobs at once, because it is stopping."""
        try:
            await self._table.leave(self._worker.id)
        except StorageError as error:  # the others take the jobs over later
            log.info("worker.not_left error=%r", str(error))

    @property
    def _is_late(self) -> bool:
        return self._seen_at is None or self._steady() - self._seen_at > LATE_SECONDS

    async def _beat_in_time(self) -> float:
        """Beat, and return the pause until the next attempt.

        Cancels the steps if this process is late.
        """
        self._cancel_if_late()
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await self.beat()
        except (StorageError, TimeoutError) as error:
            log.warning("worker.beat_failed error=%r", str(error))
            self._cancel_if_late()
            return _RETRY_SECONDS
        return BEAT_SECONDS

    def _cancel_if_late(self) -> None:
        if self._seen_at is not None and self._is_late:
            log.warning("worker.late seconds=%d", self._steady() - self._seen_at)
            self._seen_at = None
            for cancel_steps in self._on_late:
                cancel_steps()

    def _compare(self, reference: Reference) -> None:
        if reference.schema > self._worker.schema and not self._is_outdated:
            self._is_outdated = True
            log.error("worker.outdated schema=%d newest=%d", self._worker.schema, reference.schema)
            for stop in self._on_outdated:
                stop()
        differing_now = differing(self._worker.digest, reference.digest)
        if differing_now != self._differing:
            if differing_now:
                log.warning("worker.differs settings=%s", ",".join(differing_now))
            else:
                log.info("worker.agrees")
        self._differing = differing_now
