"""PageStep: updates the stored jobs from one page of the provider's job list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.backends.base import RemoteState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.backends.base import BackendUpdate
    from bot.jobs.changes.publisher import ChangePublisher
    from bot.jobs.polling.silence import ProviderSilence
    from bot.jobs.remote.identity import RemoteIdentity
    from bot.pacing import WatchedClock
    from storage.jobs.polling.listed_jobs import ListedJobStore, PolledJob

_ENDED = frozenset({RemoteState.DONE, RemoteState.FAILED})
_MAX_JOBS = 1000
# Some lists show states that never change. Therefore, if a job's percentage does not rise, its
# individual poll is postponed by no more than this time.
_MAX_PUT_OFF_SECONDS = 300.0
_MAX_PUT_OFF_JOBS = 20_000


class PageStep:
    """Postpones the individual polls of jobs that are still running, and polls ended jobs at once.

    If a job has changed since it was read, or if its id belongs to another job in the list, only
    its individual poll acts on the job.
    `put_off`: the number of seconds by which an individual poll is postponed.
    """

    def __init__(
        self,
        store: ListedJobStore,
        identity: RemoteIdentity,
        changes: ChangePublisher,
        silence: ProviderSilence,
        *,
        put_off: float,
        clock: WatchedClock,
    ) -> None:
        self._store = store
        self._identity = identity
        self._changes = changes
        self._silence = silence
        self._put_off = put_off
        self._clock = clock
        # The final states that pages have reported, by job id. Each makes its job due only once. If
        # this record is lost, no harm is done.
        self._told: dict[str, RemoteState] = {}
        # For each postponed job, its epoch, and the time (of the steady clock) at which it was
        # first postponed. An individual poll raises the epoch, so the time counts anew.
        self._put_off_since: dict[str, tuple[int, float]] = {}

    async def serve(
        self, found: Sequence[tuple[PolledJob, BackendUpdate]], *, requested_at: float
    ) -> int:
        """Act on the states that a page shows.

        Returns how many of the page's jobs are certainly ours.
        """
        ours = await self._ours(found) if found else []
        for job, _ in ours:
            self._silence.end(job.id)
        await self._postpone([each for each in ours if each[1].state not in _ENDED], requested_at)
        await self._wake([each for each in ours if each[1].state in _ENDED])
        return len(ours)

    async def _ours(
        self, found: Iterable[tuple[PolledJob, BackendUpdate]]
    ) -> list[tuple[PolledJob, BackendUpdate]]:
        records = await self._store.records(job for job, _ in found)
        return [
            (job, update)
            for job, update in found
            if (record := records.get(job.id)) and self._identity.describes(record, update.echo)
        ]

    async def _postpone(
        self, running: list[tuple[PolledJob, BackendUpdate]], requested_at: float
    ) -> None:
        if not running:
            return
        for job, _ in running:
            self._told.pop(job.id, None)
        risen = [(job, _risen(job, update.progress)) for job, update in running]
        jobs = [(job, percent) for job, percent in risen if self._may_wait(job, percent)]
        # The time counts from the request, because the response may have taken long to arrive.
        next_at = requested_at + self._put_off
        for job in await self._store.put_off(jobs, next_at=next_at, now=self._clock()):
            self._changes.publish(job)

    def _may_wait(self, job: PolledJob, risen: int | None) -> bool:
        """Return whether a job's individual poll may be postponed again.

        It must not be postponed if the list has shown the same percentage for too long.
        """
        now = self._clock.steady()
        epoch, since = self._put_off_since.get(job.id, (None, now))
        if epoch == job.epoch and risen is None:
            return now - since < _MAX_PUT_OFF_SECONDS
        if len(self._put_off_since) >= _MAX_PUT_OFF_JOBS:
            self._put_off_since.clear()
        self._put_off_since[job.id] = job.epoch, now
        return True

    async def _wake(self, ended: list[tuple[PolledJob, BackendUpdate]]) -> None:
        states = {job.id: update.state for job, update in ended}
        news = [job for job, update in ended if self._told.get(job.id) != update.state]
        if not news:
            return
        woken = await self._store.wake(news, now=self._clock())
        if len(self._told) >= _MAX_JOBS:
            self._told.clear()
        # A job whose individual poll has already begun was not made due. That poll may have read
        # the job too early. If so, the next page makes the job due.
        self._told.update({job.id: states[job.id] for job in woken})
        for job in woken:
            self._put_off_since.pop(job.id, None)
            self._changes.publish(job)


def _risen(job: PolledJob, percent: int | None) -> int | None:
    known = -1 if job.progress is None else job.progress
    return percent if percent is not None and percent > known else None
