"""The base of the video services' stand-ins: what the contract suite expects of each."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.support.providers.stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Job = dict[str, Any]


class VideoStandIn(StandIn):
    """A video service with its jobs, which a test advances.

    The result of a job is its clip in `clips`, or `clip` if it has none there.

    Its `routes` name their operations "create", "retrieve" and "content", and, where the dialect
    has them, "list" and "delete" (which also stands for cancelling). A create takes the job's ref
    from `new_id`, stores the job in `jobs`, appends the ref to `creates`, and fails with `Refusal`
    if the service would refuse it. Each job is sent as `answer_for` returns it.

    The contract suite describes jobs in the fields of the Videos API: `id`, `status`, `progress`,
    `error`, `expires_at`, `usage.cost` and `url`. It sets them with `shape`, which rewrites each
    job before it is sent, and in the bodies of faults. A dialect with other names for them
    translates them in `in_dialect`, and leaves all other JSON as it is.
    """

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        clip: Path | None = None,
        key: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clip=clip, key=key, clock=clock)
        self.new_id = new_id
        self.jobs: dict[str, Job] = {}
        self.clips: dict[str, Path] = {}
        self.shape: Callable[[Job], object] = dict

    @abstractmethod
    def progress(self, ref: str, percent: int) -> None:
        """Set a job to running, and to a percentage if the dialect has one."""

    @abstractmethod
    def finish(self, ref: str) -> None:
        """Set a job to finished, with the clip as its result."""

    @abstractmethod
    def fail(self, ref: str, code: str, message: str) -> None:
        """Set a job to failed."""

    def is_cancelled(self, ref: str) -> bool:
        """Return whether a job has been cancelled or deleted."""
        return ref not in self.jobs

    def clip_of(self, ref: str) -> Path | None:
        """Return the clip that is the result of a job."""
        return self.clips.get(ref, self.clip)

    def clip_response(self, ref: str) -> web.FileResponse | None:
        """Return the answer with a job's clip."""
        clip = self.clip_of(ref)
        return clip and web.FileResponse(clip, headers={"Content-Type": "video/mp4"})

    def answer_for(self, ref: str) -> object:
        """Return the JSON that describes a job."""
        return self.in_dialect(self.shape(self.jobs[ref]))
