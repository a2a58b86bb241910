"""StepRetries: decides when the step of a job is tried again after an error."""

from __future__ import annotations

import errno
import math
from typing import TYPE_CHECKING

from bot.errors import BackendError, DeliveryError, FileStoreError, UnfetchedError
from bot.model import HoldReason, JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.service import JobService
    from bot.jobs.waits.holds import Holds
    from bot.model import Job

SHOWN = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.UNDECIDED})
"""The states whose step only updates the card."""

_MAX_RETRY_SECONDS = 300.0
# If a bug makes the step of one of these states fail repeatedly, the job fails. In later states,
# the job may have been paid for, so its step is always retried.
_UNPAID = frozenset({JobState.RECEIVED, JobState.QUEUED})
_MAX_UNPAID_ATTEMPTS = 5
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DISK_FULL_SECONDS = 60.0
# After this many attempts without a response, the requester and the operator are notified. The
# attempts take about two minutes in all.
_UNANSWERED_DOWNLOADS = 7
_LONG_WAIT_SECONDS = 60.0
# The number of attempts to update a card. They take about a day. Then, the card is left as it is.
_MAX_SHOWN_ATTEMPTS = 300


class StepRetries:
    """Postpones jobs whose steps have failed.

    `jitter`: returns a random number between 0 and 1, by which pauses are lengthened.
    """

    def __init__(self, jobs: JobService, holds: Holds, *, jitter: Callable[[], float]) -> None:
        self._jobs = jobs
        self._holds = holds
        self._jitter = jitter

    async def retry_later(self, job: Job, error: Exception) -> None:
        """Postpone a job whose step has failed. After too many attempts, end the job instead."""
        discord_is_down = isinstance(error, DeliveryError)
        # Many cards share one rate limit, so short waits are normal and don't count as attempts.
        is_brief = discord_is_down and (error.retry_after or math.inf) < _LONG_WAIT_SECONDS
        attempts = job.attempts + (not is_brief)
        is_away = discord_is_down or isinstance(error, FileStoreError)
        if job.state in _UNPAID and attempts >= _MAX_UNPAID_ATTEMPTS and not is_away:
            if isinstance(error, UnfetchedError):
                await self._jobs.fail(job, "audio.unfetched")
            else:
                await self._jobs.fail(job, "failed.bug", incident=job.id)
        elif job.state in SHOWN and attempts >= _MAX_SHOWN_ATTEMPTS:
            await self._jobs.release(job)
        elif isinstance(error, OSError) and error.errno in _DISK_FULL:
            await self._holds.hold(job, HoldReason.DISK, after=_DISK_FULL_SECONDS)
        elif job.state is JobState.DOWNLOADING and attempts >= _UNANSWERED_DOWNLOADS:
            after = self._delay(attempts, error)
            await self._holds.hold(job, HoldReason.UNANSWERED, after=after, attempts=attempts)
        else:
            await self._jobs.postpone(job, after=self._delay(attempts, error), attempts=attempts)

    def _delay(self, attempts: int, error: Exception) -> float:
        if isinstance(error, BackendError | DeliveryError) and error.retry_after is not None:
            return min(error.retry_after, _MAX_RETRY_SECONDS)
        return min(2.0 ** min(attempts, 10), _MAX_RETRY_SECONDS) * (1 + self._jitter())
