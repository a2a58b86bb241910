"""Retries: queues undecided jobs again, although the provider may charge twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.admission import Admission
    from bot.jobs.changes.publisher import ChangePublisher
    from bot.jobs.costs.budgeting import Budgeting
    from bot.model import Job
    from bot.moderation.access.place import OrderPlace
    from storage.jobs.store import JobStore

# The number of attempts to store the job. An attempt fails if a worker has claimed the job since
# the job was read.
_TRIES = 5


class Retries:
    """Queues undecided jobs again, if orders are accepted and the budgets allow the price."""

    def __init__(
        self,
        store: JobStore,
        changes: ChangePublisher,
        admission: Admission,
        budgeting: Budgeting,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._changes = changes
        self._admission = admission
        self._budgeting = budgeting
        self._clock = clock

    async def retry(self, job_id: str, *, place: OrderPlace | None) -> Job | None:
        """Queue an undecided job again, and reserve its price once more.

        Returns None if the job is not undecided. Raises UserError if orders are refused in this
        `place`, or if a budget is reached.
        """
        for _ in range(_TRIES):
            job = await self._store.get(job_id)
            if job is None or job.state is not JobState.UNDECIDED:
                return None
            await self._admission.admit(job.requester, place)
            seconds = job.request.seconds
            reservation = await self._budgeting.for_clip(job.requester, seconds=seconds)
            queued = await self._store.retry(job, reservation, now=self._clock())
            if queued is not None:
                self._changes.publish_state(queued, job.state)
                return queued
            await self._budgeting.check(reservation)
        return None
