"""FreshAnswers: lets a download reuse the poll response that reported the clip as finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import BackendUpdate
    from bot.model import Job

# The time for which a response is used. It is short, because the download links may expire soon.
_FRESH_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """A response, and the time (of the steady clock) at which it arrived."""

    update: BackendUpdate
    at: float


class FreshAnswers:
    """Keeps the responses of the last 30 seconds.

    They are kept in memory only, because their download links are secrets. `steady`: a clock that
    never jumps.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._answers: dict[str, _Answer] = {}

    def put(self, job: Job, update: BackendUpdate) -> None:
        """Keep the response that reports a job as done, and drop responses that are too old."""
        self._answers = {
            job_id: answer for job_id, answer in self._answers.items() if self._is_fresh(answer)
        }
        self._answers[job.id] = _Answer(update=update, at=self._steady())

    def pop(self, job: Job) -> BackendUpdate | None:
        """Remove and return the response for a job, or return None if there is no fresh one."""
        answer = self._answers.pop(job.id, None)
        if answer is None or not self._is_fresh(answer):
            return None
        return answer.update if answer.update.ref == job.remote_id else None

    def _is_fresh(self, answer: _Answer) -> bool:
        return self._steady() - answer.at <= _FRESH_SECONDS
