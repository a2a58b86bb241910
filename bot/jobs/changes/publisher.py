"""Publishes changes to jobs once they are committed, and logs new states."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.model import JobChanged, Origin

if TYPE_CHECKING:
    from bot.events import EventBus
    from bot.model import Client, Job, JobState

log = logging.getLogger(__name__)


class ChangePublisher:
    """Publishes changes to jobs on the event bus. The caller must have committed the changes."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def publish(self, job: Job | None) -> Job | None:
        """Publish a change that left a job's state as it was, and return the job.

        If the job is None, nothing has changed, and nothing is published.
        """
        if job is not None:
            self._bus.publish(JobChanged(job=job, previous=job.state))
        return job

    def publish_outlook(self, job: Job) -> None:
        """Publish that a job's outlook has changed, such as its place in the queue."""
        self._bus.publish(JobChanged(job=job, previous=job.state, outlook_only=True))

    def publish_state(self, job: Job, previous: JobState | None) -> None:
        """Publish and log a job's new state. `previous` is the old one, or None for a new job."""
        detail = f" reason={job.failure.key}" if job.failure else ""
        if previous is None:
            detail = f" {_requester_fields(job.requester)}"
        log.info("job.state id=%s from=%s to=%s%s", job.id, previous or "-", job.state, detail)
        self._bus.publish(JobChanged(job=job, previous=previous))


def _requester_fields(requester: Origin | Client) -> str:
    if isinstance(requester, Origin):
        return f"user={requester.user_id} channel={requester.channel_id}"
    return f"client={requester.name}"
