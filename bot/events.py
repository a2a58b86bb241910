"""What happens inside the process after a commit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Job, JobChanged

log = logging.getLogger(__name__)


class EventBus:
    """Hands each event to every subscriber at once; a subscriber only takes note, and returns."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[JobChanged], None]] = []

    def subscribe(self, subscriber: Callable[[JobChanged], None]) -> None:
        """Add a subscriber."""
        self._subscribers.append(subscriber)

    def publish(self, event: JobChanged) -> None:
        """Tell all subscribers; one that fails does not keep it from the others."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:  # a bug in one reader must not undo what is committed
                log.exception("event.subscriber_failed id=%s", event.job.id)


class JobFeed:
    """Hands the changes of single jobs to those who follow them; a subscriber of the bus."""

    def __init__(self) -> None:
        self._followers: dict[str, list[Callable[[Job], None]]] = {}

    def follow(self, job_id: str, follower: Callable[[Job], None]) -> Callable[[], None]:
        """Call `follower` with a job after each of its commits, until the result is called."""
        self._followers.setdefault(job_id, []).append(follower)

        def leave() -> None:
            followers = self._followers.get(job_id, [])
            if follower in followers:
                followers.remove(follower)
            if not followers:
                self._followers.pop(job_id, None)

        return leave

    def note(self, event: JobChanged) -> None:
        """Tell the followers of a job."""
        for follower in tuple(self._followers.get(event.job.id, ())):
            follower(event.job)
