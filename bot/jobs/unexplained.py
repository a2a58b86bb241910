"""Remembers refusals without a known reason. The cause is either a prompt or the API key."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model import Job

_KEPT = 64
# The longest time between two refusals that may have the same cause.
_RELATED_SECONDS = 60 * 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refused:
    prompt: str
    tries: int
    at: float


@dataclass(kw_only=True, eq=False)
class UnexplainedRefusals:
    """The jobs that were refused without a known reason since the last success.

    They are kept in memory only. After a restart, each job is tried again.
    """

    _jobs: OrderedDict[str, _Refused] = field(default_factory=OrderedDict[str, _Refused])

    def record(self, job: Job, *, now: float) -> int:
        """Record that a job was refused, and return how often it has been refused so far."""
        known = self._jobs.pop(job.id, None)
        refused = _Refused(prompt=_prompt_of(job), tries=known.tries + 1 if known else 1, at=now)
        self._jobs[job.id] = refused
        if len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)
        return refused.tries

    def concern_others(self, job: Job, *, now: float) -> bool:
        """Return whether a job with another prompt was recently refused as well.

        If so, neither prompt is to blame.
        """
        return any(
            other.prompt != _prompt_of(job) and now - other.at < _RELATED_SECONDS
            for other in self._jobs.values()
        )

    def clear(self) -> None:
        """Forget all refusals, because the provider has accepted a job."""
        self._jobs.clear()


def _prompt_of(job: Job) -> str:
    return " ".join(job.sent_request.prompt.casefold().split())
