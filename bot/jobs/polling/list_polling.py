"""ListPolling: polls many jobs at once by reading the provider's job list page by page."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import BackendError
from bot.jobs.polling.list_round import ListRound
from bot.model import JobState
from storage.errors import StorageError
from storage.jobs.polling.list_turns import TURN_SECONDS

if TYPE_CHECKING:
    from bot.backends.base import StatusPage, VideoBackend
    from bot.jobs.polling.page_step import PageStep
    from bot.model import JobChanged
    from bot.pacing import ListIntervals, WatchedClock
    from storage.jobs.polling.list_turns import ListTurns
    from storage.jobs.polling.listed_jobs import ListedJobStore, PolledJob

log = logging.getLogger(__name__)

# With at least this many jobs, reading the list takes fewer requests than polling each job.
_MIN_JOBS = 4
# The time by which individual polls are postponed when the bot starts. Meanwhile, the first pages
# of the list arrive.
_HEAD_START_SECONDS = 5.0
_MAX_PAUSE_SECONDS = 60.0
_MAX_ASKED_PAUSE_SECONDS = 300.0
# The time after which a server that has no list is asked again. It may have been replaced by then.
_NO_LIST_SECONDS = 600.0


class ListPolling:
    """Reads the provider's list while that is more efficient than polling each job individually.

    Jobs that are not in the list are polled individually. So are all jobs while the list can't be
    read.
    `turns`: decides which of several processes reads the list, or None for a single process.
    """

    def __init__(
        self,
        store: ListedJobStore,
        backend: VideoBackend,
        page_step: PageStep,
        *,
        intervals: ListIntervals,
        clock: WatchedClock,
        turns: ListTurns | None = None,
    ) -> None:
        self._turns = turns
        self._store = store
        self._backend = backend
        self._page_step = page_step
        self._intervals = intervals
        self._clock = clock
        self._job_changed = asyncio.Event()
        self._round: ListRound | None = None
        self._served = 0
        self._failures = 0
        self._is_first_round = True
        self._head_start_until = 0.0

    @property
    def is_reading(self) -> bool:
        """True while the provider's list has been read only in part."""
        return self._round is not None

    def on_job_changed(self, event: JobChanged) -> None:
        """Wake up if a job is being generated, because a page of the list may tell its state."""
        if event.job.state is JobState.GENERATING:
            self._job_changed.set()

    async def run(self) -> None:
        """Read pages until cancelled."""
        self._round = None
        while True:
            self._job_changed.clear()
            try:
                pause = await self.step()
            except StorageError:
                log.exception("list.database_failed")
                pause = self._fail(None)
            if pause is None:
                await self._job_changed.wait()
            else:
                await asyncio.sleep(pause)

    async def step(self) -> float | None:
        """Read a page of the provider's list, and return the seconds until the next page.

        Returns None if no job needs the list.
        """
        requested_at, started = self._clock(), self._clock.steady()
        if self._round is None:
            jobs = await self._store.open_jobs(now=requested_at)
            if not self._is_worth_it(jobs):
                self._is_first_round = False
                return self._intervals.period if jobs else None
            self._begin(jobs)
        if self._turns is not None and not await self._turns.take():
            self._round = None  # another process reads the list for all
            return TURN_SECONDS / 3
        if self._is_first_round:
            await self._keep_head_start()
        assert self._round is not None  # noqa: S101 - begun above
        try:
            page = await self._backend.list_statuses(self._round.after)
        except BackendError as error:
            if not self._failures:
                log.warning("list.refused error=%r", str(error))
            return self._fail(error.retry_after)
        if page is None:
            log.info("list.absent backend=%s", self._backend.name)
            self._round = None
            return _NO_LIST_SECONDS
        return await self._serve(self._round, page, requested_at=requested_at, started=started)

    def _begin(self, jobs: list[PolledJob]) -> None:
        self._round = ListRound(jobs)
        self._served = 0
        self._head_start_until = 0.0

    async def _keep_head_start(self) -> None:
        now = self._clock()
        if now >= self._head_start_until - _HEAD_START_SECONDS / 2:
            self._head_start_until = now + _HEAD_START_SECONDS
            await self._store.leave_to_list(until=self._head_start_until, now=now)

    async def _serve(
        self, current: ListRound, page: StatusPage, *, requested_at: float, started: float
    ) -> float:
        found = current.take(page)
        self._served += await self._page_step.serve(found, requested_at=requested_at)
        if current.is_over:
            if not self._served:
                return self._fail(None)  # the list shows none of our jobs, so it is of no use
            self._round, self._failures, self._is_first_round = None, 0, False
        elif self._is_first_round:
            return 0.0
        pause = self._intervals.between_pages(current.pages)
        return max(0.0, pause - (self._clock.steady() - started))

    def _is_worth_it(self, jobs: list[PolledJob]) -> bool:
        blind_age, now = self._intervals.blind_age, self._clock()
        return len(jobs) >= _MIN_JOBS or (
            blind_age is not None
            and any(not job.progress and now - job.generating_at >= blind_age for job in jobs)
        )

    def _fail(self, asked_for: float | None) -> float:
        """Stop reading the provider's list, and return the pause before the list is read again."""
        self._round = None
        pause = min(self._intervals.period * 2.0**self._failures, _MAX_PAUSE_SECONDS)
        self._failures = min(self._failures + 1, 10)
        return max(pause, min(asked_for or 0.0, _MAX_ASKED_PAUSE_SECONDS))
