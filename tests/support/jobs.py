"""Jobs made up for tests, in any state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.backends.base import BackendUpdate, RemoteState
from bot.jobs.admission import new_job
from bot.model import Job, JobState, VideoRequest
from tests.support.fakes.clock import START
from tests.support.fakes.orders import origin

JOB_ID = "0123456789abcdef" * 2
UPDATE = BackendUpdate(ref="video_x", state=RemoteState.RUNNING, progress=3)


def job(state: JobState, **changes: Any) -> Job:
    """Return a job that was ordered two minutes ago."""
    template = new_job(
        VideoRequest(prompt="a cat on a roof", model="sora-2", seconds=8, size="1280x720"),
        origin(user_id=42, message_id=77),
        None,
        backend="openai",
        now=START - 120,
        next_at=START,
    )
    fixed = {"id": JOB_ID, "state": state, "epoch": 1, "updated_at": START}
    return replace(template, **(fixed | changes))
