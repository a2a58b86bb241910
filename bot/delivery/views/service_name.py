"""Names who makes a video, as requesters know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.delivery.views.formatting import quoted

if TYPE_CHECKING:
    from bot.model import Job

_TITLE_CARDS = "storyboard"
_CHARACTERS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceName:
    """The operator's `label` for `backend` with `model`; an empty one: the model's own name.

    The name of a backend would be that of its protocol, which servers of many vendors speak.
    """

    label: str = ""
    backend: str = ""
    model: str | None = None

    def of(self, job: Job) -> str | None:
        """Name who makes the video of a job; None: it is unknown."""
        return self._label(job) or self._model(job)

    def in_full(self, job: Job) -> list[str]:
        """Return all that is known: the label and the model."""
        return [name for name in (self._label(job), self._model(job)) if name]

    def _label(self, job: Job) -> str:
        # A job of an earlier setting was made by another service.
        is_current = (job.backend, job.request.model) == (self.backend, self.model)
        return quoted(self.label, _CHARACTERS) if is_current else ""

    def _model(self, job: Job) -> str | None:
        if job.backend == _TITLE_CARDS:
            return _TITLE_CARDS  # it draws them itself, whatever model is set
        return quoted(job.request.model, _CHARACTERS) if job.request.model else None
