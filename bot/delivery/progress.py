"""Live progress: keeps open cards current, at the pace that Discord bears."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import DeliveryError
from bot.model import CANCELLABLE, JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.delivery.deliver import DiscordDeliverer
    from bot.model import Job, JobChanged

log = logging.getLogger(__name__)

_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds between two edits of one card: for a new state, and for a mere percentage."""

    state: float = 1.0
    first_minute: float = 5.0
    first_hour: float = 15.0
    later: float = 60.0

    def between(self, age: float) -> float:
        """Seconds between two percentages on the card of a job of this age."""
        if age < 60:  # noqa: PLR2004 - a minute
            return self.first_minute
        return self.first_hour if age < 3600 else self.later  # noqa: PLR2004 - an hour


@dataclass(kw_only=True, slots=True)
class _Shown:
    at: float
    job: Job
    gone: bool = False


class ProgressCards:
    """Remembers the latest of each open job, and edits; what was overtaken is never sent."""

    def __init__(
        self, deliverer: DiscordDeliverer, pace: Pace, *, clock: Callable[[], float]
    ) -> None:
        self._deliverer = deliverer
        self._pace = pace
        self._clock = clock
        self._latest: dict[str, Job] = {}
        self._shown: dict[str, _Shown] = {}
        self._editing: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()

    def note(self, event: JobChanged) -> None:
        """Take note of an event of the bus."""
        job = event.job
        if job.state not in CANCELLABLE:
            # From `delivering` on, and at every end, a step of its own writes the card.
            self._latest.pop(job.id, None)
            self._shown.pop(job.id, None)
            return
        if event.previous is None:
            # The command itself posts this one.
            self._shown[job.id] = _Shown(at=self._clock(), job=job)
        self._latest[job.id] = job
        self._changed.set()

    async def run(self) -> None:
        """Edit what is due, until cancelled."""
        try:
            while True:
                self._changed.clear()
                wait = self._start_due()
                try:
                    async with asyncio.timeout(wait):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            tasks = list(self._editing.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _start_due(self) -> float | None:
        wait: float | None = None
        for job in tuple(self._latest.values()):
            if job.id in self._editing or job.origin.message_id is None:
                continue
            due_in = self._due_in(job)
            if due_in is None:
                del self._latest[job.id]
            elif due_in > 0:
                wait = due_in if wait is None else min(wait, due_in)
            elif len(self._editing) < _AT_ONCE:
                task = asyncio.create_task(self._edit(job.id), name=f"card:{job.id}")
                self._editing[job.id] = task
                task.add_done_callback(lambda _, job_id=job.id: self._done(job_id))
        return wait

    def _due_in(self, job: Job) -> float | None:
        shown = self._shown.get(job.id)
        if shown is None:
            return 0
        if shown.gone or _reads(shown.job) == _reads(job):
            return None
        now = self._clock()
        same_state = shown.job.state is job.state
        gap = self._pace.between(now - job.created_at) if same_state else self._pace.state
        return shown.at + gap - now

    def _done(self, job_id: str) -> None:
        del self._editing[job_id]
        self._changed.set()

    async def _edit(self, job_id: str) -> None:
        try:
            async with self._deliverer.turn(job_id):
                job = self._latest.pop(job_id, None)
                # While this waited for its turn, a step may have written the card for good.
                if job is None:
                    return
                shown = _Shown(at=self._clock(), job=job)
                self._shown[job_id] = shown
                shown.gone = not await self._deliverer.refresh(job)
        except DeliveryError as error:
            log.info("card.not_refreshed id=%s reason=%r", job_id, str(error))
        except Exception:  # the edge of this task: a progress bar is not worth a job
            log.exception("card.refresh_failed id=%s", job_id)


def _reads(job: Job) -> tuple[JobState, int | None, bool]:
    """Return what a card shows of an open job that may change."""
    return job.state, job.progress, job.late
