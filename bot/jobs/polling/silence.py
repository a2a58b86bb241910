"""ProviderSilence: since when the provider has not responded to requests about each job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import HoldReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Job

# After this time, the requester and the operator are told that the provider does not respond.
_LONG_SECONDS = 120.0
_MAX_JOBS = 1000


class ProviderSilence:
    """Keeps in memory since when requests about each job have had no response.

    If these times are lost, a notice is late. `steady`: a clock that is never set.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._since: dict[str, float] = {}

    def end(self, job_id: str) -> None:
        """Record that the provider has responded to a request about the job."""
        self._since.pop(job_id, None)

    def is_long(self, job: Job) -> bool:
        """Record that a request got no response; True: there was none for two minutes."""
        if len(self._since) >= _MAX_JOBS:
            self._since.clear()
        since = self._since.setdefault(job.id, self._steady())
        return self._steady() - since >= _LONG_SECONDS or job.hold is HoldReason.UNANSWERED
