"""Shows the progress of open jobs on their cards, within Discord's rate limits."""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.delivery.interaction_token import expiry_notice_at, is_expiry_notice_due
from bot.delivery.views.formatting import rounded_place
from bot.errors import DeliveryError
from bot.model import CANCELLABLE, HoldReason, JobState

if TYPE_CHECKING:
    from bot.delivery.deliverer import DiscordDeliverer
    from bot.model import Job, JobChanged
    from bot.pacing import EditIntervals, WatchedClock

log = logging.getLogger(__name__)

_CONCURRENT_EDITS = 8
_Content = tuple[JobState, int | None, bool, bool, int | None, HoldReason | None]


@dataclass(kw_only=True, slots=True)
class _LastEdit:
    """The last edit of a card.

    `at`: the time of the edit on the steady clock.
    `content`: the content that the edit showed, or None if the edit failed.
    `is_final`: whether the card gets no more progress edits.
    """

    at: float
    content: _Content | None
    is_final: bool = False


class ProgressCards:
    """Records the latest state of each open job, and shows it when an edit of the card is due.

    If a job changes several times between two edits, only its last state is shown.
    """

    def __init__(
        self, deliverer: DiscordDeliverer, pace: EditIntervals, *, clock: WatchedClock
    ) -> None:
        self._deliverer = deliverer
        self._pace = pace
        self._clock = clock
        self._latest: dict[str, Job] = {}
        # Jobs of `_latest` that still have to be scheduled. `_due` has those that are scheduled, by
        # time.
        self._unscheduled: set[str] = set()
        self._due: list[tuple[float, str]] = []
        self._last_edits: dict[str, _LastEdit] = {}
        self._expiring: dict[str, Job] = {}
        self._queued: dict[str, Job] = {}
        self._places: dict[str, int] = {}
        self._places_changed = False
        self._places_read_at = -math.inf
        self._editing: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()

    def on_job_changed(self, event: JobChanged) -> None:
        """Record a change to a job. Jobs of API clients are ignored, because they have no card."""
        job = event.job
        if job.client is not None:
            return
        self.watch(job)
        self._track_queue(job)
        if job.state not in CANCELLABLE:
            # From the state `delivering` on, the job's own steps edit the card. The step that ends
            # a job does so too.
            self._latest.pop(job.id, None)
            self._last_edits.pop(job.id, None)
            return
        if event.outlook_only and (last := self._last_edits.get(job.id)) and not last.is_final:
            del self._last_edits[job.id]  # without a last edit, the next edit is due at once
        if event.previous is None:
            # The command itself posts the card of a new job. This counts as the first edit.
            self._last_edits[job.id] = self._edit_of(job)
        self._keep(job)
        self._changed.set()

    def watch(self, job: Job) -> None:
        """Schedule the expiry notice, if only the interaction's token can edit the job's card."""
        if expiry_notice_at(job) is None:
            self._expiring.pop(job.id, None)
        else:
            self._expiring[job.id] = job
            self._changed.set()

    def _track_queue(self, job: Job) -> None:
        was_queued = job.id in self._queued
        if job.state is JobState.QUEUED:
            self._queued[job.id] = job
        elif was_queued:
            del self._queued[job.id]
        if was_queued is not (job.state is JobState.QUEUED):
            self._places_changed = True
            self._changed.set()

    async def run(self) -> None:
        """Edit each card when its edit is due. Runs until cancelled."""
        try:
            while True:
                self._changed.clear()
                if self._read_places_in() <= 0:
                    await self._read_places()
                wait = min(self._read_places_in(), self._start_due())
                try:
                    async with asyncio.timeout(None if math.isinf(wait) else wait):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            tasks = list(self._editing.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _read_places_in(self) -> float:
        if not (self._places_changed and self._queued):
            return math.inf
        return self._places_read_at + self._pace.first_hour - self._clock.steady()

    async def _read_places(self) -> None:
        """Read the places of all queued jobs, and schedule the cards whose place has changed."""
        self._places_changed, self._places_read_at = False, self._clock.steady()
        try:
            places = await self._deliverer.queue_places()
        except Exception:  # the places are read again when the queue changes
            log.exception("queue.places_unread")
            return
        before, self._places = (
            self._places,
            {job_id: rounded_place(place) for job_id, place in places.items()},
        )
        for job_id, job in self._queued.items():
            if before.get(job_id) != self._places.get(job_id):
                self._keep(self._latest.get(job_id, job))

    def _keep(self, job: Job) -> None:
        """Keep a job's latest state until its card shows it."""
        self._latest[job.id] = job
        self._unscheduled.add(job.id)

    def _start_due(self) -> float:
        """Start the edits that are due, and return the seconds until the next one is due.

        There may be thousands of jobs. Therefore only jobs that changed or are due are examined.
        """
        wait = self._promote_expiring()
        changed, self._unscheduled = self._unscheduled, set()
        for job_id in changed:
            self._schedule(job_id)
        while self._due and len(self._editing) < _CONCURRENT_EDITS:
            due_in = self._due[0][0] - self._clock.steady()
            if due_in > 0:
                return min(wait, due_in)
            _, job_id = heapq.heappop(self._due)
            if self._is_due(job_id):
                task = asyncio.create_task(self._edit(job_id), name=f"card:{job_id}")
                self._editing[job_id] = task
                task.add_done_callback(lambda _, job_id=job_id: self._done(job_id))
        return wait

    def _is_due(self, job_id: str) -> bool:
        """Tell whether the job's card is due now. If it is due later, schedule it again."""
        due_in = self._schedule(job_id, after=0)
        return due_in is not None and due_in <= 0

    def _schedule(self, job_id: str, *, after: float = -math.inf) -> float | None:
        """Schedule the edit of a job's card, and return the seconds until it is due.

        Only an edit that is due in more than `after` seconds is scheduled. Returns None if no edit
        is needed.
        """
        job = self._latest.get(job_id)
        if job is None or job_id in self._editing or job.origin.message_id is None:
            return None
        try:
            due_in = self._due_in(job)
        except Exception:  # an error with one card must not stop the others
            log.exception("card.not_scheduled id=%s", job.id)
            due_in = None
        if due_in is None:
            del self._latest[job_id]
        elif due_in > after:
            heapq.heappush(self._due, (self._clock.steady() + due_in, job_id))
        return due_in

    def _promote_expiring(self) -> float:
        """Schedule cards whose expiry notice is due, and return the seconds until the next one."""
        now = self._clock()
        wait = math.inf
        for job in tuple(self._expiring.values()):
            if is_expiry_notice_due(job, now):
                self._keep(self._expiring.pop(job.id))
            elif at := expiry_notice_at(job):
                wait = min(wait, at - now)
        return wait

    def _due_in(self, job: Job) -> float | None:
        now = self._clock()
        last = self._last_edits.get(job.id)
        if last is None:
            return 0
        content = self._content(job, now)
        if last.is_final or last.content == content:
            return None
        gap = self._gap(last.content, content, age=now - job.created_at)
        return last.at + gap - self._clock.steady()

    def _gap(self, before: _Content | None, after: _Content, *, age: float) -> float:
        if before is not None and before[0] is not after[0]:
            return self._pace.state
        gap = self._pace.between(age)
        # Each start of a job moves many others up in the queue, so cards of queued jobs are edited
        # less often.
        is_queued = after[0] is JobState.QUEUED
        return max(gap, self._pace.first_hour) if is_queued else gap

    def _done(self, job_id: str) -> None:
        del self._editing[job_id]
        self._unscheduled.add(job_id)
        self._changed.set()

    async def _edit(self, job_id: str) -> None:
        try:
            async with self._deliverer.lock_card(job_id):
                job = self._latest.pop(job_id, None)
                # Another task may have made the final edit while this task waited for the lock.
                if job is not None:
                    await self._show(job)
        except Exception:  # a failed progress edit must not end the job
            log.exception("card.refresh_failed id=%s", job_id)

    async def _show(self, job: Job) -> None:
        last = self._last_edits[job.id] = self._edit_of(job)
        try:
            exists = await self._deliverer.refresh(job)
        except DeliveryError as error:
            log.info("card.not_refreshed id=%s reason=%r", job.id, str(error))
            last.content = None
            if self._last_edits.get(job.id) is last:
                self._latest.setdefault(job.id, job)
            return
        # The edit may have proven that the bot itself can edit the card. `_latest` then has a newer
        # version of the job, which records this.
        job = self._latest.get(job.id, job)
        # As long as the clock may be wrong, the expiry notice may appear too early, so later edits
        # must remain possible.
        is_last_edit = is_expiry_notice_due(job, self._clock()) and not self._clock.is_unsettled
        last.is_final = not exists or is_last_edit

    def _edit_of(self, job: Job) -> _LastEdit:
        content = self._content(job, self._clock())
        return _LastEdit(at=self._clock.steady(), content=content)

    def _content(self, job: Job, now: float) -> _Content:
        """Return the parts of an open job's card that can change while the job is open."""
        place = self._places.get(job.id) if job.state is JobState.QUEUED else None
        is_expiring = is_expiry_notice_due(job, now)
        return job.state, job.progress, job.late, is_expiring, place, job.hold
