"""The job status that the API shows, and sentences for readers outside Discord.

In the API, a job has one of four states, and a percentage that never falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.model import JobState
from bot.texts import Moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.errors import Trouble
    from bot.model import Job
    from bot.texts import Texts

_ALMOST = 99  # 100 means that the file is ready
_BRIEFLY = {
    "failed.timeout": "outside.timeout",
    "failed.moderated": "outside.moderated",
}


class PublicStatus(StrEnum):
    """The state of a job in the API. A job never returns to an earlier state."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


_ENDS = {
    JobState.SUCCEEDED: PublicStatus.COMPLETED,
    JobState.FAILED: PublicStatus.FAILED,
    JobState.CANCELLED: PublicStatus.FAILED,
}
_RANKS = tuple(PublicStatus)


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicJob:
    """The status of a job in the API.

    `progress`: the percentage, from 0 to 100.
    `error`: a sentence that says why the job failed.
    `question`: a sentence that asks the client to decide about an undecided job.
    `waiting`: a sentence that says why the job has to wait.
    """

    status: PublicStatus
    progress: int
    error: str | None = None
    question: str | None = None
    waiting: str | None = None

    def as_json(self) -> dict[str, str | int]:
        """Return the API's JSON object, without fields that are None."""
        sentences = {"error": self.error, "question": self.question, "waiting": self.waiting}
        return {
            "status": self.status,
            "progress": self.progress,
            **{name: sentence for name, sentence in sentences.items() if sentence is not None},
        }

    def follows(self, other: PublicJob | None) -> bool:
        """Return whether this status is news to a client that has already received `other`."""
        if other is None or self.place > other.place:
            return True
        same = (self.question, self.waiting) == (other.question, other.waiting)
        return self.place == other.place and not same

    @property
    def place(self) -> tuple[int, int]:
        """The state's rank and the percentage, which show how far the job has come."""
        return _RANKS.index(self.status), self.progress


def public_job(
    job: Job, texts: Texts, locale: str = "en", *, trouble: Trouble | None = None
) -> PublicJob:
    """Return a job's status, with sentences in the language of `locale`.

    `trouble`: the reason why the queue is paused, or None if it isn't.
    """
    status = _status(job)
    if status is PublicStatus.COMPLETED:
        return PublicJob(status=status, progress=100)
    return PublicJob(
        status=status,
        progress=min(job.progress or 0, _ALMOST),
        error=_error(job, texts, locale) if status is PublicStatus.FAILED else None,
        question=_question(texts, locale) if job.state is JobState.UNDECIDED else None,
        waiting=_waiting(job, texts, locale, trouble),
    )


def _waiting(job: Job, texts: Texts, locale: str, trouble: Trouble | None) -> str | None:
    if trouble and job.state is JobState.QUEUED:
        return texts(f"trouble.{trouble}", locale)
    if job.hold:
        return texts(f"hold.{job.hold}", locale)
    return texts("card.not_yet", locale) if job.is_refused_for_now else None


def _status(job: Job) -> PublicStatus:
    if end := _ENDS.get(job.state):
        return end
    # A job that was submitted and is queued again is still shown as "in progress".
    waits = job.state in {JobState.RECEIVED, JobState.QUEUED} and not job.submits
    return PublicStatus.QUEUED if waits else PublicStatus.IN_PROGRESS


def _question(texts: Texts, locale: str) -> str:
    return f"{texts('state.undecided', locale)}. {texts('card.undecided', locale)}"


def _error(job: Job, texts: Texts, locale: str) -> str:
    if job.failure is None:
        return texts("state.cancelled", locale)
    if brief := _BRIEFLY.get(job.failure.key):
        return texts(brief, locale)
    return texts.explain(job.failure.key, locale, job.failure.fields)


def sentence_in_utc(texts: Texts, key: str, locale: str, fields: Mapping[str, object]) -> str:
    """Return a sentence for readers outside Discord, with times in UTC."""
    in_utc = {
        name: _in_utc(value, texts, locale) if isinstance(value, Moment) else value
        for name, value in fields.items()
    }
    return texts.explain(key, locale, in_utc)


def _in_utc(moment: Moment, texts: Texts, locale: str) -> str:
    # The time is rounded up to the minute, so that the wait is really over at the time shown.
    at = datetime.fromtimestamp(-(-moment.at // 60) * 60, tz=UTC)
    return texts("outside.at", locale, date=f"{at:%Y-%m-%d}", time=f"{at:%H:%M}")
