"""Live progress: keeps open cards current, at the pace that Discord bears."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.delivery.interaction_token import is_time_for_last_word, last_word_at
from bot.errors import DeliveryError
from bot.model import CANCELLABLE, JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.delivery.deliverer import DiscordDeliverer
    from bot.model import Job, JobChanged
    from bot.pacing import Pace

log = logging.getLogger(__name__)

_AT_ONCE = 8
_Reading = tuple[JobState, int | None, bool, bool, int]


@dataclass(kw_only=True, slots=True)
class _Shown:
    """What an edit at `at` showed, None if it failed; `for_good`: there will be no other."""

    at: float
    reads: _Reading | None
    for_good: bool = False


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
        self._last_words: dict[str, Job] = {}
        self._in_line: dict[str, Job] = {}
        self._left_the_line = 0
        self._editing: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()

    def note(self, event: JobChanged) -> None:
        """Take note of an event of the bus; what a client asked for has no card."""
        job = event.job
        if job.client is not None:
            return
        self.watch(job)
        self._line_up(job)
        if job.state not in CANCELLABLE:
            # From `delivering` on, and at every end, a step of its own writes the card.
            self._latest.pop(job.id, None)
            self._shown.pop(job.id, None)
            return
        if event.outlook and (shown := self._shown.get(job.id)) and not shown.for_good:
            del self._shown[job.id]  # it is written anew, and at once
        if event.previous is None:
            # The command itself posts this one.
            now = self._clock()
            self._shown[job.id] = _Shown(at=now, reads=self._reads(job, now))
        self._latest[job.id] = job
        self._changed.set()

    def watch(self, job: Job) -> None:
        """Give the card of an open job that nothing but its token can edit a last word in time."""
        if last_word_at(job) is None:
            self._last_words.pop(job.id, None)
        else:
            self._last_words[job.id] = job
            self._changed.set()

    def _line_up(self, job: Job) -> None:
        if job.state is JobState.QUEUED:
            self._in_line[job.id] = job
        elif self._in_line.pop(job.id, None) is not None:
            # The others move up.
            self._left_the_line += 1
            self._latest = self._in_line | self._latest

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
        wait = self._come_to_last_words()
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

    def _come_to_last_words(self) -> float | None:
        now = self._clock()
        wait: float | None = None
        for job in tuple(self._last_words.values()):
            if is_time_for_last_word(job, now):
                self._latest[job.id] = self._last_words.pop(job.id)
            elif at := last_word_at(job):
                wait = at - now if wait is None else min(wait, at - now)
        return wait

    def _due_in(self, job: Job) -> float | None:
        now = self._clock()
        shown = self._shown.get(job.id)
        if shown is None:
            return 0
        reads = self._reads(job, now)
        if shown.for_good or shown.reads == reads:
            return None
        return shown.at + self._gap(shown.reads, reads, age=now - job.created_at) - now

    def _gap(self, before: _Reading | None, after: _Reading, *, age: float) -> float:
        if before is not None and before[0] is not after[0]:
            return self._pace.state
        gap = self._pace.between(age)
        # A line may be long, and all of it moves up each time.
        in_line = after[0] is JobState.QUEUED
        return max(gap, self._pace.first_hour) if in_line else gap

    def _done(self, job_id: str) -> None:
        del self._editing[job_id]
        self._changed.set()

    async def _edit(self, job_id: str) -> None:
        try:
            async with self._deliverer.turn(job_id):
                job = self._latest.pop(job_id, None)
                # While this waited for its turn, a step may have written the card for good.
                if job is not None:
                    await self._show(job)
        except Exception:  # the edge of this task: a progress bar is not worth a job
            log.exception("card.refresh_failed id=%s", job_id)

    async def _show(self, job: Job) -> None:
        now = self._clock()
        shown = self._shown[job.id] = _Shown(at=now, reads=self._reads(job, now))
        try:
            is_there = await self._deliverer.refresh(job)
        except DeliveryError as error:
            log.info("card.not_refreshed id=%s reason=%r", job.id, str(error))
            shown.reads = None
            if self._shown.get(job.id) is shown:
                self._latest.setdefault(job.id, job)
            return
        shown.for_good = not is_there or is_time_for_last_word(job, now)

    def _reads(self, job: Job, now: float) -> _Reading:
        """Return what a card shows of an open job that may change."""
        left = self._left_the_line if job.state is JobState.QUEUED else 0
        return job.state, job.progress, job.late, is_time_for_last_word(job, now), left
