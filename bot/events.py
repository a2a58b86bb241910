"""In-process publish/subscribe for committed job changes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Job, JobChanged

log = logging.getLogger(__name__)


class EventBus:
    """Calls every subscriber with each event; subscribers must return quickly."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[JobChanged], None]] = []

    def subscribe(self, subscriber: Callable[[JobChanged], None]) -> None:
        """Add a subscriber."""
        self._subscribers.append(subscriber)

    def publish(self, event: JobChanged) -> None:
        """Call all subscribers, even if one of them fails."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:  # the change is already committed
                log.exception("event.subscriber_failed id=%s", event.job.id)


class JobFeed:
    """Passes each job's changes on to that job's followers.

    `on_job_changed` has to be subscribed to the bus.
    """

    def __init__(self) -> None:
        self._followers: dict[str, list[Callable[[Job], None]]] = {}

    def follow(self, job_id: str, follower: Callable[[Job], None]) -> Callable[[], None]:
        """Call `follower` after each committed change of a job, until the result is called."""
        self._followers.setdefault(job_id, []).append(follower)

        def unfollow() -> None:
            followers = self._followers.get(job_id, [])
            if follower in followers:
                followers.remove(follower)
            if not followers:
                self._followers.pop(job_id, None)

        return unfollow

    def on_job_changed(self, event: JobChanged) -> None:
        """Call the followers of the job."""
        for follower in tuple(self._followers.get(event.job.id, ())):
            follower(event.job)
