"""ProviderSilence: since when the provider has answered no request about each job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import HoldReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Job

# Time after which the requester and the operator are told that the provider does not answer.
_LONG_SECONDS = 120.0
_MAX_JOBS = 1000


class ProviderSilence:
    """Keeps the start of each job's time without answers in memory.

    A loss only delays a notice. `steady`: a clock that is never set.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._since: dict[str, float] = {}

    def end(self, job_id: str) -> None:
        """Record that the provider has answered a request about the job."""
        self._since.pop(job_id, None)

    def is_long(self, job: Job) -> bool:
        """Record that a request had no answer; True: there has been none for two minutes."""
        if len(self._since) >= _MAX_JOBS:
            self._since.clear()
        since = self._since.setdefault(job.id, self._steady())
        return self._steady() - since >= _LONG_SECONDS or job.hold is HoldReason.UNANSWERED
