"""ProviderSilence: measures for how long the provider has not responded to requests about a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import HoldReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Job

# After this time without a response, the requester and the operator are notified.
_LONG_SECONDS = 120.0
_MAX_JOBS = 1000


class ProviderSilence:
    """Remembers when the provider stopped responding to requests about each job.

    The times are kept in memory only. If they are lost, the requester is notified later.
    `steady`: a clock that never jumps.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._since: dict[str, float] = {}

    def end(self, job_id: str) -> None:
        """Record that the provider has responded to a request about this job."""
        self._since.pop(job_id, None)

    def is_long(self, job: Job) -> bool:
        """Record that a request got no response.

        Returns True if the provider has not responded for two minutes.
        """
        if len(self._since) >= _MAX_JOBS:
            self._since.clear()
        since = self._since.setdefault(job.id, self._steady())
        return self._steady() - since >= _LONG_SECONDS or job.hold is HoldReason.UNANSWERED
