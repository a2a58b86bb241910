"""Names the service that makes a video, for requesters."""

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
    """Names the service that makes a video: by the operator's `label`, or else by the model.

    The label applies to jobs whose backend is `backend` and whose model is `model`. The name of a
    backend is never shown, because it names a protocol that servers of many vendors implement.
    """

    label: str = ""
    backend: str = ""
    model: str | None = None

    def of(self, job: Job) -> str | None:
        """Return the name of the service that makes a job's video, or None if it is unknown."""
        return self._label(job) or self._model(job)

    def in_full(self, job: Job) -> list[str]:
        """Return all known names of the service: the operator's label and the model."""
        return [name for name in (self._label(job), self._model(job)) if name]

    def _label(self, job: Job) -> str:
        # If the setting was changed after a job was created, the job used a different service.
        is_current = (job.backend, job.request.model) == (self.backend, self.model)
        return quoted(self.label, _CHARACTERS) if is_current else ""

    def _model(self, job: Job) -> str | None:
        if job.backend == _TITLE_CARDS:
            return _TITLE_CARDS  # the storyboard draws title cards itself, and ignores the model
        return quoted(job.request.model, _CHARACTERS) if job.request.model else None
