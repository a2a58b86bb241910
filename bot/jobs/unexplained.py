"""Refusals without a known reason, and whether they concern one prompt or the bot's key."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model import Job

_KEPT = 64
# Two refusals that lie further apart have nothing to do with each other.
_RELATED_SECONDS = 60 * 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refused:
    prompt: str
    tries: int
    at: float


@dataclass(kw_only=True, eq=False)
class UnexplainedRefusals:
    """The jobs that were refused without a known reason since the last success.

    It is kept in memory alone: a restart forgets it, and the jobs are tried again.
    """

    _jobs: OrderedDict[str, _Refused] = field(default_factory=OrderedDict[str, _Refused])

    def note(self, job: Job, *, now: float) -> int:
        """Note that a job was refused, and return how often it has been."""
        known = self._jobs.pop(job.id, None)
        refused = _Refused(prompt=_prompt_of(job), tries=known.tries + 1 if known else 1, at=now)
        self._jobs[job.id] = refused
        if len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)
        return refused.tries

    def concern_others(self, job: Job, *, now: float) -> bool:
        """Tell whether another prompt has met the same lately: then no prompt is to blame."""
        return any(
            other.prompt != _prompt_of(job) and now - other.at < _RELATED_SECONDS
            for other in self._jobs.values()
        )

    def clear(self) -> None:
        """Forget all, because the provider has accepted a job."""
        self._jobs.clear()


def _prompt_of(job: Job) -> str:
    return " ".join(job.sent_request.prompt.casefold().split())
